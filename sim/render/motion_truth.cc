#include "sim/render/motion_truth.h"

#include <algorithm>
#include <cmath>

#include "sim/render/activity.h"

namespace auricle::sim {
namespace {

constexpr double kMostElevationDeg = 60.0;

// How one quantity changes from row to row.
struct Course {
  double change = 0.0;  // last minus first
  double way = 0.0;     // sum of all steps' sizes
  double low = 0.0, high = 0.0;

  void Step(double by) {
    change += by;
    way += std::abs(by);
    low = std::min(low, change);
    high = std::max(high, change);
  }
  bool OneWay() const { return std::abs(change) >= kOneWayShare * way; }
};

}  // namespace

std::vector<Vec3> ArrivalGeometry(const Path& source, const Path& listener, const Turn& turn, size_t rows) {
  std::vector<Vec3> geometry;
  geometry.reserve(rows);
  for (size_t row = 0; row < rows; ++row) {
    const double now = (static_cast<double>(row) + 0.5) * kRowSeconds;
    const Vec3 to_source = source.At(EmissionSeconds(source, listener, now)).place_m - listener.At(now).place_m;
    const double yaw = Radians(YawDeg(turn, now)), c = std::cos(yaw), s = std::sin(yaw);
    geometry.push_back({c * to_source.x + s * to_source.y, c * to_source.y - s * to_source.x, to_source.z});
  }
  return geometry;
}

v1::MotionKind KindOfMotion(std::span<const Vec3> to_source, const std::vector<bool>& active) {
  const auto first_active = std::ranges::find(active, true);
  if (first_active == active.end()) return v1::MOTION_KIND_UNSPECIFIED;
  const size_t first = static_cast<size_t>(first_active - active.begin());
  size_t last = first;
  for (size_t row = first; row < active.size(); ++row) last = active[row] ? row : last;

  Course azimuth, log_distance;  // radians; nepers
  double strays_deg = 0.0, highest_deg = std::abs(ElevationDeg(to_source[first]));
  for (size_t row = first + 1; row <= last; ++row) {
    const Vec3 before = to_source[row - 1], now = to_source[row];
    azimuth.Step(Radians(std::remainder(AzimuthDeg(now) - AzimuthDeg(before), 360.0)));
    log_distance.Step(std::log(Norm(now) / Norm(before)));
    strays_deg = std::max(strays_deg, AngleDeg(to_source[first], now));
    highest_deg = std::max(highest_deg, std::abs(ElevationDeg(now)));
  }
  if (strays_deg <= kStaticDegrees && std::max(log_distance.high, -log_distance.low) <= std::log(kStaticRatio)) {
    return v1::MOTION_KIND_STATIC;
  }
  if (std::abs(azimuth.change) >= Radians(kMovingDegrees) && azimuth.OneWay() && highest_deg <= kMostElevationDeg &&
      std::abs(azimuth.change) >= kPlainly * std::abs(log_distance.change)) {
    return azimuth.change > 0.0 ? v1::MOTION_KIND_MOVING_LEFT : v1::MOTION_KIND_MOVING_RIGHT;
  }
  // The angle that counts here is all that it went through: what passes by is not just coming.
  if (std::abs(log_distance.change) >= std::log(kMovingRatio) && log_distance.OneWay() &&
      std::abs(log_distance.change) >= kPlainly * (azimuth.high - azimuth.low)) {
    return log_distance.change < 0.0 ? v1::MOTION_KIND_APPROACHING : v1::MOTION_KIND_RECEDING;
  }
  return v1::MOTION_KIND_UNSPECIFIED;
}

}  // namespace auricle::sim
