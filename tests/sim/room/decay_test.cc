#include "sim/room/decay.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "sim/scene/random.h"

namespace auricle::sim {
namespace {

// Gaussian noise whose energy falls by 60 dB in `seconds`.
std::vector<float> DecayingNoise(double seconds, int rate, double length, uint64_t key) {
  std::vector<float> x(static_cast<size_t>(length * rate));
  FillNoise(key, x);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] *= static_cast<float>(std::pow(10.0, -3.0 * static_cast<double>(i) / rate / seconds));
  return x;
}

TEST(Decay, T30OfExponentialNoiseIsItsTimeConstant) {
  for (double seconds : {0.15, 0.4, 1.0, 2.5}) {
    const auto x = DecayingNoise(seconds, 16000, 1.2 * seconds, 9);
    const auto t30 = T30(x, 16000);
    ASSERT_TRUE(t30.ok());
    EXPECT_NEAR(*t30 / seconds, 1.0, 0.03);
    const auto edt = EarlyDecayTime(x, 16000);
    ASSERT_TRUE(edt.ok());
    EXPECT_NEAR(*edt / seconds, 1.0, 0.1);
  }
}

// A pure exponential has a closed form: E(n) = r^2n, so the decay is a straight line of 60 dB / T.
TEST(Decay, OfAPureExponentialIsTheStraightLine) {
  const int rate = 8000;
  std::vector<float> x(8000);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(std::pow(10.0, -3.0 * static_cast<double>(i) / rate / 0.5));
  const auto decay = EnergyDecayDb(x);
  ASSERT_EQ(decay.size(), x.size());
  EXPECT_DOUBLE_EQ(decay[0], 0.0);
  for (size_t i = 0; i < 3200; i += 100) EXPECT_NEAR(decay[i], -60.0 * static_cast<double>(i) / rate / 0.5, 0.01);
  EXPECT_NEAR(*T30(x, rate), 0.5, 1e-4);
}

TEST(Decay, OctavesOfTwoNoisesOneHighOneLowHaveTheirOwnTimes) {
  const int rate = 16000;
  // Low: below 500 Hz by a first-order low-pass cascade; high: the first difference, twice.
  auto low = DecayingNoise(1.0, rate, 1.2, 1), high = DecayingNoise(0.3, rate, 1.2, 2);
  for (int pass = 0; pass < 6; ++pass) {
    float state = 0;
    for (float& v : low) v = state += 0.06f * (v - state);
    float last = 0;
    for (float& v : high) {
      const float now = v;
      v = now - last;
      last = now;
    }
  }
  std::vector<float> sum(low.size());
  for (size_t i = 0; i < sum.size(); ++i) sum[i] = low[i] * 30.0f + high[i] * 0.1f;
  const std::vector<double> centres = {125, 4000};
  const auto times = OctaveT30(sum, rate, centres);
  ASSERT_TRUE(times.ok());
  EXPECT_NEAR((*times)[0], 1.0, 0.15);
  EXPECT_NEAR((*times)[1], 0.3, 0.03);
}

TEST(Decay, SilenceAndShortDecaysAreRefused) {
  EXPECT_TRUE(EnergyDecayDb({}).empty());
  const std::vector<float> silence(100, 0.0f);
  EXPECT_TRUE(EnergyDecayDb(silence).empty());
  EXPECT_EQ(T30(silence, 16000).status().code(), absl::StatusCode::kFailedPrecondition);
  const std::vector<float> click = {1.0f};
  EXPECT_EQ(T30(click, 16000).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(DecaySeconds(click, 16000, -35, -5).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(DecaySeconds(click, 16000, 5, -5).status().code(), absl::StatusCode::kInvalidArgument);
  const std::vector<double> centre = {9000};
  EXPECT_EQ(OctaveT30(click, 16000, centre).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace auricle::sim
