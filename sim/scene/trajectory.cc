#include "sim/scene/trajectory.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <numbers>
#include <string>

#include "absl/strings/str_format.h"
#include "sim/room/in_range.h"

namespace auricle::sim {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr size_t kMostPoints = 64;
// How finely the length of a spline is tabled; between knots it is integrated.
constexpr int kKnotsPerSpan = 16;
constexpr double kFreeFieldReachM = 1e4;
// Clearances are looked at until nothing larger than this can have passed between two looks.
constexpr double kFinestLookM = 0.001;

absl::Status CheckField(std::string_view name, const char* field, double value, double low, double high) {
  return CheckInRange(std::string(name) + "." + field, value, low, high);
}

absl::Status CheckSpeed(std::string_view name, const char* field, double value, double most) {
  if (value > 0.0 && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrFormat("%s.%s = %g is out of range (0, %g]", name, field, value, most));
}

// A moment at which `clearance`, which changes by at most `speed` a second, is below 0; NaN where there is none.
double FirstBelow(const std::function<double(double)>& clearance, double speed, double from, double to) {
  const double middle = 0.5 * (from + to), most_change = speed * 0.5 * (to - from);
  const double value = clearance(middle);
  if (!(value >= 0.0)) return middle;
  if (value >= most_change || most_change < kFinestLookM) return std::numeric_limits<double>::quiet_NaN();
  const double early = FirstBelow(clearance, speed, from, middle);
  return std::isnan(early) ? FirstBelow(clearance, speed, middle, to) : early;
}

}  // namespace

absl::Status Validate(const Trajectory& t, std::string_view name) {
  const bool spline = t.shape == PathShape::kSpline;
  const size_t least = t.shape == PathShape::kStill ? 1 : 2, most = spline ? kMostPoints : least;
  if (t.points.size() < least || t.points.size() > most) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s.points has %d entries: allowed are %d to %d", name, t.points.size(), least, most));
  }
  for (size_t i = 0; i < t.points.size(); ++i) {
    for (int axis = 0; axis < 3; ++axis) {
      const double value = Components(t.points[i])[axis];
      if (!(std::abs(value) <= kFreeFieldReachM)) {
        return absl::InvalidArgumentError(absl::StrFormat("%s.points[%d].%c = %g is out of range [%g, %g]", name, i,
                                                          kAxes[axis], value, -kFreeFieldReachM, kFreeFieldReachM));
      }
    }
    if (i == 0) continue;
    Vec3 step = t.points[i] - t.points[i - 1];
    if (t.shape == PathShape::kArc) step.z = 0.0;
    if (Norm(step) < kMotionClearanceM) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s.points[%d] is %g m from the one before: allowed is %g m or more", name, i, Norm(step),
                          kMotionClearanceM));
    }
  }
  if (t.shape == PathShape::kStill) return absl::OkStatus();
  if (t.shape == PathShape::kArc) {
    if (absl::Status s = CheckField(name, "sweep_deg", t.sweep_deg, -3600.0, 3600.0); !s.ok()) return s;
    if (t.sweep_deg == 0.0)
      return absl::InvalidArgumentError(absl::StrFormat("%s.sweep_deg = 0: an arc goes round", name));
  }
  if (absl::Status s = CheckField(name, "start_seconds", t.start_seconds, -3600.0, 3600.0); !s.ok()) return s;
  if (absl::Status s = CheckSpeed(name, "speed_m_per_s", t.speed_m_per_s, kMaxSpeed); !s.ok()) return s;
  return CheckField(name, "ramp_seconds", t.ramp_seconds, 0.05, 60.0);
}

absl::Status Validate(const Turn& turn, std::string_view name) {
  if (absl::Status s = CheckField(name, "from_deg", turn.from_deg, -3600.0, 3600.0); !s.ok()) return s;
  if (absl::Status s = CheckField(name, "sweep_deg", turn.sweep_deg, -3600.0, 3600.0); !s.ok()) return s;
  if (absl::Status s = CheckField(name, "start_seconds", turn.start_seconds, -3600.0, 3600.0); !s.ok()) return s;
  if (absl::Status s = CheckSpeed(name, "speed_deg_per_s", turn.speed_deg_per_s, kMaxTurnDegPerSecond); !s.ok())
    return s;
  return CheckField(name, "ramp_seconds", turn.ramp_seconds, 0.05, 60.0);
}

double YawDeg(const Turn& turn, double seconds) {
  const Travel travel(std::abs(turn.sweep_deg), turn.start_seconds, turn.speed_deg_per_s, turn.ramp_seconds);
  return turn.from_deg + std::copysign(travel.At(seconds).distance, turn.sweep_deg);
}

bool Turns(const Turn& turn) { return turn.from_deg != 0.0 || turn.sweep_deg != 0.0; }

// --- speed ---

Travel::Travel(double length, double start_seconds, double speed, double ramp_seconds)
    : length_(length), start_(start_seconds), ramp_(ramp_seconds) {
  if (!(length > 0.0)) return;
  // The two ramps together take speed * ramp of the way.
  speed_ = std::min(speed, length / ramp_seconds);
  duration_ = length / speed_ + ramp_seconds;
}

Travel::Progress Travel::At(double seconds) const {
  const double since = seconds - start_, left = duration_ - since;
  if (since <= 0.0) return {0.0, 0.0};
  if (left <= 0.0) return {length_, 0.0};
  const auto on_ramp = [&](double t) { return 0.5 * speed_ * (t - ramp_ / kPi * std::sin(kPi * t / ramp_)); };
  const auto speed_on_ramp = [&](double t) { return 0.5 * speed_ * (1.0 - std::cos(kPi * t / ramp_)); };
  if (since < ramp_) return {on_ramp(since), speed_on_ramp(since)};
  if (left < ramp_) return {length_ - on_ramp(left), speed_on_ramp(left)};
  return {speed_ * (since - 0.5 * ramp_), speed_};
}

// --- shapes ---

Path::Path(const Trajectory& trajectory) : trajectory_(trajectory) {
  const std::vector<Vec3>& points = trajectory_.points;
  switch (trajectory_.shape) {
    case PathShape::kStill:
      break;
    case PathShape::kLine:
      length_m_ = Norm(points[1] - points[0]);
      break;
    case PathShape::kArc: {
      const Vec3 spoke = points[0] - points[1];
      radius_m_ = std::hypot(spoke.x, spoke.y);
      from_rad_ = std::atan2(spoke.y, spoke.x);
      length_m_ = radius_m_ * std::abs(Radians(trajectory_.sweep_deg));
      break;
    }
    case PathShape::kSpline:
      PrepareSpline();
      length_m_ = lengths_.back();
      break;
  }
  travel_ = Travel(length_m_, trajectory_.start_seconds, trajectory_.speed_m_per_s, trajectory_.ramp_seconds);
}

Motion Path::At(double seconds) const {
  const std::vector<Vec3>& points = trajectory_.points;
  const Travel::Progress progress = travel_.At(seconds);
  switch (trajectory_.shape) {
    case PathShape::kStill:
      return {points[0], {}};
    case PathShape::kLine: {
      const Vec3 along = 1.0 / length_m_ * (points[1] - points[0]);
      return {points[0] + progress.distance * along, progress.speed * along};
    }
    case PathShape::kArc: {
      const double sign = trajectory_.sweep_deg > 0.0 ? 1.0 : -1.0;
      const double angle = from_rad_ + sign * progress.distance / radius_m_;
      const double c = std::cos(angle), s = std::sin(angle);
      return {{points[1].x + radius_m_ * c, points[1].y + radius_m_ * s, points[0].z},
              progress.speed * sign * Vec3{-s, c, 0.0}};
    }
    case PathShape::kSpline:
      return OnSpline(progress);
  }
  return {};
}

Vec3 Path::Cubic::Place(double u) const { return c0 + u * (c1 + u * (c2 + u * c3)); }
Vec3 Path::Cubic::Slope(double u) const { return c1 + u * (2.0 * c2 + (3.0 * u) * c3); }

// Gauss and Legendre with three nodes (Abramowitz and Stegun, 25.4.30).
double Path::Cubic::Length(double from, double to) const {
  const double middle = 0.5 * (from + to), half = 0.5 * (to - from), node = half * std::sqrt(0.6);
  return half * (5.0 * Norm(Slope(middle - node)) + 8.0 * Norm(Slope(middle)) + 5.0 * Norm(Slope(middle + node))) / 9.0;
}

// Catmull and Rom 1974 with knots a root of the distance apart: such a spline has no cusps and no loops within a span
// (Yuksel, Schaefer, Keyser 2011, "Parameterization and applications of Catmull-Rom curves", Computer-Aided Design 43).
// Past its ends the spline sees its first and last chord mirrored.
void Path::PrepareSpline() {
  const std::vector<Vec3>& points = trajectory_.points;
  const size_t n = points.size();
  const auto point = [&](size_t i) {  // counted from the one before the first
    if (i == 0) return 2.0 * points[0] - points[1];
    if (i == n + 1) return 2.0 * points[n - 1] - points[n - 2];
    return points[i - 1];
  };
  lengths_ = {0.0};
  for (size_t i = 0; i + 1 < n; ++i) {
    const Vec3 p0 = point(i), p1 = point(i + 1), p2 = point(i + 2), p3 = point(i + 3);
    const double before = std::sqrt(Norm(p1 - p0)), own = std::sqrt(Norm(p2 - p1)), after = std::sqrt(Norm(p3 - p2));
    // Slopes at the span's ends for u from 0 to 1 (Barry and Goldman 1988).
    const Vec3 m1 = own * (1.0 / before * (p1 - p0) - 1.0 / (before + own) * (p2 - p0) + 1.0 / own * (p2 - p1));
    const Vec3 m2 = own * (1.0 / own * (p2 - p1) - 1.0 / (own + after) * (p3 - p1) + 1.0 / after * (p3 - p2));
    const Vec3 chord = p2 - p1;
    spans_.push_back({p1, m1, 3.0 * chord - 2.0 * m1 - m2, m1 + m2 - 2.0 * chord});
    for (int k = 0; k < kKnotsPerSpan; ++k) {
      const double from = static_cast<double>(k) / kKnotsPerSpan, to = static_cast<double>(k + 1) / kKnotsPerSpan;
      lengths_.push_back(lengths_.back() + spans_.back().Length(from, to));
    }
  }
}

Motion Path::OnSpline(Travel::Progress progress) const {
  const auto above = std::upper_bound(lengths_.begin() + 1, lengths_.end() - 1, progress.distance);
  const size_t knot = static_cast<size_t>(above - lengths_.begin()) - 1;
  const Cubic& span = spans_[knot / kKnotsPerSpan];
  const double from = static_cast<double>(knot % kKnotsPerSpan) / kKnotsPerSpan;
  const double beyond = progress.distance - lengths_[knot];
  double u = from + beyond / (lengths_[knot + 1] - lengths_[knot]) / kKnotsPerSpan;
  for (int i = 0; i < 2; ++i) u -= (span.Length(from, u) - beyond) / Norm(span.Slope(u));
  const Vec3 slope = span.Slope(u);
  return {span.Place(u), progress.speed / Norm(slope) * slope};
}

// --- clearances ---

absl::Status ValidateInside(const Path& path, const Vec3* room_size_m, double from, double to, std::string_view name,
                            double margin_m) {
  std::array<double, 3> low, high;
  for (int axis = 0; axis < 3; ++axis) {
    low[axis] = room_size_m != nullptr ? margin_m : -kFreeFieldReachM;
    high[axis] = room_size_m != nullptr ? Components(*room_size_m)[axis] - margin_m : kFreeFieldReachM;
  }
  for (int axis = 0; axis < 3; ++axis) {
    const auto value = [&](double t) { return Components(path.At(t).place_m)[axis]; };
    const auto clearance = [&](double t) { return std::min(value(t) - low[axis], high[axis] - value(t)); };
    const double when = FirstBelow(clearance, path.top_speed(), from, to);
    if (std::isnan(when)) continue;
    return absl::InvalidArgumentError(absl::StrFormat("%s is at %c = %g at %.3f s: out of range [%g, %g]", name,
                                                      kAxes[axis], value(when), when, low[axis], high[axis]));
  }
  return absl::OkStatus();
}

absl::Status ValidateAboveGround(const Path& path, double from, double to, std::string_view name, double margin_m) {
  const auto height = [&](double t) { return path.At(t).place_m.z; };
  const double when = FirstBelow([&](double t) { return height(t) - margin_m; }, path.top_speed(), from, to);
  if (std::isnan(when)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrFormat("%s is at z = %g at %.3f s: allowed is at least %g over the ground",
                                                    name, height(when), when, margin_m));
}

absl::Status ValidateApart(const Path& source, const Path& listener, double from, double to, std::string_view name,
                           double margin_m) {
  const auto distance = [&](double t) { return Norm(source.At(t).place_m - listener.At(t).place_m); };
  const double when =
      FirstBelow([&](double t) { return distance(t) - margin_m; }, source.top_speed() + listener.top_speed(), from, to);
  if (std::isnan(when)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrFormat("%s is %g m from the listener at %.3f s: allowed is at least %g m",
                                                    name, distance(when), when, margin_m));
}

// --- travel of sound ---

double EmissionSeconds(const Path& source, const Path& listener, double arrival) {
  const Vec3 here = listener.At(arrival).place_m;
  const double guess = arrival - Norm(source.At(arrival).place_m - here) / kSpeedOfSound;
  return EmissionSeconds([&](double t) { return source.At(t); }, here, arrival, guess);
}

double ArrivalSeconds(const Path& source, const Path& listener, double emission) {
  // Seen backwards in time the listener is what emits: t = -s.
  const Vec3 there = source.At(emission).place_m;
  const auto mirrored = [&](double s) {
    const Motion m = listener.At(-s);
    return Motion{m.place_m, -1.0 * m.velocity};
  };
  const double guess = -emission - Norm(there - listener.At(emission).place_m) / kSpeedOfSound;
  return -EmissionSeconds(mirrored, there, -emission, guess);
}

}  // namespace auricle::sim
