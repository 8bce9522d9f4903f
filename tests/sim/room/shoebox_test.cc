#include "sim/room/shoebox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "tests/sim/room/reference_rooms.h"

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(Shoebox, ReverberationTimesOfTheReferenceRoomsAreReproduced) {
  const auto rooms = ReferenceRooms();
  if (rooms.empty()) GTEST_SKIP() << "no shared/reference";
  for (const ReferenceRoom& r : rooms) {
    EXPECT_NEAR(Volume(r.room), r.json["volume_m3"].get<double>(), 1e-6);
    EXPECT_NEAR(Surface(r.room), r.json["surface_m2"].get<double>(), 1e-6);
    EXPECT_NEAR(MeanAbsorption(r.room), r.json["mean_absorption"].get<double>(), 1e-6);
    // The reference rounds 24 ln 10 / c to 0.161.
    EXPECT_NEAR(SabineSeconds(r.room) / r.json["rt60_sabine_s"].get<double>(), 1.0, 2e-3);
    EXPECT_NEAR(EyringSeconds(r.room) / r.json["rt60_eyring_s"].get<double>(), 1.0, 2e-3);
  }
}

TEST(Shoebox, AbsorptionForEyringInvertsEyring) {
  Shoebox room = {.size_m = {7.0, 4.0, 2.8}, .absorption = {}};
  for (double seconds : {0.1, 0.3, 1.0, 2.0}) {
    room.absorption.fill(AbsorptionForEyring(room.size_m, seconds));
    EXPECT_NEAR(EyringSeconds(room), seconds, 1e-9);
  }
}

TEST(Shoebox, EveryFieldOutOfRangeIsRefusedByName) {
  const Vec3 source = {1, 1, 1}, listener = {2, 2, 2};
  const auto message = [&](Shoebox room, Vec3 s, Vec3 l) { return std::string(Validate(room, s, l).message()); };
  EXPECT_TRUE(Validate(Shoebox{}, source, listener).ok());

  for (double bad : {0.5, 0.0, -3.0, 100.5, kNaN, std::numeric_limits<double>::infinity()}) {
    Shoebox room;
    room.size_m.x = bad;
    EXPECT_THAT(message(room, source, listener), HasSubstr("size_m.x"));
    room = {};
    room.size_m.y = bad;
    EXPECT_THAT(message(room, source, listener), HasSubstr("size_m.y"));
    room = {};
    room.size_m.z = bad;
    EXPECT_THAT(message(room, source, listener), HasSubstr("size_m.z"));
  }
  for (double bad : {0.0, -0.1, 1.01, kNaN}) {
    for (int wall = 0; wall < 6; ++wall) {
      Shoebox room;
      room.absorption[wall] = bad;
      EXPECT_THAT(message(room, source, listener),
                  HasSubstr(std::string("absorption.") + std::string(kWallNames[wall])));
    }
  }
  for (double bad : {0.005, -1.0, 5.995, kNaN}) {
    EXPECT_THAT(message({}, {bad, 1, 1}, listener), HasSubstr("source_m.x"));
    EXPECT_THAT(message({}, source, {bad, 1, 1}), HasSubstr("listener_m.x"));
  }
  EXPECT_THAT(message({}, {1, 4.995, 1}, listener), HasSubstr("source_m.y"));
  EXPECT_THAT(message({}, source, {1, 1, 2.995}), HasSubstr("listener_m.z"));
  EXPECT_THAT(message({}, {1, 1, 1}, {1, 1, 1.005}), HasSubstr("at least 0.01 m"));
  EXPECT_TRUE(Validate(Shoebox{}, {1, 1, 1}, {1, 1, 1.02}).ok());
}

TEST(Shoebox, FreeFieldRefusesPlacesThatAreNoPlaces) {
  EXPECT_TRUE(ValidateFreeField({10, 0, 1}, {0, 0, 1}).ok());
  EXPECT_THAT(std::string(ValidateFreeField({kNaN, 0, 1}, {0, 0, 1}).message()), HasSubstr("source_m.x"));
  EXPECT_THAT(std::string(ValidateFreeField({0, 0, 1}, {0, 1e6, 1}).message()), HasSubstr("listener_m.y"));
  EXPECT_THAT(std::string(ValidateFreeField({0, 0, 1}, {0, 0, 1}).message()), HasSubstr("at least 0.01 m"));
}

TEST(Geometry, AzimuthAndElevationFollowTheConvention) {
  EXPECT_DOUBLE_EQ(AzimuthDeg({1, 0, 0}), 0.0);
  EXPECT_DOUBLE_EQ(AzimuthDeg({0, 1, 0}), 90.0);
  EXPECT_DOUBLE_EQ(AzimuthDeg({-1, 0.0, 0}), 180.0);
  EXPECT_DOUBLE_EQ(AzimuthDeg({-1, -0.0, 0}), 180.0);  // never -180
  EXPECT_DOUBLE_EQ(AzimuthDeg({0, -2, 0}), -90.0);
  EXPECT_DOUBLE_EQ(ElevationDeg({0, 0, 1}), 90.0);
  EXPECT_DOUBLE_EQ(ElevationDeg({1, 0, -1}), -45.0);
  for (double azimuth : {-170.0, -90.0, 0.0, 30.0, 180.0}) {
    for (double elevation : {-60.0, 0.0, 45.0}) {
      const Vec3 u = UnitVector(azimuth, elevation);
      EXPECT_NEAR(AzimuthDeg(u), azimuth, 1e-9);
      EXPECT_NEAR(ElevationDeg(u), elevation, 1e-9);
      EXPECT_NEAR(AngleDeg(u, -1.0 * u), 180.0, 1e-6);
    }
  }
}

}  // namespace
}  // namespace auricle::sim
