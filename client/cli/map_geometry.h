// The top view of a scene: where a direction and a distance land on paper. The listener is in the middle and faces up,
// so front is up and left is left (azimuth +90).
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "client/cli/drawing.h"

namespace auricle::client {

// Rings of equal distance, metres, innermost first; the last is the rim of the map. Three to five of them at round
// steps, the least that hold `farthest_m`.
inline std::vector<double> DistanceRings(double farthest_m) {
  const double wanted = std::clamp(std::isfinite(farthest_m) ? 1.06 * farthest_m : 0.0, 0.5, 100.0);
  for (const double step : {0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0}) {
    const int count = std::max(3, static_cast<int>(std::ceil(wanted / step)));
    if (count > 5) continue;
    std::vector<double> rings;
    for (int i = 1; i <= count; ++i) rings.push_back(i * step);
    return rings;
  }
  return {25, 50, 75, 100};
}

struct MapGeometry {
  Point centre;        // the listener
  double radius = 1;   // of the rim, in the units of `centre`
  double range_m = 1;  // distance at the rim; farther sources are drawn on it

  // Elevation does not matter from above: `distance_m` is shown as it is, not projected, so that the rings can be read.
  Point At(double azimuth_deg, double distance_m) const {
    const double azimuth = azimuth_deg * std::numbers::pi / 180;
    const double reach = std::clamp(distance_m / range_m, 0.0, 1.0) * radius;
    return {centre.x - reach * std::sin(azimuth), centre.y - reach * std::cos(azimuth)};
  }
};

}  // namespace auricle::client
