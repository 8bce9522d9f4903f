// The rectangular room: its size, its walls, and who stands where in it.
#pragma once

#include <array>
#include <string_view>

#include "absl/status/status.h"
#include "sim/room/geometry.h"

namespace auricle::sim {

// Walls in the order x0, x1, y0, y1, z0, z1: x0 is the wall at x = 0, x1 the wall at x = size.x, ...
inline constexpr std::array<std::string_view, 6> kWallNames = {"x0", "x1", "y0", "y1", "z0", "z1"};

struct Shoebox {
  // Inner dimensions, metres, each in (0.5, 100]; the origin is the corner where x0, y0 and z0 meet.
  Vec3 size_m = {6.0, 5.0, 3.0};
  // Energy absorption of each wall, in (0, 1]; amplitude is reflected by sqrt(1 - absorption) without phase change.
  std::array<double, 6> absorption = {0.3, 0.3, 0.3, 0.3, 0.3, 0.3};
};

double Volume(const Shoebox& room);
double Surface(const Shoebox& room);
// Mean absorption, weighted by area.
double MeanAbsorption(const Shoebox& room);

// Reverberation times of statistical acoustics, seconds. Kuttruff, "Room Acoustics" (2009), section 5.1:
// Sabine 24 ln(10) V / (c S a), Eyring 24 ln(10) V / (-c S ln(1 - a)).
double SabineSeconds(const Shoebox& room);
double EyringSeconds(const Shoebox& room);
// The uniform absorption, in (0, 1), that gives `seconds` by Eyring's formula in a room of this size.
double AbsorptionForEyring(Vec3 size_m, double seconds);

// INVALID_ARGUMENT, naming field and range, when a value is out of range or not a number.
absl::Status Validate(const Shoebox& room);
// Also the places: source and listener at least 1 cm inside the walls and at least 1 cm from each other.
absl::Status Validate(const Shoebox& room, Vec3 source_m, Vec3 listener_m);
// The same for free field: finite, 1 cm apart.
absl::Status ValidateFreeField(Vec3 source_m, Vec3 listener_m);

}  // namespace auricle::sim
