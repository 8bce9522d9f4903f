#include "sim/source/dry_signal.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace auricle::sim {
namespace {

constexpr int kRate = 16000;

std::vector<float> Sine(double hz, double amplitude, double seconds, int rate = kRate) {
  std::vector<float> out(static_cast<size_t>(seconds * rate));
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<float>(amplitude * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate));
  }
  return out;
}

std::vector<float> Join(std::vector<std::vector<float>> parts) {
  std::vector<float> out;
  for (const auto& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

audio::AudioBuffer Mono(std::vector<float> samples, int rate = kRate) {
  return {.sample_rate = rate, .channels = 1, .interleaved = std::move(samples)};
}

double Rms(const std::vector<float>& x, size_t begin, size_t end) {
  double sum = 0;
  for (size_t i = begin; i < end; ++i) sum += double{x[i]} * x[i];
  return std::sqrt(sum / static_cast<double>(end - begin));
}

TEST(ActiveRms, OfASineIsItsAmplitudeOverRootTwo) {
  EXPECT_NEAR(ActiveRms(Sine(1000, 0.8, 1.0), kRate), 0.8 / std::numbers::sqrt2, 1e-5);
  EXPECT_NEAR(ActiveRms(Sine(1000, 0.8, 1.0, 44100), 44100), 0.8 / std::numbers::sqrt2, 1e-4);
}

TEST(ActiveRms, LeavesSilenceOut) {
  EXPECT_NEAR(ActiveRms(Join({Sine(1000, 0.8, 1.0), std::vector<float>(48000, 0.0f)}), kRate),
              0.8 / std::numbers::sqrt2, 1e-5);
}

TEST(ActiveRms, CountsFramesWithin20DbOfTheLoudestAndNoOthers) {
  const double loud = 0.8, within = loud * std::pow(10, -19.0 / 20), below = loud * std::pow(10, -21.0 / 20);
  EXPECT_NEAR(ActiveRms(Join({Sine(1000, loud, 1), Sine(1000, within, 1)}), kRate),
              std::sqrt((loud * loud + within * within) / 4), 1e-5);
  EXPECT_NEAR(ActiveRms(Join({Sine(1000, loud, 1), Sine(1000, below, 1)}), kRate), loud / std::numbers::sqrt2, 1e-5);
}

TEST(ActiveRms, IsZeroForSilenceAndForNothing) {
  EXPECT_EQ(ActiveRms(std::vector<float>(1000, 0.0f), kRate), 0.0f);
  EXPECT_EQ(ActiveRms({}, kRate), 0.0f);
}

TEST(MakeDrySignal, BringsEveryRecordingToOneLevelAtAnyRate) {
  for (const int rate : {8000, 22050, 48000}) {
    for (const double amplitude : {1e-4, 0.1, 40.0}) {
      const auto dry = MakeDrySignal(Mono(Sine(500, amplitude, 1.5, rate), rate), {});
      ASSERT_TRUE(dry.ok()) << dry.status();
      EXPECT_NEAR(ActiveRms(*dry, kRate), kDryRms, 1e-5);
      EXPECT_NEAR(Rms(*dry, 8000, 16000), kDryRms, 0.002);  // by the plain definition, in its steady middle
      EXPECT_NEAR(static_cast<double>(dry->size()) / kRate, 1.5, 0.03);
    }
  }
}

TEST(MakeDrySignal, DoesNotClipPeaks) {
  // Short bursts of a click train: their RMS over 20 ms frames is far below their peak.
  std::vector<float> clicks(kRate, 0.0f);
  for (size_t i = 0; i < clicks.size(); i += 320) clicks[i] = (i / 320) % 2 == 0 ? 1.0f : -1.0f;
  const auto dry = MakeDrySignal(Mono(clicks), {});
  ASSERT_TRUE(dry.ok());
  EXPECT_GT(*std::max_element(dry->begin(), dry->end()), 2.0f);
}

TEST(MakeDrySignal, CutsSilenceOffTheEndsAndKeepsItInside) {
  const std::vector<float> silence(kRate, 0.0f);
  const auto tone = Sine(800, 0.5, 0.5);
  const auto dry = MakeDrySignal(Mono(Join({silence, tone, silence, tone, silence})), {});
  ASSERT_TRUE(dry.ok());
  EXPECT_NEAR(static_cast<double>(dry->size()) / kRate, 2.0, 0.09);
}

TEST(MakeDrySignal, KeepsTheLoudestTwelveSecondsOfALongRecording) {
  const auto dry = MakeDrySignal(Mono(Join({Sine(800, 0.1, 20), Sine(800, 0.9, 12), Sine(800, 0.1, 20)})), {});
  ASSERT_TRUE(dry.ok());
  EXPECT_NEAR(static_cast<double>(dry->size()) / kRate, 12.0, 1e-3);
  EXPECT_NEAR(Rms(*dry, 200, kRate), kDryRms, 0.01);  // loud from its start
  EXPECT_NEAR(Rms(*dry, dry->size() - kRate, dry->size() - 200), kDryRms, 0.01);
}

TEST(MakeDrySignal, MixesChannelsByTheirMean) {
  const auto left = Sine(500, 0.4, 1), right = Sine(2000, 0.4, 1);
  std::vector<float> interleaved, mean;
  for (size_t i = 0; i < left.size(); ++i) {
    interleaved.insert(interleaved.end(), {left[i], right[i]});
    mean.push_back(0.5f * (left[i] + right[i]));
  }
  const auto stereo = MakeDrySignal({.sample_rate = kRate, .channels = 2, .interleaved = interleaved}, {});
  const auto mono = MakeDrySignal(Mono(mean), {});
  ASSERT_TRUE(stereo.ok() && mono.ok());
  EXPECT_EQ(*stereo, *mono);
}

// |H|^2 of a Butterworth high-pass of order n is (f/fc)^2n / (1 + (f/fc)^2n).
TEST(MakeDrySignal, TakesRumbleAwayAsAButterworthFilterDoes) {
  const double fc = 100, rumble_hz = 50, tone_hz = 1000;
  const auto rumble = Sine(rumble_hz, 0.5, 2), tone = Sine(tone_hz, 0.5, 2);
  std::vector<float> both(rumble.size());
  for (size_t i = 0; i < both.size(); ++i) both[i] = rumble[i] + tone[i];
  const auto dry = MakeDrySignal(Mono(both), {.highpass_hz = fc});
  ASSERT_TRUE(dry.ok());
  const auto level_at = [&](double hz) {  // by correlation over whole periods in the steady part
    double re = 0, im = 0;
    for (size_t i = 8000; i < 24000; ++i) {
      const double phase = 2 * std::numbers::pi * hz * static_cast<double>(i) / kRate;
      re += (*dry)[i] * std::cos(phase);
      im += (*dry)[i] * std::sin(phase);
    }
    return std::hypot(re, im);
  };
  const auto gain = [fc](double hz) { return std::sqrt(std::pow(hz / fc, 8) / (1 + std::pow(hz / fc, 8))); };
  EXPECT_NEAR(20 * std::log10(level_at(rumble_hz) / level_at(tone_hz)),
              20 * std::log10(gain(rumble_hz) / gain(tone_hz)), 0.1);
}

TEST(MakeDrySignal, TakesAConstantOffsetAway) {
  std::vector<float> offset = Sine(700, 0.2, 1);
  for (float& x : offset) x += 0.6f;
  const auto dry = MakeDrySignal(Mono(offset), {});
  ASSERT_TRUE(dry.ok());
  double mean = 0;
  for (const float x : *dry) mean += x;
  EXPECT_NEAR(mean / static_cast<double>(dry->size()), 0.0, 2e-3);
  EXPECT_NEAR(Rms(*dry, 4000, 12000), kDryRms, 0.002);
}

TEST(MakeDrySignal, RefusesSilenceNothingAndImpossibleRates) {
  EXPECT_EQ(MakeDrySignal(Mono(std::vector<float>(8000, 0.0f)), {}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(MakeDrySignal(Mono(std::vector<float>(8000, 0.7f)), {}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(MakeDrySignal(Mono({}), {}).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(MakeDrySignal(Mono(Sine(500, 0.5, 1)), {.sample_rate = 1000}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(MakeDrySignal, TakesTheShortestRecordings) {
  for (const size_t samples : {1u, 2u, 30u, 319u, 321u}) {
    std::vector<float> few(samples);
    for (size_t i = 0; i < samples; ++i) few[i] = i % 2 == 0 ? 0.5f : -0.4f;
    const auto short_one = MakeDrySignal(Mono(few), {});
    if (short_one.ok()) {
      for (const float x : *short_one) ASSERT_TRUE(std::isfinite(x)) << samples;
    } else {
      EXPECT_EQ(short_one.status().code(), absl::StatusCode::kFailedPrecondition) << samples;
    }
  }
}

}  // namespace
}  // namespace auricle::sim
