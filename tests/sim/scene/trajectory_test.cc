#include "sim/scene/trajectory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;

constexpr double kPi = std::numbers::pi;

Trajectory Line(Vec3 from, Vec3 to, double start, double speed, double ramp = 0.3) {
  return {.shape = PathShape::kLine,
          .points = {from, to},
          .start_seconds = start,
          .speed_m_per_s = speed,
          .ramp_seconds = ramp};
}

Trajectory Walk() {
  return {.shape = PathShape::kSpline,
          .points = {{1, 1, 1.5}, {3, 1.5, 1.2}, {3.5, 4, 1.8}, {0.7, 3.6, 1.5}, {1.5, 2.0, 1.0}},
          .start_seconds = 0.5,
          .speed_m_per_s = 1.4,
          .ramp_seconds = 0.4};
}

std::vector<Trajectory> OneOfEachShape() {
  const Trajectory arc = {.shape = PathShape::kArc,
                          .points = {{4, 1, 1.2}, {2, 2, 0}},
                          .sweep_deg = -200,
                          .start_seconds = -0.3,
                          .speed_m_per_s = 2.0,
                          .ramp_seconds = 0.5};
  return {Line({0.5, 1, 1}, {4, 3, 2}, 0.7, 1.3), arc, Walk()};
}

TEST(Path, VelocityIsTheDerivativeOfPlaceAndNeverJumps) {
  for (const Trajectory& trajectory : OneOfEachShape()) {
    const Path path(trajectory);
    constexpr double kStep = 1e-4;
    // Half a cosine of ramp has pi / 2 times the mean acceleration at most; bends add speed squared over radius.
    const double most_change = kStep * (0.5 * kPi * trajectory.speed_m_per_s / trajectory.ramp_seconds + 40.0);
    for (double t = -1.0; t < 9.0; t += 0.00371) {
      const Motion now = path.At(t), next = path.At(t + kStep);
      const Vec3 moved = 1.0 / (2 * kStep) * (next.place_m - path.At(t - kStep).place_m);
      EXPECT_LT(Norm(moved - now.velocity), 2 * most_change) << t;
      EXPECT_LT(Norm(next.velocity - now.velocity), most_change) << t;
    }
  }
}

TEST(Path, KeepsTheStatedSpeedBetweenRampsAndRestsOutsideThem) {
  for (const Trajectory& trajectory : OneOfEachShape()) {
    const Path path(trajectory);
    const double start = trajectory.start_seconds, stop = path.stop_seconds(), ramp = trajectory.ramp_seconds;
    EXPECT_NEAR(stop - start, path.length_m() / trajectory.speed_m_per_s + ramp, 1e-9);
    constexpr double kStep = 0.001;
    double length = 0.0;
    for (double t = start; t < stop; t += kStep) {
      const double moved = Norm(path.At(t + kStep).place_m - path.At(t).place_m);
      length += moved;
      // The chord is shorter than the path by the bend within a millisecond only.
      if (t > start + ramp && t < stop - ramp - kStep) {
        EXPECT_NEAR(moved / kStep, trajectory.speed_m_per_s, 2e-4 * trajectory.speed_m_per_s) << t;
      }
    }
    EXPECT_NEAR(length, path.length_m(), 1e-4 * path.length_m());
    for (double t : {start - 1.0, start, stop, stop + 5.0}) EXPECT_EQ(Norm(path.At(t).velocity), 0.0);
    EXPECT_NEAR(Norm(path.At(start).place_m - trajectory.points.front()), 0.0, 1e-12);
  }
}

TEST(Path, LineEndsAtItsEndAndASplinePassesItsWaypoints) {
  const Path line(Line({0.5, 1, 1}, {4, 3, 2}, 0.7, 1.3));
  EXPECT_NEAR(Norm(line.At(100).place_m - Vec3{4, 3, 2}), 0.0, 1e-12);
  EXPECT_NEAR(line.length_m(), std::sqrt(3.5 * 3.5 + 4 + 1), 1e-12);
  const Path spline(Walk());
  for (Vec3 waypoint : Walk().points) {
    double nearest = 1e9;
    for (double t = 0.0; t < spline.stop_seconds() + 0.1; t += 0.001)
      nearest = std::min(nearest, Norm(spline.At(t).place_m - waypoint));
    EXPECT_LT(nearest, 0.001);
  }
  EXPECT_NEAR(Norm(spline.At(100).place_m - Walk().points.back()), 0.0, 1e-9);
}

TEST(Path, SplineOfEvenlySpacedCollinearPointsIsTheLine) {
  Trajectory straight = Line({0, 0, 1}, {6, 3, 1}, 0.0, 1.0);
  const Path line(straight);
  straight.shape = PathShape::kSpline;
  straight.points = {{0, 0, 1}, {2, 1, 1}, {4, 2, 1}, {6, 3, 1}};
  const Path spline(straight);
  for (double t = -1.0; t < 8.0; t += 0.01) EXPECT_NEAR(Norm(spline.At(t).place_m - line.At(t).place_m), 0.0, 1e-9);
}

TEST(Path, ArcKeepsItsRadiusAndHeightAndEndsAfterItsSweep) {
  const Trajectory arc = OneOfEachShape()[1];
  const Path path(arc);
  for (double t = -1.0; t < 9.0; t += 0.01) {
    const Vec3 spoke = path.At(t).place_m - arc.points[1];
    EXPECT_NEAR(std::hypot(spoke.x, spoke.y), std::sqrt(5.0), 1e-12);
    EXPECT_EQ(path.At(t).place_m.z, 1.2);
  }
  const Vec3 first = path.At(-1).place_m - arc.points[1], last = path.At(100).place_m - arc.points[1];
  EXPECT_NEAR(std::remainder(Degrees(std::atan2(last.y, last.x) - std::atan2(first.y, first.x)) + 200.0, 360.0), 0.0,
              1e-9);
}

TEST(Path, TooShortForItsSpeedTakesTwoRamps) {
  const Path path(Line({0, 0, 0}, {0.2, 0, 0}, 1.0, 20.0, 0.5));
  EXPECT_NEAR(path.stop_seconds(), 2.0, 1e-12);
  EXPECT_NEAR(path.At(1.5).velocity.x, 0.4, 1e-12);  // 0.2 m in two ramps of 0.5 s whose mean is half of the top
  EXPECT_NEAR(path.At(1.5).place_m.x, 0.1, 1e-12);
}

TEST(Yaw, TurnsAtItsSpeedAndComesToRest) {
  const Turn turn = {
      .from_deg = 10, .sweep_deg = -90, .start_seconds = 1, .speed_deg_per_s = 120, .ramp_seconds = 0.25};
  EXPECT_EQ(YawDeg(turn, 0.9), 10.0);
  EXPECT_NEAR(YawDeg(turn, 1.5), 10.0 - 120 * (0.5 - 0.125), 1e-12);
  EXPECT_NEAR((YawDeg(turn, 1.51) - YawDeg(turn, 1.49)) / 0.02, -120.0, 1e-9);
  EXPECT_NEAR(YawDeg(turn, 2.1), -80.0, 1e-12);
  EXPECT_TRUE(Turns(turn));
  EXPECT_FALSE(Turns({}));
}

// A source on the line x = v t, y = b, a listener at the origin: t - e = sqrt(v^2 e^2 + b^2) / c is quadratic in e.
TEST(EmissionSeconds, OfAConstantVelocityIsTheRootOfAQuadratic) {
  for (double v : {1.5, 30.0}) {
    const double b = 2.0, c = kSpeedOfSound;
    const Path source(Line({-60 * v, b, 1}, {60 * v, b, 1}, -60.5, v, 1.0));  // at x = 0 when t = 0
    const Path listener({.points = {{0, 0, 1}}});
    ASSERT_NEAR(source.At(0).place_m.x, 0.0, 1e-9);
    for (double t = -5.0; t < 5.0; t += 0.13) {
      const double square = 1 - v * v / (c * c);
      const double want = (t - std::sqrt(t * t - square * (t * t - b * b / (c * c)))) / square;
      EXPECT_NEAR(EmissionSeconds(source, listener, t), want, 1e-11);
      EXPECT_NEAR(ArrivalSeconds(source, listener, want), t, 1e-11);
    }
  }
}

// A listener that flees at v from a source at rest, v t ahead: arrival at t = e + (v t) / c.
TEST(EmissionSeconds, OfAMovingListenerIsThatOfItsPlaceAtArrival) {
  const double v = 10.0, c = kSpeedOfSound;
  const Path listener(Line({-600, 0, 1}, {600, 0, 1}, -60.5, v, 1.0));
  const Path source({.points = {{0, 0, 1}}});
  for (double t = 0.5; t < 10.0; t += 0.5) {
    EXPECT_NEAR(EmissionSeconds(source, listener, t), t * (1 - v / c), 1e-11);
    EXPECT_NEAR(ArrivalSeconds(source, listener, t * (1 - v / c)), t, 1e-11);
  }
}

TEST(Trajectory, EveryFieldOutOfRangeIsRefusedByName) {
  const double nan = std::nan(""), inf = INFINITY;
  struct Case {
    std::string words;
    std::function<void(Trajectory&)> spoil;
  };
  const std::vector<Case> cases = {
      {"source.points has 0 entries", [](auto& t) { t.points.clear(); }},
      {"source.points has 3 entries: allowed are 2 to 2",
       [](auto& t) {
         t.points.push_back({9, 9, 9});
       }},
      {"source.points[1].y", [&](auto& t) { t.points[1].y = nan; }},
      {"source.points[0].x = inf is out of range [-10000, 10000]", [&](auto& t) { t.points[0].x = inf; }},
      {"source.points[1] is 0.005 m from the one before",
       [](auto& t) {
         t.points[1] = t.points[0] + Vec3{0, 0.005, 0};
       }},
      {"source.start_seconds", [&](auto& t) { t.start_seconds = nan; }},
      {"source.speed_m_per_s = 30.5 is out of range (0, 30]", [](auto& t) { t.speed_m_per_s = 30.5; }},
      {"source.speed_m_per_s", [](auto& t) { t.speed_m_per_s = 0.0; }},
      {"source.speed_m_per_s", [&](auto& t) { t.speed_m_per_s = nan; }},
      {"source.ramp_seconds = 0 is out of range [0.05, 60]", [](auto& t) { t.ramp_seconds = 0; }},
      {"source.sweep_deg", [](auto& t) { t.shape = PathShape::kArc, t.sweep_deg = 4000; }},
      {"source.sweep_deg = 0", [](auto& t) { t.shape = PathShape::kArc; }},
      {"source.points[1]",
       [](auto& t) {
         t = {PathShape::kArc, {{1, 1, 1}, {1, 1, 2}}, 90};
       }},
  };
  for (const Case& c : cases) {
    Trajectory t = Line({0, 0, 1}, {3, 0, 1}, 0, 1);
    EXPECT_TRUE(Validate(t, "source").ok());
    c.spoil(t);
    const absl::Status status = Validate(t, "source");
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.words;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.words));
  }
  EXPECT_THAT(std::string(Validate(Turn{.speed_deg_per_s = 121}, "turn").message()),
              HasSubstr("turn.speed_deg_per_s = 121 is out of range (0, 120]"));
  EXPECT_THAT(std::string(Validate(Turn{.sweep_deg = nan}, "turn").message()), HasSubstr("turn.sweep_deg"));
}

TEST(ValidateInside, SeesAPathThatLeavesTheRoomBetweenItsWaypoints) {
  const Vec3 size = {5, 4, 3};
  // Both ends are inside; the spline swings out past y = 4 between the second and the third.
  const Path path({.shape = PathShape::kSpline,
                   .points = {{0.5, 0.5, 1}, {1.0, 3.95, 1}, {3.0, 3.95, 1}, {4.5, 0.5, 1}},
                   .speed_m_per_s = 2.0});
  const absl::Status status = ValidateInside(path, &size, 0, 60, "source");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("source is at y = "));
  EXPECT_THAT(std::string(status.message()), HasSubstr("out of range [0.01, 3.99]"));
  EXPECT_TRUE(ValidateInside(path, nullptr, 0, 60, "source").ok());
  // It has not got there yet.
  EXPECT_TRUE(ValidateInside(path, &size, 0, 1.0, "source").ok());
}

TEST(ValidateInside, DrawsTheLineOneCentimetreFromTheWall) {
  const Vec3 size = {5, 4, 3};
  EXPECT_TRUE(ValidateInside(Path(Line({0.02, 0.012, 1}, {4.98, 0.012, 1}, 0, 1)), &size, 0, 9, "source").ok());
  EXPECT_FALSE(ValidateInside(Path(Line({0.02, 0.008, 1}, {4.98, 0.008, 1}, 0, 1)), &size, 0, 9, "source").ok());
  EXPECT_FALSE(ValidateInside(Path({.points = {{1, 1, 2.995}}}), &size, 0, 9, "source").ok());
}

TEST(ValidateAboveGround, SeesAPathThatDipsIntoTheGround) {
  const Path path({.shape = PathShape::kSpline, .points = {{0, 0, 1}, {2, 0, 0.02}, {4, 0, 0.02}, {6, 0, 1}}});
  const absl::Status status = ValidateAboveGround(path, 0, 60, "source");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("source is at z = "));
  EXPECT_THAT(std::string(status.message()), HasSubstr("allowed is at least 0.01 over the ground"));
  EXPECT_TRUE(ValidateAboveGround(path, 0, 1.0, "source").ok());
  EXPECT_TRUE(ValidateAboveGround(Path(Line({0, 0, 0.011}, {50, 0, 0.011}, 0, 5)), 0, 9, "source").ok());
}

TEST(ValidateApart, SeesAFastSourceThatPassesWithinAHair) {
  const Path listener({.points = {{0, 0, 1}}});
  for (double gap : {0.002, 0.008}) {
    const absl::Status status =
        ValidateApart(Path(Line({-100, gap, 1}, {100, gap, 1}, 0, 30)), listener, 0, 10, "source");
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << gap;
    EXPECT_THAT(std::string(status.message()), HasSubstr("from the listener at 3.4"));
  }
  EXPECT_TRUE(ValidateApart(Path(Line({-100, 0.02, 1}, {100, 0.02, 1}, 0, 30)), listener, 0, 10, "source").ok());
}

}  // namespace
}  // namespace auricle::sim
