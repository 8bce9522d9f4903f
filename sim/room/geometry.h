// Vectors and directions in the axes of the whole project: right-handed, x front, y left, z up, metres.
#pragma once

#include <array>
#include <cmath>
#include <numbers>

namespace auricle::sim {

// Speed of sound, metres a second; as in the reference responses.
inline constexpr double kSpeedOfSound = 343.0;

struct Vec3 {
  double x = 0.0;
  double y = 0.0;
  double z = 0.0;

  friend Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
  friend Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
  friend Vec3 operator*(double s, Vec3 a) { return {s * a.x, s * a.y, s * a.z}; }
};

// Axis by axis, and their names in messages.
inline std::array<double, 3> Components(Vec3 v) { return {v.x, v.y, v.z}; }
inline constexpr std::array<char, 3> kAxes = {'x', 'y', 'z'};

inline double Dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline double Norm(Vec3 a) { return std::sqrt(Dot(a, a)); }
inline double Degrees(double radians) { return radians * (180.0 / std::numbers::pi); }
inline double Radians(double degrees) { return degrees * (std::numbers::pi / 180.0); }

// Degrees in (-180, 180]: 0 front, +90 left. 0 straight above and below.
inline double AzimuthDeg(Vec3 v) {
  if (v.x == 0.0 && v.y == 0.0) return 0.0;
  const double azimuth = Degrees(std::atan2(v.y, v.x));
  return azimuth <= -180.0 ? 180.0 : azimuth;
}
// Degrees in [-90, 90]: 0 horizon, +90 up.
inline double ElevationDeg(Vec3 v) { return Degrees(std::atan2(v.z, std::hypot(v.x, v.y))); }

inline Vec3 UnitVector(double azimuth_deg, double elevation_deg) {
  const double a = Radians(azimuth_deg), e = Radians(elevation_deg);
  return {std::cos(e) * std::cos(a), std::cos(e) * std::sin(a), std::sin(e)};
}

// Degrees in [0, 180] between two vectors, both not zero.
inline double AngleDeg(Vec3 a, Vec3 b) {
  const Vec3 cross = {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
  return Degrees(std::atan2(Norm(cross), Dot(a, b)));
}

// AmbiX gains W, Y, Z, X (ACN order, SN3D) of a plane wave from the unit direction: 1, y, z, x.
inline std::array<double, 4> FoaGains(Vec3 unit) { return {1.0, unit.y, unit.z, unit.x}; }

}  // namespace auricle::sim
