// Draws when a source sounds.
#pragma once

#include <span>
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

// Two playings overlap where they share this much, or half of the shorter one.
inline constexpr double kOverlapSeconds = 0.3;
// Playings that follow each other are this far apart, or a twentieth of the scene if that is less.
inline constexpr double kApartSeconds = 0.15;

// Sees to it that playings of two different sources overlap: where none do, one source is moved, as a whole or, where
// it then does not fit, with its first playing alone. `timings` are those of two sources or more in one scene.
void MakeOverlap(double scene_seconds, std::span<Timing> timings, Random& random);

// Lets the sources sound one after the other, each with all of its playings, in any order. Where they do not fit, each
// keeps its first playing; where those do not fit either, the longest are cut to one length.
void MakeSuccessive(double scene_seconds, std::span<Timing> timings, Random& random);

}  // namespace auricle::sim
