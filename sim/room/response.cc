#include "sim/room/response.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <vector>

#include "absl/strings/str_format.h"
#include "model/audio/resample.h"
#include "sim/room/band_arrivals.h"
#include "sim/room/echogram.h"
#include "sim/room/fractional_delay.h"
#include "sim/room/high_pass.h"
#include "sim/room/image_arrivals.h"
#include "sim/room/late_field.h"
#include "sim/scene/random.h"

namespace auricle::sim {
namespace {

constexpr double kFourPi = 4.0 * std::numbers::pi;
constexpr int kChannels = audio::kFoaChannels;

std::array<AxisImages, 3> ListAxes(Vec3 size, Vec3 source, Vec3 listener, const ImageLimits& limits) {
  return {ListAxisImages(size.x, source.x, listener.x, limits), ListAxisImages(size.y, source.y, listener.y, limits),
          ListAxisImages(size.z, source.z, listener.z, limits)};
}

// Products of reflection coefficients along each axis, for each image of that axis.
std::array<std::vector<double>, 3> Reflections(const std::array<AxisImages, 3>& axes,
                                               const std::array<double, 6>& absorption) {
  std::array<std::vector<double>, 3> products;
  for (int a = 0; a < 3; ++a) {
    const double near = std::sqrt(1.0 - absorption[2 * a]), far = std::sqrt(1.0 - absorption[2 * a + 1]);
    for (const auto& hits : axes[a].hits) products[a].push_back(std::pow(near, hits[0]) * std::pow(far, hits[1]));
  }
  return products;
}

audio::FoaClip ToClip(const ArrivalBuffer& buffer, int sample_rate) {
  audio::FoaClip clip = audio::MakeSilentClip(buffer.frames, sample_rate);
  for (int c = 0; c < kChannels; ++c) std::ranges::copy(buffer.channel(c), clip.channel(c).begin());
  return clip;
}

// A displacement in [-jitter, jitter]^3 that belongs to this image alone.
Vec3 Jitter(uint64_t key, int ox, int oy, int oz, double jitter) {
  const auto word = [](int o) { return static_cast<uint64_t>(o) + (1 << 20); };
  const uint64_t bits = Random(key ^ (word(ox) | word(oy) << 21 | word(oz) << 42)).Bits();
  const auto part = [&](int shift) {
    return (static_cast<double>((bits >> shift) & 0x1FFFFF) / 0x100000 - 1.0) * jitter;
  };
  return {part(0), part(21), part(42)};
}

// Energy of the direct sound over that of everything else in W, decibels.
double DirectToReverberantDb(std::span<const float> w, std::span<const float> direct) {
  double direct_energy = 0.0, rest_energy = 0.0;
  for (size_t i = 0; i < w.size(); ++i) {
    direct_energy += static_cast<double>(direct[i]) * direct[i];
    rest_energy += static_cast<double>(w[i] - direct[i]) * (w[i] - direct[i]);
  }
  return 10.0 * std::log10(std::max(direct_energy, 1e-30) / std::max(rest_energy, 1e-30));
}

// Energies of the late field [bands][times], and when the reverberation has fallen by floor_db in all bands.
struct LateEnergy {
  std::vector<std::vector<double>> energies;
  double end_seconds = 0.0;
};

LateEnergy LateEnergyOf(const BandedRoom& room, Vec3 source_m, Vec3 listener_m, const HybridOptions& options) {
  const double step = static_cast<double>(LateFieldHop(options.sample_rate)) / options.sample_rate;
  const size_t steps = static_cast<size_t>(options.max_seconds / step) + 2;
  LateEnergy late = {
      .energies = CrossOverEnergies(room, source_m, listener_m, BandsBelowNyquist(options.sample_rate), step, steps)};
  for (size_t band = 0; band < late.energies.size(); ++band) {
    // A diffuse field gets the energy that the source radiates on average.
    const double radiated = DiffuseEnergy(options.directivity.omni_share[band]);
    double total = 0.0, left = 0.0;
    for (double& energy : late.energies[band]) total += energy *= radiated;
    size_t n = steps;
    while (n > 1 && left + late.energies[band][n - 1] < total * std::pow(10.0, -options.floor_db / 10.0))
      left += late.energies[band][--n];
    late.end_seconds = std::max(late.end_seconds, static_cast<double>(n) * step);
  }
  return late;
}

// Every image of min_order and more up to the limits, bands and all, giving way to the late field over `fade`.
void AddEarlyImages(const BandedRoom& room, Vec3 source_m, Vec3 listener_m, const ImageLimits& limits, FadeIn fade,
                    const HybridOptions& options, BandArrivals& arrivals) {
  const std::array<AxisImages, 3> axes = ListAxes(room.size_m, source_m, listener_m, limits);
  // Products of reflection coefficients [axis][image][band] and where the image's source faces [axis][image].
  std::array<std::vector<std::array<float, kBands>>, 3> reflection;
  std::array<std::vector<double>, 3> facing;
  std::array<float, kBands> air_nepers, omni_share;  // amplitude, a metre
  for (int band = 0; band < kBands; ++band) {
    const std::array<std::vector<double>, 3> products = Reflections(axes, room.absorption[band]);
    for (size_t axis = 0; axis < 3; ++axis) {
      reflection[axis].resize(products[axis].size());
      for (size_t i = 0; i < products[axis].size(); ++i)
        reflection[axis][i][band] = static_cast<float>(products[axis][i]);
    }
    air_nepers[band] = static_cast<float>(room.air_db_per_m[band] * std::numbers::ln10 / 20.0);
    omni_share[band] = static_cast<float>(options.directivity.omni_share[band]);
  }
  const std::array<double, 3> components = {options.facing.x, options.facing.y, options.facing.z};
  for (size_t axis = 0; axis < 3; ++axis) {
    // A wall turns round the component that points into it.
    for (int order : axes[axis].order) facing[axis].push_back(order % 2 == 0 ? components[axis] : -components[axis]);
  }

  const double fade_seconds = fade.end_seconds - fade.start_seconds;
  ForEachImage(axes, limits, [&](size_t ix, size_t iy, size_t iz, double d2) {
    const int ox = axes[0].order[ix], oy = axes[1].order[iy], oz = axes[2].order[iz];
    const int order = std::abs(ox) + std::abs(oy) + std::abs(oz);
    if (order < options.min_order) return;
    Vec3 place = {axes[0].offset_m[ix], axes[1].offset_m[iy], axes[2].offset_m[iz]};
    double d = std::sqrt(d2);
    if (order >= 2 && options.jitter_m > 0.0) {
      place = place + Jitter(options.key, ox, oy, oz, options.jitter_m);
      d = std::max(Norm(place), 0.5 * d);
    }
    const double seconds = d / kSpeedOfSound;
    double weight = 1.0 / (kFourPi * d);
    if (order > 0 && seconds > fade.start_seconds) {
      weight *= std::cos(0.5 * std::numbers::pi * std::min(1.0, (seconds - fade.start_seconds) / fade_seconds));
    }
    const Vec3 unit = 1.0 / d * place;
    // From the image towards the listener is against `unit`.
    const float cosine = -static_cast<float>(Dot({facing[0][ix], facing[1][iy], facing[2][iz]}, unit));
    const std::array<float, kBands>&rx = reflection[0][ix], &ry = reflection[1][iy], &rz = reflection[2][iz];
    std::array<float, kBands> gains;
    for (size_t band = 0; band < kBands; ++band) {
      gains[band] = static_cast<float>(weight) * rx[band] * ry[band] * rz[band] *
                    std::exp(-air_nepers[band] * static_cast<float>(d)) *
                    (omni_share[band] + (1.0f - omni_share[band]) * cosine);
    }
    arrivals.Add(seconds * options.sample_rate, unit, gains);
  });
}

// Early images, and the late field over which they give way to it.
struct EarlyPart {
  FadeIn fade;
  ImageLimits limits;
  size_t frames;  // until the last image has arrived
};

// Of a response that ends at `end_seconds`. INVALID_ARGUMENT: more images than are ever made.
absl::StatusOr<EarlyPart> EarlyPartOf(const BandedRoom& room, const Placement& place, const HybridOptions& options,
                                      double end_seconds) {
  const double direct_seconds = Norm(place.source_m - place.listener_m) / kSpeedOfSound;
  const double mixing = TimeOfImages(room.Band(0), options.early_images);
  EarlyPart part = {.fade = {.start_seconds = 0.75 * mixing, .end_seconds = mixing},
                    .limits = {.max_seconds = std::max(std::min(mixing, end_seconds), direct_seconds * 1.0001)},
                    .frames = 0};
  if (absl::Status s = ValidateLimits(room.Band(0), part.limits); !s.ok()) return s;
  const double last = part.limits.max_seconds + std::numbers::sqrt3 * options.jitter_m / kSpeedOfSound;
  part.frames = static_cast<size_t>(std::ceil(last * options.sample_rate)) + kDelayTaps;
  return part;
}

}  // namespace

absl::Status Validate(const HybridOptions& o) {
  if (absl::Status s = audio::ValidateSampleRate(o.sample_rate); !s.ok()) return s;
  const auto in = [](double v, double low, double high) { return v >= low && v <= high; };
  const auto bad = [](const char* name, double v, const char* range) {
    return absl::InvalidArgumentError(absl::StrFormat("%s = %g is out of range %s", name, v, range));
  };
  if (!in(o.early_images, 10, 1e6)) return bad("early_images", o.early_images, "[10, 1e6]");
  if (!in(o.jitter_m, 0.0, 0.2)) return bad("jitter_m", o.jitter_m, "[0, 0.2]");
  if (!in(o.high_pass_hz, 0.0, 200.0)) return bad("high_pass_hz", o.high_pass_hz, "[0, 200]");
  if (!in(o.floor_db, 20.0, 120.0)) return bad("floor_db", o.floor_db, "[20, 120]");
  if (!in(o.max_seconds, 0.05, 20.0)) return bad("max_seconds", o.max_seconds, "[0.05, 20]");
  if (o.min_order < 0) return bad("min_order", o.min_order, "[0, 2^31)");
  return Validate(o.directivity, o.facing);
}

absl::StatusOr<audio::FoaClip> RenderImages(const Shoebox& room, Vec3 source_m, Vec3 listener_m,
                                            const ImageLimits& limits, int sample_rate, size_t frames) {
  if (absl::Status s = Validate(room, source_m, listener_m); !s.ok()) return s;
  if (absl::Status s = ValidateLimits(room, limits); !s.ok()) return s;
  if (absl::Status s = audio::ValidateSampleRate(sample_rate); !s.ok()) return s;
  if (frames > (size_t{1} << 26)) {
    return absl::InvalidArgumentError(absl::StrFormat("frames = %d is out of range [0, 2^26]", frames));
  }
  const std::array<AxisImages, 3> axes = ListAxes(room.size_m, source_m, listener_m, limits);
  const std::array<std::vector<double>, 3> reflection = Reflections(axes, room.absorption);
  if (frames == 0) {
    double farthest = 0.0;
    ForEachColumn(axes, limits, [&](size_t, size_t, size_t first, size_t last, double xy2) {
      for (const size_t end : {first, last - 1})
        farthest = std::max(farthest, xy2 + axes[2].offset_m[end] * axes[2].offset_m[end]);
    });
    frames = static_cast<size_t>(std::ceil(std::sqrt(farthest) / kSpeedOfSound * sample_rate)) + kDelayTaps / 2 + 1;
  }
  ArrivalBuffer buffer(kChannels, frames);
  ImageArrivals arrivals(axes[2], reflection[2], sample_rate, buffer);
  ForEachColumn(axes, limits, [&](size_t ix, size_t iy, size_t first, size_t last, double) {
    arrivals.AddColumn(axes[0].offset_m[ix], axes[1].offset_m[iy], reflection[0][ix] * reflection[1][iy], first, last);
  });
  arrivals.Flush();
  return ToClip(buffer, sample_rate);
}

absl::StatusOr<RoomResponse> RenderRoom(const BandedRoom& room, Vec3 source_m, Vec3 listener_m,
                                        const HybridOptions& options) {
  if (absl::Status s = Validate(room, source_m, listener_m); !s.ok()) return s;
  if (absl::Status s = Validate(options); !s.ok()) return s;
  const int rate = options.sample_rate;
  const Vec3 to_source = source_m - listener_m;
  const double distance = Norm(to_source), direct_seconds = distance / kSpeedOfSound;

  const LateEnergy late = LateEnergyOf(room, source_m, listener_m, options);
  const double end = std::max(std::min(late.end_seconds, options.max_seconds), direct_seconds + 0.01);
  RoomResponse response;
  response.direct_seconds = direct_seconds;
  response.foa = audio::MakeSilentClip(static_cast<size_t>(std::ceil(end * rate)) + kDelayTaps, rate);

  const absl::StatusOr<EarlyPart> part = EarlyPartOf(room, {source_m, listener_m}, options, end);
  if (!part.ok()) return part.status();
  if (options.min_order < kNoImages) {
    BandArrivals early(rate, std::min(response.foa.frames(), part->frames));
    AddEarlyImages(room, source_m, listener_m, part->limits, part->fade, options, early);
    if (absl::Status s = early.AddTo(response.foa); !s.ok()) return s;
  }
  const uint64_t late_key = Random(options.key).Fork("late field").Bits();
  if (absl::Status s = AddLateField(late.energies, part->fade, late_key, response.foa); !s.ok()) return s;
  if (options.high_pass_hz > 0.0) HighPass(options.high_pass_hz, response.foa);

  if (options.min_order > 0) {
    response.direct_to_reverberant_db = -std::numeric_limits<double>::infinity();
    return response;
  }
  const double cosine = -Dot(options.facing, 1.0 / distance * to_source);
  std::array<float, kBands> gains;
  for (int band = 0; band < kBands; ++band) {
    gains[band] = static_cast<float>(std::pow(10.0, -room.air_db_per_m[band] * distance / 20.0) / (kFourPi * distance) *
                                     DirectivityGain(options.directivity.omni_share[band], cosine));
  }
  absl::StatusOr<std::vector<float>> direct = BandArrival(rate, response.foa.frames(), direct_seconds * rate, gains);
  if (!direct.ok()) return direct.status();
  response.direct_to_reverberant_db = DirectToReverberantDb(response.foa.channel(audio::kW), *direct);
  return response;
}

absl::StatusOr<std::vector<audio::FoaClip>> RenderEarlyImages(const BandedRoom& room, std::span<const Placement> places,
                                                              const HybridOptions& options, size_t frames) {
  if (absl::Status s = Validate(options); !s.ok()) return s;
  const int rate = options.sample_rate;
  const size_t ringing = static_cast<size_t>(kRingSeconds * rate);
  const double end_seconds = static_cast<double>(frames - std::min<size_t>(frames, kDelayTaps)) / rate;
  std::vector<audio::FoaClip> clips;
  // The places differ in length only where their direct sound is what comes last.
  size_t prepared = 0;
  std::optional<BandArrivals> arrivals;
  for (const Placement& place : places) {
    if (absl::Status s = Validate(room, place.source_m, place.listener_m); !s.ok()) return s;
    const absl::StatusOr<EarlyPart> part = EarlyPartOf(room, place, options, end_seconds);
    if (!part.ok()) return part.status();
    const size_t own = std::min(frames, part->frames);
    if (!arrivals || own != prepared) arrivals.emplace(rate, prepared = own);
    AddEarlyImages(room, place.source_m, place.listener_m, part->limits, part->fade, options, *arrivals);
    audio::FoaClip& clip = clips.emplace_back(audio::MakeSilentClip(std::min(frames, own + ringing), rate));
    if (absl::Status s = arrivals->AddTo(clip); !s.ok()) return s;
  }
  return clips;
}

}  // namespace auricle::sim
