#include "sim/render/dry_event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>

#include "sim/room/fractional_delay.h"
#include "sim/scene/random.h"
#include "sim/source/dry_signal.h"

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;

std::vector<float> Tone(double hz, size_t frames, int rate = 16000) {
  std::vector<float> x(frames);
  for (size_t i = 0; i < frames; ++i)
    x[i] = static_cast<float>(std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate));
  return x;
}

// Amplitude at one frequency, by correlation over the middle half.
double AmplitudeAt(std::span<const float> x, double hz, int rate = 16000) {
  std::complex<double> sum = 0;
  const size_t first = x.size() / 4, count = x.size() / 2;
  for (size_t i = first; i < first + count; ++i) {
    // Hann window: neighbours a few hertz away do not leak in.
    const double w = 1 - std::cos(2 * std::numbers::pi * static_cast<double>(i - first) / static_cast<double>(count));
    sum += w * x[i] * std::polar(1.0, -2 * std::numbers::pi * hz * static_cast<double>(i) / rate);
  }
  return 2 * std::abs(sum) / static_cast<double>(count);
}

TEST(PlayAtSpeed, MovesAToneToItsFrequencyTimesTheSpeed) {
  for (double speed : {0.93, 0.9871, 1.0, 1.031, 1.07}) {
    const auto out = PlayAtSpeed(Tone(1000, 16000), speed);
    EXPECT_NEAR(static_cast<double>(out.size()), 16000 / speed, 1.0);
    EXPECT_NEAR(AmplitudeAt(out, 1000 * speed), 1.0, 1e-3);
    // sin(2 pi f speed n): compare sample by sample, away from the ends.
    for (size_t i = 100; i < 5000; i += 7) {
      EXPECT_NEAR(out[i], std::sin(2 * std::numbers::pi * 1000 * speed * static_cast<double>(i) / 16000), 1e-3);
    }
  }
}

TEST(MakeEvent, HasTheNominalLevelWhateverItsVariation) {
  std::vector<float> noise(32000);
  FillNoise(4, noise);
  for (const EventShape& shape :
       {EventShape{}, EventShape{.speed = 1.06}, EventShape{.tilt_db = 4}, EventShape{.tilt_db = -4},
        EventShape{.speed = 0.94, .tilt_db = 3, .max_seconds = 0.7, .excerpt = 0.5}}) {
    const auto event = MakeEvent(noise, 16000, shape);
    ASSERT_TRUE(event.ok()) << event.status();
    double energy = 0;
    for (float v : *event) energy += v * v;
    // The noise is stationary: all of it is active, fades aside.
    EXPECT_NEAR(std::sqrt(energy / static_cast<double>(event->size())), 0.25, 0.004);
  }
}

TEST(MakeEvent, TiltRaisesTrebleOverBassByItsDecibels) {
  std::vector<float> both = Tone(60, 32000);
  const std::vector<float> high = Tone(7000, 32000);
  for (size_t i = 0; i < both.size(); ++i) both[i] += high[i];
  for (double tilt : {-4.0, 2.0, 4.0}) {
    const auto event = MakeEvent(both, 16000, {.tilt_db = tilt});
    ASSERT_TRUE(event.ok());
    EXPECT_NEAR(20 * std::log10(AmplitudeAt(*event, 7000) / AmplitudeAt(*event, 60)), tilt, 0.2);
  }
}

TEST(MakeEvent, ExcerptHasTheLengthAskedForAndBeginsWithSound) {
  // Two bursts of a second with two seconds of silence between.
  std::vector<float> x(64000, 0.0f);
  const auto tone = Tone(500, 16000);
  std::copy(tone.begin(), tone.end(), x.begin());
  std::copy(tone.begin(), tone.end(), x.begin() + 48000);
  for (double where : {0.0, 0.3, 0.5, 0.9, 1.0}) {
    const auto event = MakeEvent(x, 16000, {.max_seconds = 0.9, .excerpt = where});
    ASSERT_TRUE(event.ok());
    EXPECT_NEAR(static_cast<double>(event->size()), 14400, 1.0);
    EXPECT_GT(ActiveRms(std::span<const float>(*event).first(800), 16000), 0.15f) << where;
  }
}

TEST(MakeEvent, RefusesSilenceAndShapesOutOfRange) {
  const auto message = [](std::span<const float> x, const EventShape& s) {
    return std::string(MakeEvent(x, 16000, s).status().message());
  };
  const auto tone = Tone(500, 8000);
  EXPECT_THAT(message(std::vector<float>(8000, 0.0f), {}), HasSubstr("silent"));
  EXPECT_THAT(message({}, {}), HasSubstr("silent"));
  EXPECT_THAT(message(tone, {.speed = 2.5}), HasSubstr("speed"));
  EXPECT_THAT(message(tone, {.speed = std::nan("")}), HasSubstr("speed"));
  EXPECT_THAT(message(tone, {.tilt_db = 30}), HasSubstr("tilt_db"));
  EXPECT_THAT(message(tone, {.max_seconds = 0}), HasSubstr("max_seconds"));
  EXPECT_THAT(message(tone, {.excerpt = 1.5}), HasSubstr("excerpt"));
}

}  // namespace
}  // namespace auricle::sim
