#include "sim/render/motion_truth.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

namespace auricle::sim {
namespace {

// Rows along a way given for s from 0 to 1, all active.
v1::MotionKind Kind(const std::function<Vec3(double)>& way, size_t rows = 40) {
  std::vector<Vec3> to_source;
  for (size_t row = 0; row < rows; ++row)
    to_source.push_back(way(static_cast<double>(row) / static_cast<double>(rows - 1)));
  return KindOfMotion(to_source, std::vector<bool>(rows, true));
}

// A circle of `metres` from one azimuth to another.
std::function<Vec3(double)> Circle(double from_deg, double to_deg, double metres = 2.0, double elevation_deg = 0.0) {
  return [=](double s) { return metres * UnitVector(from_deg + s * (to_deg - from_deg), elevation_deg); };
}

TEST(KindOfMotion, TurnsLeftWhereTheAzimuthGrowsByTwentyDegrees) {
  EXPECT_EQ(Kind(Circle(10, 35)), v1::MOTION_KIND_MOVING_LEFT);
  EXPECT_EQ(Kind(Circle(35, 10)), v1::MOTION_KIND_MOVING_RIGHT);
  EXPECT_EQ(Kind(Circle(170, 210)), v1::MOTION_KIND_MOVING_LEFT);  // through the back
  EXPECT_EQ(Kind(Circle(-170, -215)), v1::MOTION_KIND_MOVING_RIGHT);
  EXPECT_EQ(Kind(Circle(0, 300)), v1::MOTION_KIND_MOVING_LEFT);  // the long way round, as it went
  EXPECT_EQ(Kind(Circle(10, 29)), v1::MOTION_KIND_UNSPECIFIED);
  EXPECT_EQ(Kind(Circle(10, 80, 2.0, 70)), v1::MOTION_KIND_UNSPECIFIED);  // overhead
}

TEST(KindOfMotion, ComesAndGoesWhereTheDistanceChangesByTwoFifths) {
  const auto radial = [](double from, double to) {
    return [=](double s) { return (from + s * (to - from)) * UnitVector(60, 5); };
  };
  EXPECT_EQ(Kind(radial(1.0, 1.45)), v1::MOTION_KIND_RECEDING);
  EXPECT_EQ(Kind(radial(4.0, 2.5)), v1::MOTION_KIND_APPROACHING);
  EXPECT_EQ(Kind(radial(4.0, 3.0)), v1::MOTION_KIND_UNSPECIFIED);
  EXPECT_EQ(Kind(radial(4.0, 3.8)), v1::MOTION_KIND_STATIC);
}

TEST(KindOfMotion, OfWhatPassesByIsItsSide) {
  // A straight line past the front from left to right: nearer, then farther, by a factor of five.
  EXPECT_EQ(Kind([](double s) { return Vec3{2, 10 - 20 * s, 0}; }), v1::MOTION_KIND_MOVING_RIGHT);
  EXPECT_EQ(Kind([](double s) { return Vec3{-2, 10 - 20 * s, 0}; }), v1::MOTION_KIND_MOVING_LEFT);
}

TEST(KindOfMotion, AsksNobodyAboutWhatIsBothOrGoesToAndFro) {
  // Out and sideways as much.
  EXPECT_EQ(Kind([](double s) { return std::exp(s) * UnitVector(Degrees(s), 0); }), v1::MOTION_KIND_UNSPECIFIED);
  EXPECT_EQ(Kind([](double s) { return 2.0 * UnitVector(60 * std::sin(8 * s), 0); }), v1::MOTION_KIND_UNSPECIFIED);
  EXPECT_EQ(Kind([](double s) { return (2.0 + std::sin(8 * s)) * UnitVector(0, 0); }), v1::MOTION_KIND_UNSPECIFIED);
  EXPECT_EQ(Kind(Circle(10, 12)), v1::MOTION_KIND_STATIC);
}

TEST(KindOfMotion, LooksAtTheActiveRowsOnly) {
  std::vector<Vec3> to_source;
  for (int row = 0; row < 50; ++row) to_source.push_back(2.0 * UnitVector(3.0 * row, 0));
  std::vector<bool> active(50, false);
  EXPECT_EQ(KindOfMotion(to_source, active), v1::MOTION_KIND_UNSPECIFIED);
  active[10] = active[11] = true;
  EXPECT_EQ(KindOfMotion(to_source, active), v1::MOTION_KIND_STATIC);
  active[30] = true;  // 60 degrees later it sounds again
  EXPECT_EQ(KindOfMotion(to_source, active), v1::MOTION_KIND_MOVING_LEFT);
}

TEST(ArrivalGeometry, IsSeenFromTheTurnedListenerWhenTheSoundArrives) {
  const Path source({.shape = PathShape::kLine,
                     .points = {{-300, 10, 1}, {900, 10, 1}},
                     .start_seconds = -10.5,
                     .speed_m_per_s = 30.0,
                     .ramp_seconds = 1.0});
  const Path listener({.points = {{0, 0, 1}}});
  const Turn turn = {.from_deg = 30};
  const std::vector<Vec3> rows = ArrivalGeometry(source, listener, turn, 30);
  ASSERT_EQ(rows.size(), 30u);
  for (size_t row = 0; row < rows.size(); ++row) {
    const double t = (static_cast<double>(row) + 0.5) * 0.1;
    // The source was there a travel time ago.
    const Vec3 was = source.At(t - Norm(rows[row]) / kSpeedOfSound).place_m - Vec3{0, 0, 1};
    EXPECT_NEAR(Norm(was), Norm(rows[row]), 1e-9);
    EXPECT_NEAR(AzimuthDeg(was) - 30.0, AzimuthDeg(rows[row]), 1e-9);
  }
}

}  // namespace
}  // namespace auricle::sim
