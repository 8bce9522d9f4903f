#include "sim/scene/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>
#include <vector>

namespace auricle::sim {
namespace {

TEST(Random, SameSeedIndexAndPurposeGiveTheSameStream) {
  Random a(7, 3, "room"), b(7, 3, "room");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.Bits(), b.Bits());
}

TEST(Random, AnyChangeOfSeedIndexOrPurposeGivesAnotherStream) {
  std::set<uint64_t> firsts;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    for (uint64_t index = 0; index < 20; ++index) {
      for (const char* purpose : {"room", "sources", "test/room", "train/room"}) {
        firsts.insert(Random(seed, index, purpose).Bits());
      }
    }
  }
  EXPECT_EQ(firsts.size(), 20u * 20u * 4u);
}

TEST(Random, ForkDoesNotDependOnHowManyNumbersWereDrawn) {
  Random a(1, 2, "x"), b(1, 2, "x");
  for (int i = 0; i < 17; ++i) a.Normal();
  EXPECT_EQ(a.Fork("child").Bits(), b.Fork("child").Bits());
  EXPECT_NE(a.Fork("child").Bits(), b.Fork("other").Bits());
  EXPECT_NE(a.Fork(uint64_t{0}).Bits(), b.Fork(uint64_t{1}).Bits());
}

// Moments of the uniform law: mean 1/2, variance 1/12; bounds are five standard errors.
TEST(Random, UniformHasTheMomentsOfTheUniformLaw) {
  Random random(11, 0, "uniform");
  const int n = 200000;
  double sum = 0, square = 0;
  for (int i = 0; i < n; ++i) {
    const double u = random.Uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    square += u * u;
  }
  EXPECT_NEAR(sum / n, 0.5, 5 * std::sqrt(1.0 / 12 / n));
  EXPECT_NEAR(square / n, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / n));
}

TEST(Random, NormalHasTheMomentsOfTheNormalLaw) {
  Random random(11, 0, "normal");
  const int n = 200000;
  double m1 = 0, m2 = 0, m3 = 0, m4 = 0;
  for (int i = 0; i < n; ++i) {
    const double x = random.Normal();
    m1 += x;
    m2 += x * x;
    m3 += x * x * x;
    m4 += x * x * x * x;
  }
  EXPECT_NEAR(m1 / n, 0.0, 5 * std::sqrt(1.0 / n));
  EXPECT_NEAR(m2 / n, 1.0, 5 * std::sqrt(2.0 / n));
  EXPECT_NEAR(m3 / n, 0.0, 5 * std::sqrt(15.0 / n));
  EXPECT_NEAR(m4 / n, 3.0, 5 * std::sqrt(96.0 / n));
}

TEST(Random, IntegersAreUniformAndReachBothEnds) {
  Random random(5, 0, "int");
  std::array<int, 7> counts{};
  const int n = 70000;
  for (int i = 0; i < n; ++i) {
    const int64_t value = random.Int(-3, 3);
    ASSERT_GE(value, -3);
    ASSERT_LE(value, 3);
    ++counts[static_cast<size_t>(value + 3)];
  }
  double chi_square = 0;
  for (int count : counts) chi_square += (count - n / 7.0) * (count - n / 7.0) / (n / 7.0);
  EXPECT_LT(chi_square, 22.5);  // 99.9 % point of chi-square with 6 degrees of freedom
}

TEST(Random, WeightedDrawsFollowTheWeightsAndNeverAZeroWeight) {
  Random random(5, 0, "weighted");
  const std::array<double, 4> weights = {1.0, 0.0, 3.0, 0.0};
  std::array<int, 4> counts{};
  const int n = 40000;
  for (int i = 0; i < n; ++i) ++counts[random.Weighted(weights)];
  EXPECT_EQ(counts[1], 0);
  EXPECT_EQ(counts[3], 0);
  EXPECT_NEAR(counts[2] / static_cast<double>(n), 0.75, 5 * std::sqrt(0.75 * 0.25 / n));
}

TEST(Random, NoiseIsWhiteWithUnitVariance) {
  std::vector<float> noise(1 << 17);
  FillNoise(42, noise);
  double m1 = 0, m2 = 0, lag = 0;
  for (size_t i = 0; i < noise.size(); ++i) {
    m1 += noise[i];
    m2 += noise[i] * noise[i];
    if (i > 0) lag += noise[i] * noise[i - 1];
  }
  const double n = static_cast<double>(noise.size());
  EXPECT_NEAR(m1 / n, 0.0, 5 / std::sqrt(n));
  EXPECT_NEAR(m2 / n, 1.0, 5 * std::sqrt(2.0 / n));
  EXPECT_NEAR(lag / n, 0.0, 5 / std::sqrt(n));
}

}  // namespace
}  // namespace auricle::sim
