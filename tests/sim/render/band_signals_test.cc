#include "sim/render/band_signals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "sim/room/bands.h"
#include "sim/scene/random.h"

namespace auricle::sim {
namespace {

double Rms(std::span<const float> signal) {
  double sum = 0;
  for (float v : signal) sum += static_cast<double>(v) * v;
  return std::sqrt(sum / static_cast<double>(signal.size()));
}

TEST(SplitIntoBands, TheBandsAddUpToTheSignal) {
  for (int rate : {8000, 16000, 48000}) {
    std::vector<float> noise(static_cast<size_t>(1.3 * rate));
    FillNoise(3, noise);
    const auto bands = SplitIntoBands(noise, rate);
    ASSERT_TRUE(bands.ok()) << bands.status();
    EXPECT_EQ(bands->samples.size(), static_cast<size_t>(BandsBelowNyquist(rate)));
    EXPECT_EQ(bands->frames, noise.size());
    for (size_t i = 0; i < bands->samples[0].size(); ++i) {
      double sum = 0;
      for (const auto& band : bands->samples) sum += band[i];
      const bool inside = i >= bands->lead && i < bands->lead + noise.size();
      ASSERT_NEAR(sum, inside ? noise[i - bands->lead] : 0.0f, 1e-5) << rate << " at " << i;
    }
  }
}

TEST(SplitIntoBands, AToneAtACentreIsInItsBandAlone) {
  const int rate = 16000;
  for (size_t own = 0; own < 6; ++own) {
    std::vector<float> sine(rate);
    for (size_t i = 0; i < sine.size(); ++i)
      sine[i] = static_cast<float>(std::sin(2 * std::numbers::pi * kBandCentreHz[own] * static_cast<double>(i) / rate));
    const auto bands = SplitIntoBands(sine, rate);
    ASSERT_TRUE(bands.ok()) << bands.status();
    // Away from the tone's sudden ends. The lowest filter, cut off after 32 ms, is 0.1 % off.
    for (size_t band = 0; band < bands->samples.size(); ++band) {
      const double rms = Rms(std::span<const float>(bands->samples[band]).subspan(bands->lead + 2000, rate - 4000));
      EXPECT_NEAR(rms, band == own ? std::numbers::sqrt2 / 2 : 0.0, 1e-3) << kBandCentreHz[own] << " Hz, band " << band;
    }
  }
}

TEST(SplitIntoBands, RingsToEitherSideOfAClickAndLeavesSilenceSilent) {
  const int rate = 16000;
  std::vector<float> click(4 * rate, 0.0f);
  click[0] = 1.0f;
  const auto bands = SplitIntoBands(click, rate);
  ASSERT_TRUE(bands.ok()) << bands.status();
  const std::vector<float>& low = bands->samples[0];
  // Without phase: as much before as after.
  for (size_t i = 1; i < bands->lead; ++i) ASSERT_NEAR(low[bands->lead - i], low[bands->lead + i], 1e-6) << i;
  EXPECT_GT(low[bands->lead - 16], 1e-3);
  for (const auto& band : bands->samples)
    EXPECT_TRUE(std::all_of(band.begin() + rate, band.end(), [](float v) { return v == 0.0f; }));
}

TEST(SplitIntoBands, OfNothingIsNothing) {
  const auto bands = SplitIntoBands(std::vector<float>(1000, 0.0f), 16000);
  ASSERT_TRUE(bands.ok()) << bands.status();
  for (const auto& band : bands->samples) EXPECT_EQ(Rms(band), 0.0);
}

}  // namespace
}  // namespace auricle::sim
