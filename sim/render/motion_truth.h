// What the truth says of what moves: where it is heard, row by row, and what one would call its motion.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "auricle/v1/scene.pb.h"
#include "sim/scene/trajectory.h"

namespace auricle::sim {

// A source turns left or right where its azimuth goes this far, and comes or goes where its distance changes by this
// factor, from the first active row to the last...
inline constexpr double kMovingDegrees = 20.0, kMovingRatio = 1.4;
// ... where it hardly turns back: the change is this share of all ways it went ...
inline constexpr double kOneWayShare = 0.8;
// ... and where it is plainly one and not the other. Sideways and radial motion compare as azimuth in radians with the
// logarithm of distance: metres across with metres along.
inline constexpr double kPlainly = 1.5;
// A source within this of its first place, as it is heard, is static.
inline constexpr double kStaticDegrees = 5.0, kStaticRatio = 1.1;

// From listener to source in the listener's axes (turned by its yaw), metres, of what arrives at the middle of each row
// of the label grid: [rows].
std::vector<Vec3> ArrivalGeometry(const Path& source, const Path& listener, const Turn& turn, size_t rows);

// The kind by the rules above, from rows as ArrivalGeometry gives them; the last rows of both must be the same.
// MOVING_LEFT and MOVING_RIGHT only while the source stays within 60 degrees of the horizon: overhead there is neither.
// UNSPECIFIED for all that is neither plain nor static, and for a source without an active row: nobody is asked.
v1::MotionKind KindOfMotion(std::span<const Vec3> to_source, const std::vector<bool>& active);

}  // namespace auricle::sim
