#include "sim/scene/timing_sampler.h"

#include <algorithm>
#include <array>

namespace auricle::sim {
namespace {

constexpr double kShortSeconds = 1.5;
// A recording longer than this share of the scene is played as one excerpt.
constexpr double kLongShare = 0.6;
constexpr double kMinGap = 0.25, kMaxGap = 1.5;
// Left free at the end, for the sound to travel and be heard.
constexpr double kMargin = 0.1;

}  // namespace

Timing DrawTiming(double recording_seconds, double scene_seconds, Random& random) {
  Timing timing;
  if (recording_seconds > kLongShare * scene_seconds) {
    const double most = std::min(recording_seconds, scene_seconds);
    // One in five of those that can fills the scene.
    if (recording_seconds >= scene_seconds && random.Chance(0.2)) {
      timing.max_seconds = scene_seconds;
      timing.onsets = {0.0};
      return timing;
    }
    timing.max_seconds = random.Uniform(std::min(most, 0.25 * scene_seconds), most);
    timing.onsets = {random.Uniform(0.0, std::max(0.0, scene_seconds - kMargin - timing.max_seconds))};
    return timing;
  }
  timing.max_seconds = recording_seconds;
  const std::array<double, 4> few = {0.7, 0.3, 0.0, 0.0}, many = {0.4, 0.3, 0.2, 0.1};
  size_t times = 1 + random.Weighted(recording_seconds < kShortSeconds ? many : few);
  std::vector<double> gaps;
  for (size_t i = 0; i + 1 < times; ++i) gaps.push_back(random.Uniform(kMinGap, kMaxGap));
  double total = recording_seconds;
  size_t fitting = 1;
  while (fitting < times && total + gaps[fitting - 1] + recording_seconds <= scene_seconds - kMargin) {
    total += gaps[fitting - 1] + recording_seconds;
    ++fitting;
  }
  double at = random.Uniform(0.0, std::max(0.0, scene_seconds - kMargin - total));
  for (size_t i = 0; i < fitting; ++i) {
    timing.onsets.push_back(at);
    if (i + 1 < fitting) at += recording_seconds + gaps[i];
  }
  return timing;
}

}  // namespace auricle::sim
