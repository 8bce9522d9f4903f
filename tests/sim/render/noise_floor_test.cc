#include "sim/render/noise_floor.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/audio/fft.h"

namespace auricle::sim {
namespace {

TEST(NoiseFloor, HasItsLevelInOmniAndAThirdOfItsPowerInEachAxis) {
  for (double slope : {0.0, 3.0, 6.0}) {
    audio::FoaClip clip = audio::MakeSilentClip(160000, 16000);
    AddNoiseFloor(-60.0, slope, 11, clip);
    std::array<double, 4> power{};
    double cross = 0;
    for (int c = 0; c < 4; ++c) {
      for (size_t i = 0; i < clip.frames(); ++i) power[c] += std::pow(clip.channel(c)[i], 2);
    }
    for (size_t i = 0; i < clip.frames(); ++i) cross += static_cast<double>(clip.channel(0)[i]) * clip.channel(3)[i];
    EXPECT_NEAR(10 * std::log10(power[0] / static_cast<double>(clip.frames())), -60.0, 0.5);
    for (int c = 1; c < 4; ++c) EXPECT_NEAR(power[c] / power[0], 1.0 / 3.0, slope == 0.0 ? 0.01 : 0.06);
    EXPECT_NEAR(cross / std::sqrt(power[0] * power[3]), 0.0, 0.06);
  }
}

TEST(NoiseFloor, FallsByItsSlopeAnOctave) {
  for (double slope : {0.0, 2.0, 4.5, 6.0}) {
    audio::FoaClip clip = audio::MakeSilentClip(1 << 18, 16000);
    AddNoiseFloor(-20.0, slope, 5, clip);
    const auto spectrum = *audio::ForwardFft(clip.channel(0), 1, 1 << 18);
    // Mean power density from 200-400 Hz to 3.2-6.4 kHz: four octaves.
    const auto density = [&](double low, double high) {
      const size_t a = static_cast<size_t>(low / 16000 * (1 << 18)), b = static_cast<size_t>(high / 16000 * (1 << 18));
      double sum = 0;
      for (size_t k = a; k < b; ++k) sum += std::norm(spectrum[k]);
      return 10 * std::log10(sum / static_cast<double>(b - a));
    };
    EXPECT_NEAR((density(200, 400) - density(3200, 6400)) / 4, slope, 0.6);
  }
}

}  // namespace
}  // namespace auricle::sim
