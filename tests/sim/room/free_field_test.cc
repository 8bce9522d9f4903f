// Free field over ground.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <string>

#include "sim/room/fractional_delay.h"
#include "sim/room/materials.h"
#include "sim/room/response.h"

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;

constexpr double kFourPi = 4 * std::numbers::pi;

// Source 3 m away, both 1.5 m high: the reflection has travelled 3 sqrt(2) m and comes from 45 degrees below.
TEST(RenderOverGround, IsTheDirectSoundAndOneImage) {
  const Vec3 listener = {0, 0, 1.5}, source = {0, 3, 1.5};
  GroundOptions options = {.sample_rate = 24000};
  options.absorption.fill(0.36);
  options.air_db_per_m.fill(0.0);
  const auto response = RenderOverGround(source, listener, options);
  ASSERT_TRUE(response.ok()) << response.status();
  ArrivalBuffer want(4, response->foa.frames());
  const double far = 3 * std::numbers::sqrt2;
  const std::array<double, 2> delays = {3.0 / 343.0 * 24000, far / 343.0 * 24000};
  const float direct = static_cast<float>(1 / (kFourPi * 3)), image = static_cast<float>(0.8 / (kFourPi * far));
  const float half = static_cast<float>(std::numbers::sqrt2 / 2);
  const std::array<float, 8> gains = {direct, direct, 0.0f, 0.0f, image, half * image, -half * image, 0.0f};
  AddArrivals(delays, gains, want);
  for (int c = 0; c < 4; ++c) {
    for (size_t i = 0; i < response->foa.frames(); ++i)
      EXPECT_NEAR(response->foa.channel(c)[i], want.channel(c)[i], 1e-7);
  }
  EXPECT_NEAR(response->direct_seconds, 3.0 / 343.0, 1e-12);
  EXPECT_NEAR(response->direct_to_reverberant_db, 10 * std::log10(2 / 0.64), 0.05);
}

// At a band's centre only that band speaks: the transfer function there is that of the two paths in closed form.
TEST(RenderOverGround, EachOctaveHasItsGroundAndItsAir) {
  const int rate = 24000;
  const Vec3 listener = {0, 0, 1.6}, source = {9, -4, 0.7};
  const double near = Norm(source - listener), far = Norm(Vec3{9, -4, -0.7} - listener);
  for (const char* name : {"grass", "gravel", "asphalt", "snow"}) {
    const Material& ground = **FindMaterial(name);
    const GroundOptions options = {.sample_rate = rate, .absorption = ground.absorption};
    const auto response = RenderOverGround(source, listener, options);
    ASSERT_TRUE(response.ok());
    for (size_t band = 0; band < kBands; ++band) {
      const double step = 2 * std::numbers::pi * kBandCentreHz[band] / rate;
      std::complex<double> got = 0;
      for (size_t i = 0; i < response->foa.frames(); ++i)
        got += static_cast<double>(response->foa.channel(0)[i]) * std::polar(1.0, -step * static_cast<double>(i));
      const auto path = [&](double d, double reflection) {
        const double air = std::pow(10.0, -AirAttenuationDbPerMetre(kBandCentreHz[band]) * d / 20);
        return std::polar(air * reflection / (kFourPi * d), -step * d / 343.0 * rate);
      };
      const std::complex<double> want = path(near, 1.0) + path(far, std::sqrt(1 - ground.absorption[band]));
      EXPECT_NEAR(std::abs(got - want) * kFourPi * near, 0.0, 0.01) << name << " " << kBandCentreHz[band];
    }
  }
}

// A cardioid that faces the ground is side-on to the listener beside it, and its image looks up at him.
TEST(RenderOverGround, TheImageFacesAsTheGroundMirrorsIt) {
  const Vec3 listener = {0, 0, 1.5}, source = {0, 3, 1.5};
  GroundOptions options = {.sample_rate = 24000, .directivity = *FindDirectivity("cardioid"), .facing = {0, 0, -1}};
  options.absorption.fill(0.36);
  options.air_db_per_m.fill(0.0);
  const auto response = RenderOverGround(source, listener, options);
  ASSERT_TRUE(response.ok()) << response.status();
  ArrivalBuffer want(1, response->foa.frames());
  const double far = 3 * std::numbers::sqrt2;
  const std::array<double, 2> delays = {3.0 / 343.0 * 24000, far / 343.0 * 24000};
  const std::array<float, 2> gains = {static_cast<float>(0.5 / (kFourPi * 3)),
                                      static_cast<float>(0.8 * (0.5 + 0.5 / std::numbers::sqrt2) / (kFourPi * far))};
  AddArrivals(delays, gains, want);
  for (size_t i = 0; i < response->foa.frames(); ++i)
    EXPECT_NEAR(response->foa.channel(0)[i], want.channel(0)[i], 1e-7);
}

TEST(RenderOverGround, BadInputIsRefusedByNameAndRange) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto message = [](Vec3 source, Vec3 listener, const GroundOptions& options) {
    const auto response = RenderOverGround(source, listener, options);
    EXPECT_EQ(response.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(response.status().message());
  };
  const Vec3 up = {0, 0, 1.5}, there = {3, 0, 1.5};
  EXPECT_THAT(message({3, 0, 0.005}, up, {}), HasSubstr("source_m.z = 0.005: allowed is at least 0.01"));
  EXPECT_THAT(message(there, {0, 0, -1}, {}), HasSubstr("listener_m.z"));
  EXPECT_THAT(message({nan, 0, 1}, up, {}), HasSubstr("source_m.x"));
  EXPECT_THAT(message({0, 0, 1.505}, up, {}), HasSubstr("at least 0.01 m"));
  EXPECT_THAT(message(there, up, {.sample_rate = 1000}), HasSubstr("sample_rate"));
  for (double bad : {0.0, -0.5, 1.5, nan}) {
    GroundOptions options;
    options.absorption[4] = bad;
    EXPECT_THAT(message(there, up, options), HasSubstr("absorption[4]"));
  }
  GroundOptions options;
  options.air_db_per_m[0] = -1;
  EXPECT_THAT(message(there, up, options), HasSubstr("air_db_per_m[0]"));
  options = {};
  options.directivity.omni_share[0] = -0.1;
  EXPECT_THAT(message(there, up, options), HasSubstr("directivity.omni_share[0]"));
  options = {};
  options.facing = {0, 0, 3};
  EXPECT_THAT(message(there, up, options), HasSubstr("facing"));
}

}  // namespace
}  // namespace auricle::sim
