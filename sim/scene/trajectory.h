// Where a source or a listener is at each time.
//
// A Trajectory is plain data, what a plan holds; a Path is the same made ready to be asked, a pure function of time.
// Along every shape the speed rises from rest and falls to rest as half a cosine, so that no velocity ever jumps: a
// jump of velocity is a jump of pitch. Shapes have continuous tangents for the same reason.
#pragma once

#include <cmath>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "sim/room/geometry.h"

namespace auricle::sim {

// Fastest source or listener, metres a second (108 km/h), and fastest turn of a head, degrees a second.
inline constexpr double kMaxSpeed = 30.0, kMaxTurnDegPerSecond = 120.0;
// Nothing is nearer than this to a wall, and no source nearer to the listener, metres; as for things at rest.
inline constexpr double kMotionClearanceM = 0.01;

enum class PathShape {
  kStill,   // one point
  kLine,    // two points: from, to
  kArc,     // two points: where it begins, and a point on the vertical axis about which it goes round
  kSpline,  // 2 to 64 waypoints, passed in order by a centripetal Catmull-Rom spline
};

struct Trajectory {
  PathShape shape = PathShape::kStill;
  // Metres, room coordinates. Neighbours on a line or a spline, and an arc's start and its axis, are at least 1 cm
  // apart.
  std::vector<Vec3> points;
  // Of an arc, degrees, [-3600, 3600] but not 0; positive is counterclockwise seen from above.
  double sweep_deg = 0.0;
  // When it sets off, seconds of the scene, [-3600, 3600]; negative: it is under way when the scene begins.
  double start_seconds = 0.0;
  // Between the ramps, (0, kMaxSpeed]. A path too short to get there has a lower speed, and two whole ramps.
  double speed_m_per_s = 1.0;
  // From rest to that speed, and back to rest at the end, [0.05, 60].
  double ramp_seconds = 0.3;
};

// The listener turning about the vertical axis: the azimuth in room coordinates that it faces. 0 faces +x.
struct Turn {
  double from_deg = 0.0;          // [-3600, 3600]
  double sweep_deg = 0.0;         // [-3600, 3600]; positive to the left
  double start_seconds = 0.0;     // [-3600, 3600]
  double speed_deg_per_s = 60.0;  // (0, kMaxTurnDegPerSecond]
  double ramp_seconds = 0.3;      // [0.05, 60]
};

struct ListenerTrack {
  Trajectory trajectory;
  Turn turn;
};

// INVALID_ARGUMENT: a value that is not a number or out of its range, or points that do not fit the shape; the message
// begins with `name` and the field.
absl::Status Validate(const Trajectory& trajectory, std::string_view name);
absl::Status Validate(const Turn& turn, std::string_view name);

// Degrees, not wrapped. `turn` must be valid.
double YawDeg(const Turn& turn, double seconds);
// Whether the yaw is ever another than 0.
bool Turns(const Turn& turn);

struct Motion {
  Vec3 place_m;
  Vec3 velocity;  // metres a second
};

// How far along something is: at rest until `start`, at rest from `stop` on.
class Travel {
 public:
  Travel() = default;
  // All but start > 0; length may be 0.
  Travel(double length, double start_seconds, double speed, double ramp_seconds);

  struct Progress {
    double distance;  // [0, length]
    double speed;
  };
  Progress At(double seconds) const;
  double top_speed() const { return speed_; }
  double stop_seconds() const { return start_ + duration_; }

 private:
  double length_ = 0.0, start_ = 0.0, speed_ = 0.0, ramp_ = 1.0, duration_ = 0.0;
};

// Immutable; concurrent reads are safe.
class Path {
 public:
  // `trajectory` must be valid.
  explicit Path(const Trajectory& trajectory);

  Motion At(double seconds) const;
  double length_m() const { return length_m_; }
  double stop_seconds() const { return travel_.stop_seconds(); }
  double top_speed() const { return travel_.top_speed(); }
  bool moves() const { return length_m_ > 0.0; }

 private:
  // One span of the spline, place = c0 + u c1 + u^2 c2 + u^3 c3 for u in [0, 1].
  struct Cubic {
    Vec3 c0, c1, c2, c3;
    Vec3 Place(double u) const;
    Vec3 Slope(double u) const;
    // Length between two parameters that lie near each other.
    double Length(double from, double to) const;
  };
  void PrepareSpline();
  Motion OnSpline(Travel::Progress progress) const;

  Trajectory trajectory_;
  Travel travel_;
  double length_m_ = 0.0;
  double radius_m_ = 0.0, from_rad_ = 0.0;  // arc
  std::vector<Cubic> spans_;
  std::vector<double> lengths_;  // from the start to evenly spaced knots of each span
};

// INVALID_ARGUMENT where the path comes nearer than `margin_m` to a wall of a room of this size (null: free field, 10
// km each way) or to the ground, z = 0, or two paths nearer than `margin_m` to each other, at any time in [from, to]
// seconds; the message names `name`, the time, the value and the range. Between the times that are looked at, the
// fastest speed bounds what can have happened: nothing passes unseen, to within a millimetre.
absl::Status ValidateInside(const Path& path, const Vec3* room_size_m, double from, double to, std::string_view name,
                            double margin_m = kMotionClearanceM);
absl::Status ValidateAboveGround(const Path& path, double from, double to, std::string_view name,
                                 double margin_m = kMotionClearanceM);
absl::Status ValidateApart(const Path& source, const Path& listener, double from, double to, std::string_view name,
                           double margin_m = kMotionClearanceM);

// When that was emitted which arrives at `listener_m` at `arrival` seconds: the time t with
// t + |place(t) - listener| / c = arrival, of which there is one below the speed of sound. `at` gives a Motion for a
// time. Newton's method from `guess`; far below a picosecond.
template <typename Place>
double EmissionSeconds(const Place& at, Vec3 listener_m, double arrival, double guess) {
  // A step from here leaves the square of it times half of an acceleration over c.
  constexpr double kNear = 1e-7;
  constexpr int kMostSteps = 50;
  double emission = guess;
  for (int i = 0; i < kMostSteps; ++i) {
    const Motion source = at(emission);
    const Vec3 to_source = source.place_m - listener_m;
    const double distance = Norm(to_source);
    const double late = emission + distance / kSpeedOfSound - arrival;
    const double towards = distance > 0.0 ? Dot(to_source, source.velocity) / distance : 0.0;
    emission -= late / (1.0 + towards / kSpeedOfSound);
    if (std::abs(late) < kNear) break;
  }
  return emission;
}
// The same for a path, from nothing known.
double EmissionSeconds(const Path& source, const Path& listener, double arrival);
// The other way round: when that arrives which was emitted at `emission` seconds.
double ArrivalSeconds(const Path& source, const Path& listener, double emission);

}  // namespace auricle::sim
