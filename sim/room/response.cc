#include "sim/room/response.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "absl/strings/str_format.h"
#include "model/audio/fft.h"
#include "model/audio/resample.h"
#include "sim/room/fractional_delay.h"
#include "sim/room/high_pass.h"
#include "sim/room/late_field.h"
#include "sim/scene/random.h"

namespace auricle::sim {
namespace {

constexpr double kFourPi = 4.0 * std::numbers::pi;
constexpr int kChannels = audio::kFoaChannels;
// Images handed to the kernel at a time: small enough for the first-level cache.
constexpr size_t kBatch = 128;
// Step of the late field's energy envelope, seconds.
constexpr double kEnvelopeStep = 0.004;

// Collects arrivals and adds them to a buffer batch by batch.
class Batch {
 public:
  explicit Batch(ArrivalBuffer& buffer) : buffer_(buffer) {
    delays_.reserve(kBatch);
    gains_.reserve(kBatch * buffer.channels);
  }
  // The four gains of one band; call once for every band, then Next.
  void Gains(double gain, Vec3 unit) {
    for (double g : FoaGains(unit)) gains_.push_back(static_cast<float>(gain * g));
  }
  void Next(double delay) {
    delays_.push_back(delay);
    if (delays_.size() == kBatch) Flush();
  }
  void Flush() {
    AddArrivals(delays_, gains_, buffer_);
    delays_.clear();
    gains_.clear();
  }

 private:
  ArrivalBuffer& buffer_;
  std::vector<double> delays_;
  std::vector<float> gains_;
};

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
  const auto word = [](int o) { return static_cast<uint64_t>(o + (1 << 20)); };
  const uint64_t bits = Random(key ^ (word(ox) | word(oy) << 21 | word(oz) << 42)).Bits();
  const auto part = [&](int shift) {
    return (static_cast<double>((bits >> shift) & 0x1FFFFF) / 0x100000 - 1.0) * jitter;
  };
  return {part(0), part(21), part(42)};
}

absl::Status ValidateOptions(const HybridOptions& o) {
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
  return absl::OkStatus();
}

// Adds the late field of every band to its four channels, with weight sin over the cross-fade [fade_start, fade_end].
void AddLateField(const std::array<std::vector<double>, kBands>& envelopes, double fade_start, double fade_end,
                  uint64_t key, int sample_rate, ArrivalBuffer& buffer) {
  const size_t first = std::min(buffer.frames, static_cast<size_t>(fade_start * sample_rate));
  const size_t count = buffer.frames - first;
  const std::vector<float> noise = DiffuseNoise(key, count);
  std::vector<float> amplitude(count);
  for (int band = 0; band < kBands; ++band) {
    const std::vector<double>& energy = envelopes[band];
    const double steps_per_sample = 1.0 / (kEnvelopeStep * sample_rate);
    // Square roots on the grid, straight lines between: the envelope bends little within 4 ms.
    std::vector<float> grid(energy.size());
    for (size_t n = 0; n < energy.size(); ++n) grid[n] = static_cast<float>(std::sqrt(energy[n] / sample_rate));
    for (size_t i = 0; i < count; ++i) {
      const double at = static_cast<double>(first + i) * steps_per_sample;
      const size_t n = std::min(static_cast<size_t>(at), grid.size() - 2);
      const float part = static_cast<float>(at - static_cast<double>(n));
      amplitude[i] = grid[n] + part * (grid[n + 1] - grid[n]);
    }
    const size_t fade = std::min(count, static_cast<size_t>((fade_end - fade_start) * sample_rate));
    for (size_t i = 0; i < fade; ++i) {
      amplitude[i] *=
          static_cast<float>(std::sin(0.5 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(fade)));
    }
    for (int c = 0; c < kChannels; ++c) {
      float* out = buffer.whole_channel(band * kChannels + c) + buffer.lead + first;
      const float* in = noise.data() + c * count;
      for (size_t i = 0; i < count; ++i) out[i] += in[i] * amplitude[i];
    }
  }
}

// Sum over bands of each band's four channels through the band's filter: [4, frames].
absl::StatusOr<audio::FoaClip> SumBands(ArrivalBuffer& buffer, int sample_rate) {
  const size_t n_fft = audio::FastFftLength(buffer.stride + 256);  // 256: where the filters' ringing may wrap to
  const size_t bins = audio::FftBins(n_fft);
  absl::StatusOr<std::vector<audio::Complex>> spectra = audio::ForwardFft(buffer.samples, kBands * kChannels, n_fft);
  if (!spectra.ok()) return spectra.status();
  const std::vector<float> weights = BandWeights(n_fft, sample_rate);
  std::vector<audio::Complex> sum(kChannels * bins, audio::Complex(0.0f, 0.0f));
  for (int band = 0; band < kBands; ++band) {
    const float* weight = weights.data() + band * bins;
    for (int c = 0; c < kChannels; ++c) {
      const audio::Complex* in = spectra->data() + (band * kChannels + c) * bins;
      audio::Complex* out = sum.data() + c * bins;
      for (size_t k = 0; k < bins; ++k) out[k] += weight[k] * in[k];
    }
  }
  absl::StatusOr<std::vector<float>> signals = audio::InverseFft(sum, kChannels, n_fft);
  if (!signals.ok()) return signals.status();
  audio::FoaClip clip = audio::MakeSilentClip(buffer.frames, sample_rate);
  for (int c = 0; c < kChannels; ++c) {
    std::copy_n(signals->data() + c * n_fft + buffer.lead, buffer.frames, clip.channel(c).begin());
  }
  return clip;
}

// Energy of the direct sound over that of everything else in W.
double DirectToReverberantDb(std::span<const float> w, double distance, int sample_rate) {
  ArrivalBuffer direct(1, w.size());
  const double delay = distance / kSpeedOfSound * sample_rate;
  const float gain = static_cast<float>(1.0 / (kFourPi * distance));
  AddArrivals({&delay, 1}, {&gain, 1}, direct);
  double direct_energy = 0.0, rest_energy = 0.0;
  const std::span<const float> d = direct.channel(0);
  for (size_t i = 0; i < w.size(); ++i) {
    direct_energy += static_cast<double>(d[i]) * d[i];
    rest_energy += static_cast<double>(w[i] - d[i]) * (w[i] - d[i]);
  }
  return 10.0 * std::log10(direct_energy / std::max(rest_energy, 1e-30));
}

}  // namespace

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
    double last = 0.0;
    ForEachImage(axes, limits, [&](size_t, size_t, size_t, double d2) { last = std::max(last, d2); });
    frames = static_cast<size_t>(std::ceil(std::sqrt(last) / kSpeedOfSound * sample_rate)) + kDelayTaps / 2 + 1;
  }
  ArrivalBuffer buffer(kChannels, frames);
  Batch batch(buffer);
  ForEachImage(axes, limits, [&](size_t ix, size_t iy, size_t iz, double d2) {
    const double distance = std::sqrt(d2);
    const double nearness = 1.0 / distance;
    const Vec3 unit = nearness * Vec3{axes[0].offset_m[ix], axes[1].offset_m[iy], axes[2].offset_m[iz]};
    batch.Gains(reflection[0][ix] * reflection[1][iy] * reflection[2][iz] * nearness / kFourPi, unit);
    batch.Next(distance / kSpeedOfSound * sample_rate);
  });
  batch.Flush();
  return ToClip(buffer, sample_rate);
}

absl::StatusOr<RoomResponse> RenderRoom(const BandedRoom& room, Vec3 source_m, Vec3 listener_m,
                                        const HybridOptions& options) {
  if (absl::Status s = Validate(room, source_m, listener_m); !s.ok()) return s;
  if (absl::Status s = ValidateOptions(options); !s.ok()) return s;
  const int rate = options.sample_rate;
  const double distance = Norm(source_m - listener_m);
  const double mixing = TimeOfImages(room.Band(0), options.early_images);
  const double fade_start = 0.75 * mixing;

  // Energy envelopes, and from them the length.
  std::array<std::vector<double>, kBands> envelopes;
  const size_t steps = static_cast<size_t>(options.max_seconds / kEnvelopeStep) + 2;
  double end = 0.0;
  for (int band = 0; band < kBands; ++band) {
    envelopes[band] = EnergyEnvelope(room.Band(band), kEnvelopeStep, steps);
    double total = 0.0, left = 0.0;
    for (size_t n = 0; n < steps; ++n) {
      const double air = room.air_db_per_m[band] * kSpeedOfSound * kEnvelopeStep * static_cast<double>(n);
      total += envelopes[band][n] *= std::pow(10.0, -air / 10.0);
    }
    size_t n = steps;
    while (n > 1 && left + envelopes[band][n - 1] < total * std::pow(10.0, -options.floor_db / 10.0))
      left += envelopes[band][--n];
    end = std::max(end, static_cast<double>(n) * kEnvelopeStep);
  }
  end = std::max(std::min(end, options.max_seconds), distance / kSpeedOfSound + 0.01);
  const size_t frames = static_cast<size_t>(std::ceil(end * rate)) + kDelayTaps;

  const ImageLimits limits = {.max_seconds = std::max(std::min(mixing, end), distance / kSpeedOfSound * 1.0001)};
  if (absl::Status s = ValidateLimits(room.Band(0), limits); !s.ok()) return s;
  const std::array<AxisImages, 3> axes = ListAxes(room.size_m, source_m, listener_m, limits);
  std::array<std::array<std::vector<double>, 3>, kBands> reflection;
  std::array<double, kBands> air_nepers;  // amplitude, a metre
  for (int band = 0; band < kBands; ++band) {
    reflection[band] = Reflections(axes, room.absorption[band]);
    air_nepers[band] = room.air_db_per_m[band] * std::numbers::ln10 / 20.0;
  }

  ArrivalBuffer buffer(kBands * kChannels, frames);
  Batch batch(buffer);
  const double jitter = options.jitter_m;
  ForEachImage(axes, limits, [&](size_t ix, size_t iy, size_t iz, double d2) {
    const int ox = axes[0].order[ix], oy = axes[1].order[iy], oz = axes[2].order[iz];
    const int order = std::abs(ox) + std::abs(oy) + std::abs(oz);
    if (order < options.min_order) return;
    Vec3 place = {axes[0].offset_m[ix], axes[1].offset_m[iy], axes[2].offset_m[iz]};
    double d = std::sqrt(d2);
    if (order >= 2 && jitter > 0.0) {
      place = place + Jitter(options.key, ox, oy, oz, jitter);
      d = std::max(Norm(place), 0.5 * d);
    }
    const double seconds = d / kSpeedOfSound;
    double weight = 1.0 / (kFourPi * d);
    if (order > 0 && seconds > fade_start) {
      const double part = std::min(1.0, (seconds - fade_start) / (mixing - fade_start));
      weight *= std::cos(0.5 * std::numbers::pi * part);
    }
    const Vec3 unit = 1.0 / d * place;
    for (int band = 0; band < kBands; ++band) {
      const auto& r = reflection[band];
      batch.Gains(weight * r[0][ix] * r[1][iy] * r[2][iz] * std::exp(-air_nepers[band] * d), unit);
    }
    batch.Next(seconds * rate);
  });
  batch.Flush();
  AddLateField(envelopes, fade_start, mixing, Random(options.key).Fork("late field").Bits(), rate, buffer);

  RoomResponse response;
  absl::StatusOr<audio::FoaClip> foa = SumBands(buffer, rate);
  if (!foa.ok()) return foa.status();
  response.foa = *std::move(foa);
  if (options.high_pass_hz > 0.0) {
    for (int c = 0; c < kChannels; ++c) HighPass(options.high_pass_hz, rate, response.foa.channel(c));
  }
  response.direct_to_reverberant_db = options.min_order > 0
                                          ? -std::numeric_limits<double>::infinity()
                                          : DirectToReverberantDb(response.foa.channel(audio::kW), distance, rate);
  response.direct_seconds = distance / kSpeedOfSound;
  return response;
}

absl::StatusOr<RoomResponse> RenderFreeField(Vec3 source_m, Vec3 listener_m, int sample_rate) {
  if (absl::Status s = ValidateFreeField(source_m, listener_m); !s.ok()) return s;
  if (absl::Status s = audio::ValidateSampleRate(sample_rate); !s.ok()) return s;
  const Vec3 to_source = source_m - listener_m;
  const double distance = Norm(to_source);
  const double delay = distance / kSpeedOfSound * sample_rate;
  ArrivalBuffer buffer(kChannels, static_cast<size_t>(std::ceil(delay)) + kDelayTaps / 2 + 1);
  Batch batch(buffer);
  batch.Gains(1.0 / (kFourPi * distance), 1.0 / distance * to_source);
  batch.Next(delay);
  batch.Flush();
  return RoomResponse{.foa = ToClip(buffer, sample_rate), .direct_seconds = distance / kSpeedOfSound};
}

}  // namespace auricle::sim
