#include "sim/room/directivity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "sim/room/echogram.h"
#include "sim/room/fractional_delay.h"
#include "sim/room/response.h"

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;

double Energy(std::span<const float> x) {
  double sum = 0;
  for (float v : x) sum += static_cast<double>(v) * v;
  return sum;
}

TEST(Directivity, DiffuseEnergyIsTheMeanSquareOverTheSphere) {
  for (double a : {0.0, 0.25, 0.5, 0.8, 1.0}) {
    double sum = 0;
    constexpr int kSteps = 2000;  // equal areas: cos(theta) is uniform
    for (int i = 0; i < kSteps; ++i) sum += std::pow(DirectivityGain(a, (i + 0.5) / kSteps * 2 - 1), 2);
    EXPECT_NEAR(DiffuseEnergy(a), sum / kSteps, 1e-6);
  }
}

// Chu and Warnock: the higher the band the less is heard behind.
TEST(Directivity, TalkerGrowsNarrowerWithFrequency) {
  const auto talker = FindDirectivity("talker");
  ASSERT_TRUE(talker.ok());
  double last = 0.0;
  for (double a : talker->omni_share) {
    const double behind_db = 20 * std::log10(DirectivityGain(a, -1.0));
    EXPECT_LT(behind_db, last);
    EXPECT_NEAR(DirectivityGain(a, 1.0), 1.0, 1e-12);
    last = behind_db;
  }
  EXPECT_NEAR(20 * std::log10(DirectivityGain(talker->omni_share[3], -1.0)), -8.0, 1e-9);
}

TEST(Directivity, UnknownNamesAreRefusedWithTheListThereIs) {
  const auto status = FindDirectivity("trumpet").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"trumpet\" is none of omni, wide_cardioid, cardioid, talker"));
}

// Ground that takes everything leaves the direct sound, whose strength is the pattern's.
TEST(Directivity, DirectSoundFollowsThePattern) {
  const Vec3 listener = {0, 0, 50}, source = {2, 0, 50};
  GroundOptions options;
  options.air_db_per_m.fill(0.0);
  const double omni = Energy(RenderOverGround(source, listener, options)->foa.channel(0));
  options.directivity = *FindDirectivity("wide_cardioid");
  for (double off_axis : {0.0, 45.0, 90.0, 135.0, 180.0}) {
    options.facing = UnitVector(180.0 + off_axis, 0.0);  // the listener is at 180 degrees from the source
    const double want = 0.75 + 0.25 * std::cos(off_axis * std::numbers::pi / 180);
    EXPECT_NEAR(std::sqrt(Energy(RenderOverGround(source, listener, options)->foa.channel(0)) / omni), want, 1e-3);
  }
}

// A cardioid with its back to the listener: no direct sound, and all of what the wall in front of it sends back.
TEST(Directivity, AnImageFacesAsItsWallMirrorsIt) {
  BandedRoom room = {.size_m = {6, 5, 3}};
  // Only the wall at x = 6 reflects.
  room.absorption.fill({1, 1 - 0.64, 1, 1, 1, 1});
  const Vec3 source = {4, 2.5, 1.5}, listener = {2, 2.5, 1.5};
  const HybridOptions options = {
      .sample_rate = 16000, .high_pass_hz = 0, .directivity = *FindDirectivity("cardioid"), .facing = {1, 0, 0}};
  const auto response = RenderRoom(room, source, listener, options);
  ASSERT_TRUE(response.ok()) << response.status();
  // The image is at x = 8, 6 m from the listener, and faces him.
  ArrivalBuffer want(1, response->foa.frames());
  const double delay = 6.0 / 343.0 * 16000;
  const float gain = static_cast<float>(0.8 / (4 * std::numbers::pi * 6.0));
  AddArrivals({&delay, 1}, {&gain, 1}, want);
  // Before the late field begins.
  const size_t end = static_cast<size_t>(0.7 * TimeOfImages(room.Band(0), options.early_images) * 16000);
  ASSERT_GT(end, static_cast<size_t>(delay) + kDelayTaps);
  for (size_t i = 0; i < std::min(end, response->foa.frames()); ++i)
    EXPECT_NEAR(response->foa.channel(0)[i], want.channel(0)[i], 1e-7) << i;
}

TEST(Directivity, LateFieldHasTheEnergyThatTheSourceRadiates) {
  BandedRoom room;
  room.absorption.fill({0.2, 0.2, 0.2, 0.2, 0.2, 0.2});
  const auto tail = [&](std::string_view name, Vec3 facing) {
    const auto response = RenderRoom(room, {1, 1, 1}, {4, 3, 2},
                                     {.high_pass_hz = 0, .directivity = *FindDirectivity(name), .facing = facing});
    const size_t first = static_cast<size_t>(1.05 * TimeOfImages(room.Band(0), 1000) * 16000);
    return Energy(response->foa.channel(0).subspan(first, 3000));
  };
  const double omni = tail("omni", {1, 0, 0});
  // 1 / 3: the directivity index of a cardioid is 4.77 dB. The noise is the same, so the ratio is exact.
  EXPECT_NEAR(tail("cardioid", {1, 0, 0}) / omni, 1.0 / 3.0, 1e-3);
  EXPECT_NEAR(tail("cardioid", {0, 0, -1}) / omni, 1.0 / 3.0, 1e-3);
}

}  // namespace
}  // namespace auricle::sim
