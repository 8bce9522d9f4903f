#include "sim/render/moving_source.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>
#include <vector>

#include "model/audio/fft.h"
#include "model/audio/resample.h"
#include "sim/render/convolution.h"
#include "sim/render/moving_path.h"
#include "sim/room/echogram.h"
#include "sim/room/high_pass.h"

namespace auricle::sim {
namespace {

constexpr int kWalls = 6, kPaths = 1 + kWalls;
// The filters of bands.h are 100 dB down this long before and after.
constexpr double kBandFilterSeconds = 0.032;
// The way is measured, and cross-fades are drawn as straight lines, in steps of this.
constexpr double kWayStep = 0.004;
// Shorter ways than this are none.
constexpr double kLeastWay = 0.01;
// Kept of a response after its last image, for the bands' filters to end.
constexpr double kRinging = 0.01;
// The shortest response that RenderRoom makes, seconds.
constexpr double kLeastResponse = 0.05;
// What is left of a sound 180 dB below full scale is silence.
constexpr float kSilence = 1e-9f;

using BandGains = std::array<double, kBands>;

// Half-open, frames.
struct Sounding {
  size_t first = 0;
  size_t last = 0;
};

Sounding SoundingPart(std::span<const float> signal) {
  const auto sounds = [](float v) { return v != 0.0f; };
  const auto first = std::find_if(signal.begin(), signal.end(), sounds);
  const auto last = std::find_if(signal.rbegin(), signal.rend(), sounds).base();
  if (first == signal.end()) return {};
  return {static_cast<size_t>(first - signal.begin()), static_cast<size_t>(last - signal.begin())};
}

// `signal` through every one of `filters`, each the sum of bands with its gains: as many signals of the same length. By
// overlap and save; blocks that hold no sound are passed over.
absl::StatusOr<std::vector<std::vector<float>>> FilterByBands(std::span<const float> signal, int sample_rate,
                                                              std::span<const BandGains> filters) {
  const size_t reach = std::bit_ceil(static_cast<size_t>(kBandFilterSeconds * sample_rate));
  const size_t n_fft = 16 * reach, bins = audio::FftBins(n_fft), hop = n_fft - 2 * reach;
  std::vector<float> rows;
  std::vector<size_t> starts;  // of each row's output
  for (size_t at = 0; at < signal.size(); at += hop) {
    const size_t from = at < reach ? 0 : at - reach, to = std::min(signal.size(), at + hop + reach);
    const std::span<const float> in = signal.subspan(from, to - from);
    if (std::ranges::none_of(in, [](float v) { return v != 0.0f; })) continue;
    rows.resize(rows.size() + n_fft, 0.0f);
    std::ranges::copy(in, rows.end() - static_cast<ptrdiff_t>(n_fft) + static_cast<ptrdiff_t>(reach + from - at));
    starts.push_back(at);
  }
  std::vector<std::vector<float>> out(filters.size(), std::vector<float>(signal.size(), 0.0f));
  if (starts.empty()) return out;
  absl::StatusOr<std::vector<audio::Complex>> spectra = audio::ForwardFft(rows, starts.size(), n_fft);
  if (!spectra.ok()) return spectra.status();
  const std::vector<float> weights = BandWeights(n_fft, sample_rate);
  std::vector<float> gain(bins);
  std::vector<audio::Complex> products(spectra->size());
  for (size_t f = 0; f < filters.size(); ++f) {
    std::ranges::fill(gain, 0.0f);
    for (size_t band = 0; band < kBands; ++band) {
      const float of_band = static_cast<float>(filters[f][band]);
      for (size_t k = 0; k < bins; ++k) gain[k] += of_band * weights[band * bins + k];
    }
    for (size_t row = 0; row < starts.size(); ++row) {
      for (size_t k = 0; k < bins; ++k) products[row * bins + k] = gain[k] * (*spectra)[row * bins + k];
    }
    absl::StatusOr<std::vector<float>> pieces = audio::InverseFft(products, starts.size(), n_fft);
    if (!pieces.ok()) return pieces.status();
    for (size_t row = 0; row < starts.size(); ++row) {
      const size_t n = std::min(hop, signal.size() - starts[row]);
      std::copy_n(pieces->begin() + static_cast<ptrdiff_t>(row * n_fft + reach), n,
                  out[f].begin() + static_cast<ptrdiff_t>(starts[row]));
    }
  }
  return out;
}

// Mean distance over the sounding part.
double MeanDistance(const SampledPath& source, const SampledPath& listener, double from, double to) {
  constexpr int kLooks = 20;
  double sum = 0.0;
  for (int i = 0; i < kLooks; ++i) {
    const double t = from + (i + 0.5) / kLooks * (to - from);
    sum += Norm(source.At(t).place_m - listener.At(t).place_m);
  }
  return sum / kLooks;
}

// Direct sound and first reflections.
absl::Status AddEarlyPaths(std::span<const float> signal, const BandedRoom& room, const SampledPath& source,
                           const SampledPath& listener, const HybridOptions& options, audio::FoaClip& out) {
  const int rate = options.sample_rate;
  const Sounding sounding = SoundingPart(signal);
  std::vector<SampledPath> places = {source};
  for (int wall = 0; wall < kWalls; ++wall) {
    const int axis = wall / 2;
    const double side = axis == 0 ? room.size_m.x : axis == 1 ? room.size_m.y : room.size_m.z;
    places.push_back(source.Mirrored(axis, wall % 2 == 0 ? 0.0 : side));
  }
  std::array<BandGains, kPaths> gains;
  for (int path = 0; path < kPaths; ++path) {
    const double distance = MeanDistance(places[path], listener, static_cast<double>(sounding.first) / rate,
                                         static_cast<double>(sounding.last) / rate);
    for (int band = 0; band < kBands; ++band) {
      gains[path][band] = std::pow(10.0, -room.air_db_per_m[band] * distance / 20.0);
      if (path > 0) gains[path][band] *= std::sqrt(1.0 - room.absorption[band][path - 1]);
    }
  }
  absl::StatusOr<std::vector<std::vector<float>>> filtered = FilterByBands(signal, rate, gains);
  if (!filtered.ok()) return filtered.status();
  const double mixing_m = TimeOfImages(room.Band(0), options.early_images) * kSpeedOfSound;
  const DistanceFade late = {.from_m = 0.75 * mixing_m, .to_m = mixing_m};
  for (int path = 0; path < kPaths; ++path) {
    AddMovingPath((*filtered)[path], places[path], listener, path == 0 ? DistanceFade{} : late, out);
  }
  return absl::OkStatus();
}

// The way that source and listener go together while it sounds, cut into equal parts by key points.
struct Way {
  size_t step = 0;             // frames
  Sounding sounding;           // of the signal
  std::vector<double> metres;  // from the first sounding frame, at frames sounding.first + i * step
  int keys = 1;
  double spacing_m = 1.0;

  // Share of power's root that key `k` has after `m` metres.
  double Weight(int k, double m) const {
    if (keys == 1) return 1.0;
    return std::cos(0.5 * std::numbers::pi * std::min(1.0, std::abs(m / spacing_m - k)));
  }
  // Frame at which the way to key `k` has been gone.
  double FrameOf(int k) const {
    const double target = k * spacing_m;
    size_t i = 0;
    while (i + 2 < metres.size() && metres[i + 1] < target) ++i;
    const double piece = metres[i + 1] - metres[i];
    const double part = piece > 0.0 ? std::clamp((target - metres[i]) / piece, 0.0, 1.0) : 0.0;
    return static_cast<double>(sounding.first) + (static_cast<double>(i) + part) * static_cast<double>(step);
  }
};

Way MeasureWay(std::span<const float> emitted, const SampledPath& source, const SampledPath& listener, int rate) {
  Way way;
  way.step = std::max<size_t>(1, static_cast<size_t>(kWayStep * rate));
  way.sounding = SoundingPart(emitted);
  const size_t steps = (way.sounding.last - way.sounding.first + way.step - 1) / way.step;
  const auto time = [&](size_t i) { return static_cast<double>(way.sounding.first + i * way.step) / rate; };
  way.metres = {0.0};
  for (size_t i = 0; i < std::max<size_t>(1, steps); ++i) {
    way.metres.push_back(way.metres.back() + Norm(source.At(time(i + 1)).place_m - source.At(time(i)).place_m) +
                         Norm(listener.At(time(i + 1)).place_m - listener.At(time(i)).place_m));
  }
  const double total = way.metres.back();
  if (total < kLeastWay) return way;
  const double most_by_time = std::max(1.0, (time(steps) - time(0)) / kKeyPointSeconds);
  const double parts = std::min({std::ceil(total / kKeyPointMetres), std::ceil(most_by_time), kMostKeyPoints - 1.0});
  way.keys = 1 + static_cast<int>(parts);
  way.spacing_m = total / parts;
  return way;
}

// The part of the signal that key `k` hears, weighted; `start` becomes its first frame. Empty where it hears nothing.
std::vector<float> WeightedPart(std::span<const float> emitted, const Way& way, int k, size_t& start) {
  std::vector<float> part;
  for (size_t i = 0; i + 1 < way.metres.size(); ++i) {
    const float from = static_cast<float>(way.Weight(k, way.metres[i]));
    const float to = static_cast<float>(way.Weight(k, way.metres[i + 1]));
    // The cosine's zero is a rounding error away from 0.
    if (std::max(from, to) < 1e-6f) {
      if (!part.empty()) break;
      continue;
    }
    const size_t at = way.sounding.first + i * way.step, end = std::min(way.sounding.last, at + way.step);
    if (part.empty()) start = at;
    for (size_t n = at; n < end; ++n) {
      const float along = static_cast<float>(n - at) / static_cast<float>(way.step);
      part.push_back(emitted[n] * (from + along * (to - from)));
    }
  }
  const Sounding heard = SoundingPart(part);
  part.resize(heard.last);
  return part;
}

// Images of order two and more, and the late field.
absl::Status AddLaterParts(std::span<const float> signal, const BandedRoom& room, const SampledPath& source,
                           const SampledPath& listener, const HybridOptions& options, audio::FoaClip& out) {
  const int rate = options.sample_rate;
  const Way way = MeasureWay(signal, source, listener, rate);
  const auto place_of = [&](int k) {
    const double t = way.FrameOf(k) / rate;
    return std::pair{source.At(t).place_m, listener.At(t).place_m};
  };

  HybridOptions late = options;
  late.min_order = kNoImages;
  const auto [first_source, first_listener] = place_of(0);
  absl::StatusOr<RoomResponse> late_field = RenderRoom(room, first_source, first_listener, late);
  if (!late_field.ok()) return late_field.status();
  // The key points' responses end soon after the last image. They have the beginning of the same late field in them,
  // which is taken out again: what they differ in is cross-faded, what they share is not.
  HybridOptions images = options;
  images.min_order = 2;
  const double longest = Norm(room.size_m) / kSpeedOfSound + kRinging;
  images.max_seconds =
      std::min(options.max_seconds,
               std::max({kLeastResponse, longest, TimeOfImages(room.Band(0), options.early_images) + kRinging}));
  late.max_seconds = images.max_seconds;
  absl::StatusOr<RoomResponse> shared = RenderRoom(room, first_source, first_listener, late);
  if (!shared.ok()) return shared.status();

  std::vector<RoomResponse> responses;
  std::vector<std::vector<float>> signals;
  std::vector<size_t> starts;
  for (int k = 0; k < way.keys; ++k) {
    size_t start = 0;
    std::vector<float> part = WeightedPart(signal, way, k, start);
    if (part.empty()) continue;
    const auto [source_m, listener_m] = place_of(k);
    absl::StatusOr<RoomResponse> response = RenderRoom(room, source_m, listener_m, images);
    if (!response.ok()) return response.status();
    for (int c = 0; c < audio::kFoaChannels; ++c) {
      const std::span<float> own = response->foa.channel(c);
      const std::span<const float> common = shared->foa.channel(c);
      for (size_t i = 0; i < std::min(own.size(), common.size()); ++i) own[i] -= common[i];
    }
    responses.push_back(*std::move(response));
    signals.push_back(std::move(part));
    starts.push_back(start);
  }
  const std::span<const float> sounding = signal.subspan(way.sounding.first, way.sounding.last - way.sounding.first);
  std::vector<FoaConvolution> parts = {{.signal = sounding, .start = way.sounding.first, .response = &late_field->foa}};
  for (size_t i = 0; i < responses.size(); ++i)
    parts.push_back({.signal = signals[i], .start = starts[i], .response = &responses[i].foa});
  absl::StatusOr<std::vector<float>> wet = ConvolveFoaSum(parts, signal.size());
  if (!wet.ok()) return wet.status();
  for (size_t i = 0; i < out.samples.size(); ++i) out.samples[i] += (*wet)[i];
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<audio::FoaClip> RenderMovingSource(std::span<const float> emitted, const BandedRoom* room,
                                                  const Path& source, const Path& listener,
                                                  const HybridOptions& options) {
  if (emitted.empty()) return absl::InvalidArgumentError("emitted is empty: at least one frame");
  if (absl::Status s = audio::ValidateSampleRate(options.sample_rate); !s.ok()) return s;
  if (room != nullptr) {
    if (absl::Status s = Validate(*room); !s.ok()) return s;
  }
  audio::FoaClip out = audio::MakeSilentClip(emitted.size(), options.sample_rate);
  const double seconds = out.seconds();
  const Vec3* size = room != nullptr ? &room->size_m : nullptr;
  if (absl::Status s = ValidateInside(source, size, 0.0, seconds, "source"); !s.ok()) return s;
  if (absl::Status s = ValidateInside(listener, size, 0.0, seconds, "listener"); !s.ok()) return s;
  if (absl::Status s = ValidateApart(source, listener, 0.0, seconds, "source"); !s.ok()) return s;

  const Sounding sounding = SoundingPart(emitted);
  if (sounding.first == sounding.last) return out;
  const SampledPath source_places(source, 0.0, seconds), listener_places(listener, 0.0, seconds);
  if (room == nullptr) {
    AddMovingPath(emitted, source_places, listener_places, {}, out);
    return out;
  }
  // The static response is high-passed; here the signal is, once for all paths and responses.
  std::vector<float> signal(emitted.begin(), emitted.end());
  HybridOptions unfiltered = options;
  if (options.high_pass_hz > 0.0) {
    HighPass(options.high_pass_hz, options.sample_rate, signal);
    unfiltered.high_pass_hz = 0.0;
    for (float& v : signal) v = std::abs(v) < kSilence ? 0.0f : v;  // it rings on for ever
  }
  for (const auto add : {AddEarlyPaths, AddLaterParts}) {
    if (absl::Status s = add(signal, *room, source_places, listener_places, unfiltered, out); !s.ok()) return s;
  }
  return out;
}

}  // namespace auricle::sim
