#include "sim/room/high_pass.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "sim/scene/random.h"

namespace auricle::sim {
namespace {

TEST(HighPass, HasTheGainOfAButterworthOfSecondOrder) {
  const int rate = 16000;
  const double corner = 100.0;
  std::vector<float> response(rate, 0.0f);
  response[0] = 1.0f;
  HighPass(corner, rate, response);
  for (double hz : {10.0, 50.0, 100.0, 200.0, 1000.0}) {
    std::complex<double> sum = 0;
    for (size_t i = 0; i < response.size(); ++i) {
      sum += static_cast<double>(response[i]) *
             std::polar(1.0, -2 * std::numbers::pi * hz / rate * static_cast<double>(i));
    }
    // The bilinear transform bends the axis of frequency: tan(w / 2) for w / 2.
    const double ratio = std::tan(std::numbers::pi * corner / rate) / std::tan(std::numbers::pi * hz / rate);
    EXPECT_NEAR(20 * std::log10(std::abs(sum)), -10 * std::log10(1 + std::pow(ratio, 4)), 0.01) << hz;
  }
}

TEST(HighPass, OfAClipIsThatOfEachOfItsChannelsToTheBit) {
  audio::FoaClip clip = audio::MakeSilentClip(3000, 24000);
  FillNoise(6, clip.samples);
  audio::FoaClip one_by_one = clip;
  HighPass(20.0, clip);
  for (int c = 0; c < audio::kFoaChannels; ++c) HighPass(20.0, 24000, one_by_one.channel(c));
  EXPECT_EQ(clip.samples, one_by_one.samples);
}

}  // namespace
}  // namespace auricle::sim
