// Draws when a source sounds.
#pragma once

#include <vector>

#include "sim/scene/random.h"

namespace auricle::sim {

struct Timing {
  double max_seconds = 0.0;    // of the recording that are played each time
  std::vector<double> onsets;  // ascending, at least max_seconds apart, every playing begins inside the scene
};

// For a recording of `recording_seconds` in a scene of `scene_seconds`: short events sound one to four times with gaps,
// middling ones once or twice, long ones as one excerpt, sometimes through the whole scene.
Timing DrawTiming(double recording_seconds, double scene_seconds, Random& random);

}  // namespace auricle::sim
