// From a recording of the bank to what a source emits each time it sounds: an excerpt, varied, at the nominal level.
#pragma once

#include <span>
#include <vector>

#include "absl/status/statusor.h"

namespace auricle::sim {

// Frames within this of the loudest are active.
inline constexpr double kActiveRangeDb = 20.0;
inline constexpr double kLevelFrameSeconds = 0.02;

struct EventShape {
  double speed = 1.0;    // (0.5, 2)
  double tilt_db = 0.0;  // treble over bass
  double max_seconds = 60.0;
  double excerpt = 0.0;  // [0, 1]
};

// Mean square of each frame of kLevelFrameSeconds; the last frame may be partial and counts by its own length.
std::vector<double> FramePowers(std::span<const float> signal, int sample_rate);

// Applies, in this order: excerpt (moved forward to the first active frame when it would begin in a pause), speed,
// tilt, 5 ms fades at cut ends, and the nominal level (active RMS kDryRms). `recording` is as SourceBank::LoadDry gives
// it. INVALID_ARGUMENT: a shape out of range, or a silent recording.
absl::StatusOr<std::vector<float>> MakeEvent(std::span<const float> recording, int sample_rate,
                                             const EventShape& shape);

}  // namespace auricle::sim
