#include "sim/scene/motion_sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "sim/scene/scene_sampler.h"

namespace auricle::sim {
namespace {

constexpr int kWays = 60;
// Ways of the full length are tried so often before shorter ones are.
constexpr int kFullWays = 15;
constexpr double kLeastMovingSeconds = 0.5;
constexpr double kMostClimbM = 0.4;
constexpr double kMostSweepDeg = 300.0;

Vec3 Ahead(double azimuth_deg) { return UnitVector(azimuth_deg, 0.0); }

double DrawSpeed(const v1::Range& range, double most, Random& random) {
  return random.LogUniform(std::min(range.min(), most), std::min(range.max(), most));
}

// How something goes, and how often. Lines to and fro are drawn for themselves: of ways in all directions few would
// lead plainly nearer or farther, and then left and right would be the better guess.
enum Going : size_t { kRadialLine, kLine, kArc, kSpline, kGoings };
constexpr std::array<double, kGoings> kGoingWeights = {0.4, 0.1, 0.3, 0.2};

// What walks or is carried, from `place` on for `length` metres, or less where the listener is in the way.
Trajectory DrawWalk(const MotionGround& ground, Going going, Vec3 listener, Vec3 place, double length, Random& random) {
  const double top = ground.room_size_m != nullptr ? ground.room_size_m->z - kWallClearanceM : kMaxFreeFieldHeightM;
  const auto climb = [&](double z) {
    return random.Uniform(std::max(kMinSourceHeightM, z - kMostClimbM), std::min(top, z + kMostClimbM));
  };
  Trajectory way;
  double heading = random.Uniform(-180.0, 180.0);
  if (going == kRadialLine) {
    const bool nearer = random.Chance(0.5);
    const Vec3 to_place = place - listener;
    heading = AzimuthDeg(to_place) + (nearer ? 180.0 : 0.0) + random.Uniform(-10.0, 10.0);
    if (nearer) {
      length = std::min(length, std::max(0.0, 0.95 * std::hypot(to_place.x, to_place.y) - ground.MinDistance()));
    }
  }
  switch (going) {
    case kRadialLine:
    case kLine: {
      way.shape = PathShape::kLine;
      Vec3 end = place + length * Ahead(heading);
      end.z = climb(place.z);
      way.points = {place, end};
      break;
    }
    case kArc: {
      way.shape = PathShape::kArc;
      const Vec3 centre = random.Chance(2.0 / 3.0) ? listener : place + random.Uniform(0.5, 2.0) * Ahead(heading);
      const double radius = std::max(std::hypot(centre.x - place.x, centre.y - place.y), 0.1);
      const double sweep = std::min(kMostSweepDeg, Degrees(length / radius));
      way.points = {place, centre};
      way.sweep_deg = random.Chance(0.5) ? sweep : -sweep;
      break;
    }
    default: {
      way.shape = PathShape::kSpline;
      way.points = {place};
      const int legs = static_cast<int>(random.Int(2, 4));
      // Outdoors a spline stays level: there is no wall that would keep it off the ground.
      const bool level = ground.room_size_m == nullptr;
      for (int i = 0; i < legs; ++i) {
        Vec3 next = way.points.back() + length / legs * Ahead(heading);
        if (!level) next.z = climb(place.z);
        way.points.push_back(next);
        heading += random.Uniform(-70.0, 70.0);
      }
      break;
    }
  }
  return way;
}

// What drives past: at the nearest place, give or take, at `when`.
Trajectory DrawDrive(const MotionGround& ground, Vec3 listener, Vec3 place, double when, double speed, Random& random) {
  const double across = AzimuthDeg(place - listener) + (random.Chance(0.5) ? 90.0 : -90.0);
  const Vec3 ahead = Ahead(across + random.Uniform(-20.0, 20.0));
  // Up to speed well before the scene, and on well after it.
  const double reach = ground.duration_seconds + 3.0, ramp = 1.0;
  return {.shape = PathShape::kLine,
          .points = {place - speed * reach * ahead, place + speed * reach * ahead},
          .start_seconds = when - reach - 0.5 * ramp,
          .speed_m_per_s = speed,
          .ramp_seconds = ramp};
}

bool KeepsClear(const MotionGround& ground, const Path& source, const Path& listener) {
  return ValidateInside(source, ground.room_size_m, 0.0, ground.duration_seconds, "source", kWallClearanceM).ok() &&
         ValidateApart(source, listener, 0.0, ground.duration_seconds, "source", ground.MinDistance()).ok();
}

}  // namespace

double MotionGround::MinDistance() const { return std::max(0.3, spec.distance_m().min()); }

std::optional<ListenerTrack> DrawListenerMotion(const MotionGround& ground, Vec3 listener_m,
                                                std::span<const Vec3> places, Random& random) {
  const double duration = ground.duration_seconds;
  ListenerTrack track;
  track.trajectory.points = {listener_m};
  const std::array<double, 3> weights = {0.4, 0.3, 0.3};
  enum : size_t { kTurnOnly, kWalkOnly };
  const size_t kind = random.Weighted(weights);
  if (kind != kWalkOnly) {
    const double sweep = random.Uniform(30.0, 150.0);
    track.turn = {.from_deg = 0.0,
                  .sweep_deg = random.Chance(0.5) ? sweep : -sweep,
                  .start_seconds = random.Uniform(0.0, 0.5 * duration),
                  .speed_deg_per_s = random.Uniform(20.0, kMaxTurnDegPerSecond),
                  .ramp_seconds = random.Uniform(0.2, 0.5)};
  }
  if (kind == kTurnOnly) return track;
  const double speed = DrawSpeed(ground.spec.speed_m_per_s(), kWalkersMaxSpeed, random);
  const double wanted = speed * random.Uniform(0.3, 0.6) * duration;
  const double start = random.Uniform(0.0, 0.4 * duration), ramp = random.Uniform(0.2, 0.5);
  for (int i = 0; i < kWays; ++i) {
    const double length = wanted * (i < kFullWays ? 1.0 : random.Uniform(0.2, 1.0));
    track.trajectory = {.shape = PathShape::kLine,
                        .points = {listener_m, listener_m + length * Ahead(random.Uniform(-180.0, 180.0))},
                        .start_seconds = start,
                        .speed_m_per_s = speed,
                        .ramp_seconds = ramp};
    if (!Validate(track.trajectory, "listener").ok()) continue;
    const Path walk(track.trajectory);
    const bool clear =
        ValidateInside(walk, ground.room_size_m, 0.0, duration, "listener", kWalkingClearanceM).ok() &&
        std::ranges::all_of(places, [&](Vec3 place) {
          return ValidateApart(Path({.points = {place}}), walk, 0.0, duration, "source", ground.MinDistance()).ok();
        });
    if (clear) return track;
  }
  return std::nullopt;
}

std::optional<Trajectory> DrawSourceMotion(const MotionGround& ground, const Path& listener, Vec3 place_m, double from,
                                           double to, Random& random) {
  const bool indoors = ground.room_size_m != nullptr;
  const double speed = DrawSpeed(ground.spec.speed_m_per_s(), indoors ? kWalkersMaxSpeed : kMaxSpeed, random);
  const double start = from + random.Uniform(0.0, 0.2) * (to - from), ramp = random.Uniform(0.2, 0.5);
  const double wanted = speed * std::max(kLeastMovingSeconds, to - start);
  Going going = static_cast<Going>(random.Weighted(kGoingWeights));
  for (int i = 0; i < kWays; ++i) {
    Trajectory way;
    if (speed > kWalkersMaxSpeed) {
      const double when = random.Uniform(from, to);
      way = DrawDrive(ground, listener.At(when).place_m, place_m, when, speed, random);
    } else {
      const double length = wanted * (i < kFullWays ? 1.0 : random.Uniform(0.2, 1.0));
      if (i >= kWays / 2) going = static_cast<Going>(random.Weighted(kGoingWeights));
      way = DrawWalk(ground, going, listener.At(from).place_m, place_m, length, random);
      way.start_seconds = start;
      way.speed_m_per_s = speed;
      way.ramp_seconds = ramp;
    }
    if (!Validate(way, "source").ok()) continue;
    if (KeepsClear(ground, Path(way), listener)) return way;
  }
  return std::nullopt;
}

}  // namespace auricle::sim
