#include "sim/render/ambience.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

#include "model/audio/fft.h"
#include "sim/scene/random.h"
#include "tests/sim/scene/small_bank.h"

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;

constexpr int kRate = 16000;
constexpr std::array<double, 6> kOctaves = {125, 250, 500, 1000, 2000, 4000};

// Sums over the bins of a band: power of each channel, and what W has in common with each (real part).
struct BandSums {
  std::array<double, 4> power{};
  std::array<double, 4> with_w{};
};

// Under a Hann window, so that nothing far away leaks in.
BandSums SumBand(const audio::FoaClip& clip, double low_hz, double high_hz) {
  const size_t n_fft = audio::FastFftLength(clip.frames());
  std::array<std::vector<audio::Complex>, 4> spectra;
  for (int c = 0; c < 4; ++c) {
    std::vector<float> padded(n_fft, 0.0f);
    for (size_t i = 0; i < clip.frames(); ++i) {
      const double phase = 2.0 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(clip.frames());
      padded[i] = static_cast<float>(0.5 - 0.5 * std::cos(phase)) * clip.channel(c)[i];
    }
    spectra[static_cast<size_t>(c)] = *audio::ForwardFft(padded, 1, n_fft);
  }
  BandSums sums;
  const double bin_hz = static_cast<double>(clip.sample_rate) / static_cast<double>(n_fft);
  for (size_t k = static_cast<size_t>(low_hz / bin_hz); k < static_cast<size_t>(high_hz / bin_hz); ++k) {
    for (size_t c = 0; c < 4; ++c) {
      sums.power[c] += std::norm(spectra[c][k]);
      sums.with_w[c] += (std::conj(spectra[0][k]) * spectra[c][k]).real();
    }
  }
  return sums;
}

// Level of a clip's W over all of it.
double LevelDb(const audio::FoaClip& clip) {
  double energy = 0.0;
  for (float sample : clip.channel(0)) energy += static_cast<double>(sample) * sample;
  return 10.0 * std::log10(energy / static_cast<double>(clip.frames()));
}

std::vector<float> WhiteRecording(double seconds) {
  std::vector<float> recording(static_cast<size_t>(seconds * kRate));
  FillNoise(99, recording);
  return recording;
}

// 100 Hz and all of its harmonics: an engine that idles without a change.
std::vector<float> HummingRecording(double seconds) {
  std::vector<float> recording(static_cast<size_t>(seconds * kRate));
  Random random(3);
  for (int harmonic = 1; harmonic < 70; ++harmonic) {
    const double phase = random.Uniform(0.0, 6.28);
    for (size_t i = 0; i < recording.size(); ++i) {
      const double t = static_cast<double>(i) / kRate;
      recording[i] += static_cast<float>(0.1 * std::sin(2.0 * std::numbers::pi * 100.0 * harmonic * t + phase));
    }
  }
  return recording;
}

// Drops: single samples, thirty a second.
std::vector<float> DrippingRecording(double seconds) {
  std::vector<float> recording(static_cast<size_t>(seconds * kRate), 0.0f);
  Random random(4);
  for (int drop = 0; drop < static_cast<int>(30 * seconds); ++drop) {
    recording[random.Index(recording.size())] = static_cast<float>(random.Normal());
  }
  return recording;
}

// Over many beds: variances of a diffuse field in every octave, and nothing in common with W.
void ExpectDiffuse(const std::function<void(uint64_t key, audio::FoaClip& clip)>& add, double largest_correlation) {
  constexpr int kBeds = 12;
  std::array<std::array<double, 4>, kOctaves.size()> ratio_db{}, correlation{}, square{};
  for (uint64_t key = 1; key <= kBeds; ++key) {
    audio::FoaClip clip = audio::MakeSilentClip(5 * kRate, kRate);
    add(key, clip);
    for (size_t band = 0; band < kOctaves.size(); ++band) {
      const BandSums sums = SumBand(clip, kOctaves[band] / std::numbers::sqrt2, kOctaves[band] * std::numbers::sqrt2);
      for (size_t c = 1; c < 4; ++c) {
        ratio_db[band][c] += 10.0 * std::log10(sums.power[c] / sums.power[0]) / kBeds;
        const double r = sums.with_w[c] / std::sqrt(sums.power[0] * sums.power[c]);
        correlation[band][c] += r / kBeds;
        square[band][c] += r * r / kBeds;
      }
    }
  }
  for (size_t band = 0; band < kOctaves.size(); ++band) {
    double mean_db = 0.0;
    for (size_t c = 1; c < 4; ++c) {
      mean_db += ratio_db[band][c] / 3.0;
      EXPECT_NEAR(correlation[band][c], 0.0, largest_correlation) << kOctaves[band] << " Hz, channel " << c;
      EXPECT_LT(std::sqrt(square[band][c]), largest_correlation) << kOctaves[band] << " Hz, channel " << c;
    }
    EXPECT_NEAR(mean_db, 10.0 * std::log10(1.0 / 3.0), 0.3) << kOctaves[band] << " Hz";
  }
}

TEST(RecordedBed, IsDiffuseInEveryOctaveWhateverTheRecording) {
  const std::vector<float> white = WhiteRecording(4.0), hum = HummingRecording(4.0), drops = DrippingRecording(4.0);
  const auto bed_of = [](const std::vector<float>& recording) {
    return [&recording](uint64_t key, audio::FoaClip& clip) {
      ASSERT_TRUE(AddRecordedBed(recording, -40.0, key, clip).ok());
    };
  };
  ExpectDiffuse(bed_of(white), 0.12);
  ExpectDiffuse(bed_of(drops), 0.15);
  ExpectDiffuse(bed_of(hum), 0.3);
}

TEST(RecordedBed, HasItsLevelWhateverTheRecordingsIs) {
  const std::vector<float> white = WhiteRecording(2.0);
  std::vector<float> loud = white;
  for (float& sample : loud) sample *= 7.0f;
  for (const std::vector<float>* recording : {&white, &std::as_const(loud)}) {
    audio::FoaClip clip = audio::MakeSilentClip(3 * kRate, kRate);
    ASSERT_TRUE(AddRecordedBed(*recording, -47.0, 8, clip).ok());
    EXPECT_NEAR(LevelDb(clip), -47.0, 1e-3);
  }
}

// One that is played at 94 % to 106 % keeps its octaves.
TEST(RecordedBed, KeepsTheSpectrumOfTheRecording) {
  std::vector<float> dull = WhiteRecording(4.0);
  float state = 0.0f;
  for (float& sample : dull) sample = state += 0.2f * (sample - state);  // one pole at 570 Hz
  audio::FoaClip as_recorded = audio::MakeSilentClip(dull.size(), kRate);
  std::ranges::copy(dull, as_recorded.channel(0).begin());
  audio::FoaClip clip = audio::MakeSilentClip(10 * kRate, kRate);
  ASSERT_TRUE(AddRecordedBed(dull, -40.0, 8, clip).ok());
  const auto fall_db = [](const audio::FoaClip& of) {
    return 10.0 * std::log10(SumBand(of, 177, 354).power[0] / SumBand(of, 2828, 5657).power[0]);
  };
  EXPECT_NEAR(fall_db(clip), fall_db(as_recorded), 0.7);
}

// A 100 Hz tone whose loop does not hold a whole number of periods: a seam would be heard as a click, all over the
// spectrum.
TEST(RecordedBed, LoopsWithoutAClick) {
  std::vector<float> tone(static_cast<size_t>(1.2345 * kRate));
  for (size_t i = 0; i < tone.size(); ++i) {
    tone[i] = static_cast<float>(std::sin(2.0 * std::numbers::pi * 100.0 * static_cast<double>(i) / kRate));
  }
  audio::FoaClip clip = audio::MakeSilentClip(10 * kRate, kRate);
  ASSERT_TRUE(AddRecordedBed(tone, -20.0, 5, clip).ok());
  EXPECT_LT(10.0 * std::log10(SumBand(clip, 1000, 7000).power[0] / SumBand(clip, 20, 1000).power[0]), -70.0);
}

TEST(RecordedBed, ManyPlacesOfOneRecordingAreNearlyGaussian) {
  audio::FoaClip clip = audio::MakeSilentClip(10 * kRate, kRate);
  ASSERT_TRUE(AddRecordedBed(WhiteRecording(4.0), -20.0, 5, clip).ok());
  for (int c = 0; c < 4; ++c) {
    double second = 0.0, fourth = 0.0;
    for (float sample : clip.channel(c)) {
      const double square = static_cast<double>(sample) * sample;
      second += square;
      fourth += square * square;
    }
    EXPECT_NEAR(fourth * static_cast<double>(clip.frames()) / (second * second), 3.0, 0.15);
  }
}

TEST(RecordedBed, IsAFunctionOfItsKey) {
  const std::vector<float> white = WhiteRecording(2.0);
  std::array<audio::FoaClip, 3> clips;
  for (size_t i = 0; i < 3; ++i) {
    clips[i] = audio::MakeSilentClip(kRate, kRate);
    ASSERT_TRUE(AddRecordedBed(white, -40.0, i < 2 ? 1 : 2, clips[i]).ok());
  }
  EXPECT_EQ(clips[0].samples, clips[1].samples);
  EXPECT_NE(clips[0].samples, clips[2].samples);
}

TEST(RecordedBed, SilentAndShortRecordingsAreRefused) {
  audio::FoaClip clip = audio::MakeSilentClip(kRate, kRate);
  const absl::Status silent = AddRecordedBed(std::vector<float>(2 * kRate, 0.0f), -40.0, 1, clip);
  EXPECT_EQ(silent.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(silent.message()), HasSubstr("silent"));
  const absl::Status brief = AddRecordedBed(WhiteRecording(0.05), -40.0, 1, clip);
  EXPECT_EQ(brief.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(brief.message()), HasSubstr("0.050 s long"));
  EXPECT_TRUE(AddRecordedBed(WhiteRecording(0.1), -40.0, 1, clip).ok());
}

TEST(SpeechShapedNoise, IsDiffuseInEveryOctave) {
  ExpectDiffuse([](uint64_t key, audio::FoaClip& clip) { ASSERT_TRUE(AddSpeechShapedNoise(-40.0, key, clip).ok()); },
                0.12);
}

TEST(SpeechShapedNoise, HasItsLevel) {
  double mean = 0.0;
  for (uint64_t key = 1; key <= 8; ++key) {
    audio::FoaClip clip = audio::MakeSilentClip(10 * kRate, kRate);
    ASSERT_TRUE(AddSpeechShapedNoise(-47.0, key, clip).ok());
    mean += LevelDb(clip) / 8;
  }
  EXPECT_NEAR(mean, -47.0, 0.1);
}

// Another standard's average speech: ANSI S3.5-1997, table 3, spectrum levels of normal vocal effort in third octaves
// from 160 Hz to 8 kHz. Its talkers are American; the shapes agree within 3 dB.
TEST(SpeechShapedNoise, HasTheSpectrumOfSpeech) {
  constexpr std::array<double, 18> kCentres = {160,  200,  250,  315,  400,  500,  630,  800,  1000,
                                               1250, 1600, 2000, 2500, 3150, 4000, 5000, 6300, 8000};
  constexpr std::array<double, 18> kNormalEffort = {32.41, 34.48, 34.75, 33.98, 34.59, 34.27, 32.06, 28.30, 25.01,
                                                    23.00, 20.15, 17.32, 13.18, 11.55, 9.33,  5.31,  2.59,  1.13};
  audio::FoaClip clip = audio::MakeSilentClip(20 * 24000, 24000);
  ASSERT_TRUE(AddSpeechShapedNoise(-30.0, 6, clip).ok());
  std::array<double, 18> off{};
  double mean = 0.0;
  for (size_t i = 0; i < kCentres.size(); ++i) {
    const double low = kCentres[i] * std::exp2(-1.0 / 6.0), high = kCentres[i] * std::exp2(1.0 / 6.0);
    off[i] = 10.0 * std::log10(SumBand(clip, low, high).power[0] / (high - low)) - kNormalEffort[i];
    mean += off[i] / static_cast<double>(kCentres.size());
  }
  for (size_t i = 0; i < kCentres.size(); ++i) EXPECT_NEAR(off[i], mean, 3.5) << kCentres[i] << " Hz";
}

TEST(AddAmbience, PlaysTheRecordingOfThePlan) {
  audio::FoaClip clip = audio::MakeSilentClip(2 * kRate, kRate);
  PlannedAmbience ambience = {
      .kind = v1::AMBIENCE_KIND_RECORDING, .level_dbfs = -33.0, .slope_db = 0.0, .recording = 3, .key = 1};
  ASSERT_TRUE(AddAmbience(ambience, *SmallBank(), clip).ok());
  EXPECT_NEAR(LevelDb(clip), -33.0, 1e-3);
  ambience.recording = 1 << 20;
  EXPECT_EQ(AddAmbience(ambience, *SmallBank(), clip).code(), absl::StatusCode::kOutOfRange);
  ambience.kind = v1::AMBIENCE_KIND_UNSPECIFIED;
  EXPECT_EQ(AddAmbience(ambience, *SmallBank(), clip).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace auricle::sim
