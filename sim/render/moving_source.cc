#include "sim/render/moving_source.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <utility>
#include <vector>

#include "model/audio/resample.h"
#include "sim/render/band_signals.h"
#include "sim/render/convolution.h"
#include "sim/render/moving_path.h"
#include "sim/room/echogram.h"
#include "sim/room/high_pass.h"

namespace auricle::sim {
namespace {

constexpr int kWalls = 6;
// The way is measured, and cross-fades are drawn as straight lines, in steps of this.
constexpr double kWayStep = 0.004;
// Shorter ways than this are none.
constexpr double kLeastWay = 0.01;
// The part of the way, about its middle, over which one late field gives way to the other: the signals of a longer one
// would both have to be convolved for longer.
constexpr double kHandOver = 0.2;
// What is left of a sound 180 dB below full scale is silence.
constexpr float kSilence = 1e-9f;

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

// What a mirror across the axis makes of the way that the source faces.
PathColour MirroredColour(const PathColour& colour, int axis) {
  PathColour mirrored = colour;
  double& component = axis == 0 ? mirrored.facing.x : axis == 1 ? mirrored.facing.y : mirrored.facing.z;
  component = -component;
  return mirrored;
}

// Direct sound and first reflections.
absl::Status AddEarlyPaths(std::span<const float> signal, const BandedRoom& room, const SampledPath& source,
                           const SampledPath& listener, const HybridOptions& options, audio::FoaClip& out) {
  const absl::StatusOr<BandSignals> bands = SplitIntoBands(signal, options.sample_rate);
  if (!bands.ok()) return bands.status();
  const PathColour direct = {
      .air_db_per_m = room.air_db_per_m, .directivity = options.directivity, .facing = options.facing};
  AddColouredPath(*bands, direct, source, listener, {}, out);
  const double mixing_m = TimeOfImages(room.Band(0), options.early_images) * kSpeedOfSound;
  for (int wall = 0; wall < kWalls; ++wall) {
    const int axis = wall / 2;
    const double side = axis == 0 ? room.size_m.x : axis == 1 ? room.size_m.y : room.size_m.z;
    PathColour reflected = MirroredColour(direct, axis);
    for (int band = 0; band < kBands; ++band) reflected.reflection[band] = std::sqrt(1.0 - room.absorption[band][wall]);
    AddColouredPath(*bands, reflected, source.Mirrored(axis, wall % 2 == 0 ? 0.0 : side), listener,
                    {.from_m = 0.75 * mixing_m, .to_m = mixing_m}, out);
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

  // Root of the share of power that key `k` has after `m` metres.
  double Weight(int k, double m) const {
    if (keys == 1) return 1.0;
    return std::cos(0.5 * std::numbers::pi * std::min(1.0, std::abs(m / spacing_m - k)));
  }
  // Share that the late field of the way's end has after `m` metres; the one of its beginning has the rest.
  double LateShare(double m) const {
    if (keys == 1) return 0.0;
    return std::clamp(0.5 + (m / metres.back() - 0.5) / kHandOver, 0.0, 1.0);
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

// A stretch of the signal under weights that change along the way.
struct WeightedPart {
  size_t start = 0;            // its first frame
  std::vector<float> samples;  // empty where there is nothing to hear
};

// `weight` is asked for metres gone; what it gives is drawn as straight lines over a step. One stretch: from where it
// first has weight to where it has none any more.
template <typename Weight>
WeightedPart WeighAlong(std::span<const float> emitted, const Way& way, const Weight& weight) {
  WeightedPart part;
  for (size_t i = 0; i + 1 < way.metres.size(); ++i) {
    const float from = static_cast<float>(weight(way.metres[i])), to = static_cast<float>(weight(way.metres[i + 1]));
    // A cosine's zero is a rounding error away from 0.
    if (std::max(from, to) < 1e-6f) {
      if (!part.samples.empty()) break;
      continue;
    }
    const size_t at = way.sounding.first + i * way.step, end = std::min(way.sounding.last, at + way.step);
    if (part.samples.empty()) part.start = at;
    for (size_t n = at; n < end; ++n) {
      const float along = static_cast<float>(n - at) / static_cast<float>(way.step);
      part.samples.push_back(emitted[n] * (from + along * (to - from)));
    }
  }
  part.samples.resize(SoundingPart(part.samples).last);
  return part;
}

// Images of order two and more, and the late field.
absl::Status AddLaterParts(std::span<const float> signal, const BandedRoom& room, const SampledPath& source,
                           const SampledPath& listener, const HybridOptions& options, audio::FoaClip& out) {
  const int rate = options.sample_rate;
  const Way way = MeasureWay(signal, source, listener, rate);
  const auto place_of = [&](int k) {
    const double t = way.FrameOf(k) / rate;
    return Placement{source.At(t).place_m, listener.At(t).place_m};
  };
  std::vector<WeightedPart> signals;
  std::vector<audio::FoaClip> responses;

  HybridOptions late = options;
  late.min_order = kNoImages;
  size_t frames = 0;  // of a whole response
  for (int end = 0; end < std::min(way.keys, 2); ++end) {
    WeightedPart part =
        WeighAlong(signal, way, [&](double m) { return end == 0 ? 1.0 - way.LateShare(m) : way.LateShare(m); });
    const Placement place = place_of(end == 0 ? 0 : way.keys - 1);
    absl::StatusOr<RoomResponse> field = RenderRoom(room, place.source_m, place.listener_m, late);
    if (!field.ok()) return field.status();
    frames = std::max(frames, field->foa.frames());
    if (part.samples.empty()) continue;
    signals.push_back(std::move(part));
    responses.push_back(std::move(field->foa));
  }

  HybridOptions images = options;
  images.min_order = 2;
  std::vector<Placement> places;
  for (int k = 0; k < way.keys; ++k) {
    WeightedPart part = WeighAlong(signal, way, [&](double m) { return way.Weight(k, m); });
    if (part.samples.empty()) continue;
    signals.push_back(std::move(part));
    places.push_back(place_of(k));
  }
  absl::StatusOr<std::vector<audio::FoaClip>> early = RenderEarlyImages(room, places, images, frames);
  if (!early.ok()) return early.status();
  std::ranges::move(*early, std::back_inserter(responses));

  std::vector<FoaConvolution> parts;
  for (size_t i = 0; i < responses.size(); ++i)
    parts.push_back({.signal = signals[i].samples, .start = signals[i].start, .response = &responses[i]});
  absl::StatusOr<std::vector<float>> wet = ConvolveFoaSum(parts, signal.size());
  if (!wet.ok()) return wet.status();
  for (size_t i = 0; i < out.samples.size(); ++i) out.samples[i] += (*wet)[i];
  return absl::OkStatus();
}

// What there is to render: the paths at regular times, and silence to add to.
struct Staging {
  SampledPath source, listener;
  audio::FoaClip out;
};

// `room_size_m` null is free field.
absl::StatusOr<Staging> Stage(std::span<const float> emitted, const Vec3* room_size_m, const Path& source,
                              const Path& listener, int sample_rate) {
  if (emitted.empty()) return absl::InvalidArgumentError("emitted is empty: at least one frame");
  if (absl::Status s = audio::ValidateSampleRate(sample_rate); !s.ok()) return s;
  audio::FoaClip out = audio::MakeSilentClip(emitted.size(), sample_rate);
  const double seconds = out.seconds();
  if (absl::Status s = ValidateInside(source, room_size_m, 0.0, seconds, "source"); !s.ok()) return s;
  if (absl::Status s = ValidateInside(listener, room_size_m, 0.0, seconds, "listener"); !s.ok()) return s;
  if (absl::Status s = ValidateApart(source, listener, 0.0, seconds, "source"); !s.ok()) return s;
  return Staging{SampledPath(source, 0.0, seconds), SampledPath(listener, 0.0, seconds), std::move(out)};
}

}  // namespace

absl::StatusOr<audio::FoaClip> RenderMovingInRoom(std::span<const float> emitted, const BandedRoom& room,
                                                  const Path& source, const Path& listener,
                                                  const HybridOptions& options) {
  if (absl::Status s = Validate(room); !s.ok()) return s;
  if (absl::Status s = Validate(options); !s.ok()) return s;
  absl::StatusOr<Staging> stage = Stage(emitted, &room.size_m, source, listener, options.sample_rate);
  if (!stage.ok()) return stage.status();
  const Sounding sounding = SoundingPart(emitted);
  if (sounding.first == sounding.last) return std::move(stage->out);
  // The static response is high-passed; here the signal is, once for all paths and responses.
  std::vector<float> signal(emitted.begin(), emitted.end());
  HybridOptions unfiltered = options;
  if (options.high_pass_hz > 0.0) {
    HighPass(options.high_pass_hz, options.sample_rate, signal);
    unfiltered.high_pass_hz = 0.0;
    for (float& v : signal) v = std::abs(v) < kSilence ? 0.0f : v;  // it rings on for ever
  }
  for (const auto add : {AddEarlyPaths, AddLaterParts}) {
    if (absl::Status s = add(signal, room, stage->source, stage->listener, unfiltered, stage->out); !s.ok()) return s;
  }
  return std::move(stage->out);
}

absl::StatusOr<audio::FoaClip> RenderMovingOverGround(std::span<const float> emitted, const Path& source,
                                                      const Path& listener, const GroundOptions& options) {
  if (absl::Status s = Validate(options); !s.ok()) return s;
  absl::StatusOr<Staging> stage = Stage(emitted, nullptr, source, listener, options.sample_rate);
  if (!stage.ok()) return stage.status();
  const double seconds = stage->out.seconds();
  if (absl::Status s = ValidateAboveGround(source, 0.0, seconds, "source"); !s.ok()) return s;
  if (absl::Status s = ValidateAboveGround(listener, 0.0, seconds, "listener"); !s.ok()) return s;
  const absl::StatusOr<BandSignals> bands = SplitIntoBands(emitted, options.sample_rate);
  if (!bands.ok()) return bands.status();
  const PathColour direct = {
      .air_db_per_m = options.air_db_per_m, .directivity = options.directivity, .facing = options.facing};
  AddColouredPath(*bands, direct, stage->source, stage->listener, {}, stage->out);
  PathColour reflected = MirroredColour(direct, /*axis=*/2);
  for (size_t band = 0; band < kBands; ++band) reflected.reflection[band] = std::sqrt(1.0 - options.absorption[band]);
  AddColouredPath(*bands, reflected, stage->source.Mirrored(/*axis=*/2, 0.0), stage->listener, {}, stage->out);
  return std::move(stage->out);
}

absl::StatusOr<audio::FoaClip> RenderMovingInFreeField(std::span<const float> emitted, const Path& source,
                                                       const Path& listener, int sample_rate) {
  absl::StatusOr<Staging> stage = Stage(emitted, nullptr, source, listener, sample_rate);
  if (!stage.ok()) return stage.status();
  AddMovingPath(emitted, stage->source, stage->listener, {}, stage->out);
  return std::move(stage->out);
}

}  // namespace auricle::sim
