#include "sim/scene/microphone_sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "sim/scene/scene_spec.h"

namespace auricle::sim {
namespace {

v1::MicrophoneSpec Defaults() { return WithDefaults({}).microphone(); }

v1::MicrophoneSpec Everything(double probability) {
  v1::MicrophoneSpec spec = Defaults();
  spec.set_self_noise_probability(probability);
  spec.set_gain_error_probability(probability);
  spec.set_axis_error_probability(probability);
  spec.set_aliasing_probability(probability);
  spec.set_clipping_probability(probability);
  spec.set_coding_probability(probability);
  return spec;
}

TEST(DrawMicrophone, IsPerfectUnlessAsked) {
  for (uint64_t i = 0; i < 100; ++i) EXPECT_FALSE(DrawMicrophone(Defaults(), Random(i)).has_value());
}

TEST(DrawMicrophone, EveryFaultHasItsProbabilityAndItsRange) {
  constexpr int kDraws = 4000;
  int gains = 0, tilts = 0, noises = 0, arrays = 0, overloads = 0, codings = 0, mu_laws = 0, perfect = 0;
  double gain_square = 0.0, tilt_square = 0.0;
  std::set<int> bits;
  const v1::MicrophoneSpec spec = Everything(0.3);
  for (uint64_t i = 0; i < kDraws; ++i) {
    const auto drawn = DrawMicrophone(spec, Random(i));
    perfect += !drawn.has_value();
    if (!drawn) continue;
    if (drawn->gain_db) {
      ++gains;
      for (double db : *drawn->gain_db) gain_square += db * db;
    }
    if (drawn->tilts) {
      ++tilts;
      for (const CapsuleTilt& tilt : *drawn->tilts) tilt_square += tilt.angle_deg * tilt.angle_deg;
    }
    if (drawn->self_noise_dbfs) {
      ++noises;
      EXPECT_GE(*drawn->self_noise_dbfs, -95.0);
      EXPECT_LE(*drawn->self_noise_dbfs, -65.0);
    }
    if (drawn->array_radius_m) {
      ++arrays;
      EXPECT_GE(*drawn->array_radius_m, 0.012 - 1e-12);
      EXPECT_LE(*drawn->array_radius_m, 0.035 + 1e-12);
    }
    if (drawn->overload_db) {
      ++overloads;
      EXPECT_GE(*drawn->overload_db, 1.0);
      EXPECT_LE(*drawn->overload_db, 10.0);
    }
    if (drawn->coding) {
      ++codings;
      if (drawn->coding->law == v1::SAMPLE_LAW_MU_LAW) {
        ++mu_laws;
        EXPECT_EQ(drawn->coding->bits, 8);
      } else {
        bits.insert(drawn->coding->bits);
      }
    }
  }
  for (int count : {gains, tilts, noises, arrays, overloads, codings}) EXPECT_NEAR(count / 4000.0, 0.3, 0.03);
  EXPECT_NEAR(perfect / 4000.0, std::pow(0.7, 6), 0.03);
  EXPECT_NEAR(mu_laws / static_cast<double>(codings), 0.3, 0.06);
  EXPECT_EQ(bits, (std::set<int>{10, 11, 12, 13, 14, 15, 16}));
  // Deviations uniform in [a, b] have a mean square of (a^2 + a b + b^2) / 3; a tilt has two of them.
  EXPECT_NEAR(gain_square / (4 * gains), (0.04 + 0.3 + 2.25) / 3, 0.1);
  EXPECT_NEAR(tilt_square / (4 * tilts), 2 * (0.25 + 2.5 + 25) / 3, 2.0);
}

TEST(DrawMicrophone, OneFaultDoesNotDependOnTheOthers) {
  for (uint64_t i = 0; i < 50; ++i) {
    v1::MicrophoneSpec alone = Defaults();
    alone.set_axis_error_probability(1.0);
    const auto one = DrawMicrophone(alone, Random(i)), all = DrawMicrophone(Everything(1.0), Random(i));
    ASSERT_TRUE(one && all && one->tilts && all->tilts);
    EXPECT_FALSE(one->gain_db || one->self_noise_dbfs || one->array_radius_m || one->overload_db || one->coding);
    EXPECT_EQ(one->key, all->key);
    for (size_t c = 0; c < kCapsules; ++c) {
      EXPECT_EQ((*one->tilts)[c].angle_deg, (*all->tilts)[c].angle_deg);
      EXPECT_EQ((*one->tilts)[c].towards_deg, (*all->tilts)[c].towards_deg);
    }
  }
}

}  // namespace
}  // namespace auricle::sim
