#include "sim/room/bands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "sim/room/band_arrivals.h"
#include "sim/room/fractional_delay.h"

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;

// ISO 9613-1:1993, table 1: 20 degrees, 50 % humidity, decibels a kilometre at the exact mid-band frequencies.
TEST(Bands, AirAttenuationEqualsTheStandardsTable) {
  const double mid_band_1k = 1000.0;
  EXPECT_NEAR(1000 * AirAttenuationDbPerMetre(mid_band_1k), 4.66, 0.05);
  EXPECT_NEAR(1000 * AirAttenuationDbPerMetre(251.19), 1.31, 0.02);
  EXPECT_NEAR(1000 * AirAttenuationDbPerMetre(501.19), 2.73, 0.03);
  EXPECT_NEAR(1000 * AirAttenuationDbPerMetre(1995.26), 9.89, 0.1);
  EXPECT_NEAR(1000 * AirAttenuationDbPerMetre(3981.07), 29.7, 0.3);
  // ISO 9613-2:1996, table 2: 20 degrees, 70 %, octaves from 125 Hz to 8 kHz at their exact centres.
  const std::array<double, kBands> decibels_a_kilometre = {0.3, 1.1, 2.8, 5.0, 9.0, 22.9, 76.6};
  for (int band = 0; band < kBands; ++band) {
    const double exact_centre = 1000.0 * std::pow(10.0, 0.3 * (band - 3));
    EXPECT_NEAR(1000 * AirAttenuationDbPerMetre(exact_centre, 20, 70), decibels_a_kilometre[band],
                0.05 + 0.005 * decibels_a_kilometre[band]);
    EXPECT_DOUBLE_EQ(BandAirAttenuation(20, 70)[band], AirAttenuationDbPerMetre(kBandCentreHz[band], 20, 70));
  }
}

TEST(Bands, WeightsSumToOneAtEveryFrequency) {
  for (size_t n_fft : {256u, 6000u}) {
    const size_t bins = n_fft / 2 + 1;
    const std::vector<float> weights = BandWeights(n_fft, 16000);
    for (size_t k = 0; k < bins; ++k) {
      float sum = 0;
      for (int band = 0; band < kBands; ++band) {
        EXPECT_GE(weights[band * bins + k], -1e-6f);
        sum += weights[band * bins + k];
      }
      EXPECT_NEAR(sum, 1.0f, 1e-6f);
    }
    EXPECT_FLOAT_EQ(weights[0], 1.0f);
  }
}

TEST(Bands, EachCentreBelongsToItsBandAndHalfAnOctaveOnToBoth) {
  for (int band = 0; band < kBands; ++band) {
    const BandShare at = BandShareAt(kBandCentreHz[band]);
    EXPECT_NEAR(at.lower == band ? 1.0 - at.upper_share : at.upper_share, 1.0, 1e-12) << band;
    EXPECT_TRUE(at.lower == band || at.lower + 1 == band) << band;
    if (band + 1 == kBands) break;
    const BandShare between = BandShareAt(kBandCentreHz[band] * std::sqrt(2.0));
    EXPECT_EQ(between.lower, band);
    EXPECT_NEAR(between.upper_share, 0.5, 1e-12);
  }
  EXPECT_EQ(BandShareAt(0.0).upper_share, 0.0);
  EXPECT_EQ(BandShareAt(60.0).lower, 0);
  EXPECT_EQ(BandShareAt(20000.0).upper_share, 1.0);
  EXPECT_EQ(BandShareAt(20000.0).lower, kBands - 2);
  EXPECT_EQ(BandsBelowNyquist(8000), 6);  // 4 to 8 kHz would be the last band's
  EXPECT_EQ(BandsBelowNyquist(16000), 7);
}

TEST(BandArrivals, EqualBandsChangeNothing) {
  const size_t frames = 1000;
  for (int rate : {8000, 16000, 48000}) {
    BandArrivals bands(rate, frames);
    ArrivalBuffer plain(4, frames);
    for (int i = 0; i < 200; ++i) {
      const double delay = 4.87 * i + 3.3, gain = i % 2 == 0 ? 0.3 : -0.7;
      const Vec3 unit = UnitVector(37.0 * i, 11.0 * (i % 7));
      std::array<float, kBands> gains;
      gains.fill(static_cast<float>(gain));
      bands.Add(delay, unit, gains);
      std::array<float, 4> foa;
      for (size_t c = 0; c < 4; ++c) foa[c] = static_cast<float>(gain * FoaGains(unit)[c]);
      AddArrivals({&delay, 1}, foa, plain);
    }
    audio::FoaClip clip = audio::MakeSilentClip(frames, rate);
    ASSERT_TRUE(bands.AddTo(clip).ok());
    for (int c = 0; c < 4; ++c) {
      for (size_t i = 0; i < frames; ++i) EXPECT_NEAR(clip.channel(c)[i], plain.channel(c)[i], 2e-6);
    }
  }
}

// The spectrum of one arrival is the bands' gains at their centres, and the claim about ringing holds.
TEST(BandArrivals, UnequalBandsHaveTheirGainsAtTheirCentresAndRingBriefly) {
  const int rate = 24000;
  const size_t frames = 4800;
  const double delay = 2400.0;
  const std::array<float, kBands> gains = {1.0f, 0.25f, 0.8f, 0.1f, 0.6f, 0.3f, 0.05f};
  BandArrivals bands(rate, frames);
  bands.Add(delay, {1, 0, 0}, gains);
  audio::FoaClip clip = audio::MakeSilentClip(frames, rate);
  ASSERT_TRUE(bands.AddTo(clip).ok());
  const auto alone = BandArrival(rate, frames, delay, gains);
  ASSERT_TRUE(alone.ok());
  double inside = 0, outside = 0;
  for (size_t i = 0; i < frames; ++i) {
    EXPECT_NEAR((*alone)[i], clip.channel(0)[i], 1e-5);
    EXPECT_NEAR(clip.channel(3)[i], clip.channel(0)[i], 1e-6);
    const double energy = std::pow(clip.channel(0)[i], 2);
    (std::abs(static_cast<double>(i) - delay) <= kRingSeconds * rate ? inside : outside) += energy;
  }
  EXPECT_LT(10 * std::log10(outside / inside), -60.0);
  for (int band = 0; band < kBands; ++band) {
    double even = 0;  // symmetrical about the delay: without phase, the transform is its cosine part
    for (size_t i = 0; i < frames; ++i) {
      const double t = (static_cast<double>(i) - delay) / rate;
      even += clip.channel(0)[i] * std::cos(2 * std::numbers::pi * kBandCentreHz[band] * t);
    }
    EXPECT_NEAR(even, gains[static_cast<size_t>(band)], 0.01) << band;
  }
}

BandedRoom UnevenRoom() {
  BandedRoom room = {.size_m = {7, 5, 3}};
  for (int band = 0; band < kBands; ++band) room.absorption[band] = {0.05, 0.1, 0.2, 0.1, 0.02 + 0.1 * band, 0.4};
  return room;
}

TEST(ScaleToReverberation, ReachesTheTimeAndKeepsTheWallsApart) {
  for (double seconds : {0.1, 0.3, 1.0, 3.0}) {
    BandedRoom room = UnevenRoom();
    ASSERT_TRUE(ScaleToReverberation(seconds, room).ok());
    EXPECT_NEAR(0.5 * (EyringSeconds(room.Band(2)) + EyringSeconds(room.Band(3))) / seconds, 1.0, 1e-6);
    for (const auto& band : room.absorption) {
      for (double a : band) {
        EXPECT_GE(a, 0.005);
        EXPECT_LE(a, 0.99);
      }
      EXPECT_LE(band[0], band[1]);
      EXPECT_LE(band[1], band[2]);
      EXPECT_EQ(band[1], band[3]);
    }
  }
}

TEST(ScaleToReverberation, TimesThatNoWallsCanGiveAreRefusedWithTheRange) {
  // Eyring: 24 ln(10) V / (c S ln(100)) at absorption 0.99, from 0.161 V / S / 4.6; V / S = 8.33 m here.
  BandedRoom hall = UnevenRoom();
  hall.size_m = {50, 50, 50};
  const double least = 24 * std::log(10.0) / 343.0 * (50.0 / 6.0) / std::log(100.0);
  EXPECT_NEAR(PossibleReverberation(hall.size_m).min_seconds, least, 1e-9);
  EXPECT_TRUE(ScaleToReverberation(1.01 * least, hall).ok());
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (double bad : {0.99 * least, 0.0, -1.0, 1e4, nan}) {
    BandedRoom room = UnevenRoom();
    room.size_m = {50, 50, 50};
    const BandedRoom before = room;
    const absl::Status status = ScaleToReverberation(bad, room);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(std::string(status.message()), HasSubstr("reverberation_seconds"));
    EXPECT_THAT(std::string(status.message()), HasSubstr("[0.292, 268]"));
    EXPECT_EQ(room.absorption, before.absorption);
  }
  BandedRoom broken = UnevenRoom();
  broken.absorption[3][2] = 0.0;
  EXPECT_THAT(std::string(ScaleToReverberation(0.5, broken).message()), HasSubstr("band 3: absorption.y0"));
}

}  // namespace
}  // namespace auricle::sim
