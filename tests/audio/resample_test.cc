#include "model/audio/resample.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <tuple>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace auricle::audio {
namespace {

using ::testing::HasSubstr;

std::vector<float> Sine(double hz, double amplitude, double rate, size_t frames) {
  std::vector<float> out(frames);
  for (size_t i = 0; i < frames; ++i) {
    out[i] = static_cast<float>(amplitude * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate));
  }
  return out;
}

class ResampleRates : public ::testing::TestWithParam<std::tuple<int, int>> {};

// A sine sampled at another rate is the same sine: frequency, amplitude and phase, away from the ends.
TEST_P(ResampleRates, KeepsASineOfThePassBandSampleForSample) {
  const auto [from, to] = GetParam();
  const double hz = 0.37 * std::min(from, to);  // 74 % of the lower Nyquist frequency
  const size_t frames = static_cast<size_t>(from / 2);
  const auto out = Resample(Sine(hz, 0.5, from, frames), from, to);
  ASSERT_TRUE(out.ok()) << out.status();
  ASSERT_EQ(out->size(), static_cast<size_t>(std::llround(static_cast<double>(frames) * to / from)));
  const std::vector<float> want = Sine(hz, 0.5, to, out->size());
  const size_t edge = out->size() / 10;
  double worst = 0;
  for (size_t i = edge; i + edge < out->size(); ++i) worst = std::max(worst, std::abs(double{(*out)[i]} - want[i]));
  EXPECT_LT(worst, 2e-5);
}

INSTANTIATE_TEST_SUITE_P(OfTheField, ResampleRates,
                         ::testing::Values(std::tuple(44100, 16000), std::tuple(48000, 16000), std::tuple(8000, 16000),
                                           std::tuple(11025, 16000), std::tuple(16000, 44100), std::tuple(96000, 16000),
                                           std::tuple(192000, 8000), std::tuple(16000, 192000)));

TEST(Resample, SuppressesWhatTheNewRateCannotCarry) {
  for (const double hz : {9000.0, 12000.0, 20000.0}) {
    const auto out = Resample(Sine(hz, 1.0, 44100, 44100), 44100, 16000);
    ASSERT_TRUE(out.ok());
    double worst = 0;
    for (size_t i = 1600; i + 1600 < out->size(); ++i) worst = std::max(worst, std::abs(double{(*out)[i]}));
    EXPECT_LT(20 * std::log10(worst), -100) << hz << " Hz";
  }
}

TEST(Resample, ReturnsTheInputAtAnEqualRate) {
  const std::vector<float> in = {0.1f, -0.2f, 3.0f};
  EXPECT_EQ(*Resample(in, 16000, 16000), in);
}

TEST(Resample, TakesASingleSampleAndNone) {
  EXPECT_EQ(Resample(std::vector<float>{1.0f}, 16000, 48000)->size(), 3u);
  EXPECT_EQ(Resample(std::vector<float>{}, 16000, 48000)->size(), 0u);
}

TEST(Resample, NamesTheFieldAndTheRangeOfARefusedRate) {
  const std::vector<float> in(100, 0.0f);
  for (const double rate : {0.0, 1.0, 7999.0, 192001.0, 1e6, -16000.0, std::numeric_limits<double>::quiet_NaN()}) {
    for (const auto& status : {Resample(in, rate, 16000).status(), Resample(in, 16000, rate).status()}) {
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << rate;
      EXPECT_THAT(std::string(status.message()), HasSubstr("sample_rate_hz"));
      EXPECT_THAT(std::string(status.message()), HasSubstr("8000 to 192000"));
    }
  }
}

// A plane wave keeps its direction: all channels are filtered alike, so their ratios stay.
TEST(ResampleFoa, KeepsTheRatiosBetweenChannels) {
  const std::vector<float> s = Sine(700, 0.4, 48000, 9600);
  const float gains[4] = {1.0f, 0.5f, -0.25f, 0.8f};
  FoaClip clip{.sample_rate = 48000, .samples = {}};
  for (const float gain : gains) {
    for (const float x : s) clip.samples.push_back(gain * x);
  }
  const auto out = ResampleFoa(clip, 16000);
  ASSERT_TRUE(out.ok());
  ASSERT_EQ(out->frames(), 3200u);
  EXPECT_EQ(out->sample_rate, 16000);
  for (int c = 1; c < 4; ++c) {
    for (size_t i = 0; i < out->frames(); ++i) {
      ASSERT_NEAR(out->channel(c)[i], gains[c] * out->channel(kW)[i], 1e-6);
    }
  }
}

}  // namespace
}  // namespace auricle::audio
