#include "sim/render/microphone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

#include "model/audio/fft.h"
#include "sim/scene/random.h"

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;

constexpr int kRate = 16000;
constexpr double kPi = std::numbers::pi;

// A plane wave from `direction`: W = s, Y = y s, Z = z s, X = x s.
audio::FoaClip PlaneWave(Vec3 direction, const std::vector<float>& signal) {
  audio::FoaClip clip = audio::MakeSilentClip(signal.size(), kRate);
  const std::array<double, 4> gains = {1.0, direction.y, direction.z, direction.x};
  for (int c = 0; c < 4; ++c) {
    for (size_t i = 0; i < signal.size(); ++i) {
      clip.channel(c)[i] = static_cast<float>(gains[static_cast<size_t>(c)] * signal[i]);
    }
  }
  return clip;
}

std::vector<float> Noise(size_t frames, uint64_t key, float rms = 0.1f) {
  std::vector<float> noise(frames);
  FillNoise(key, noise);
  for (float& sample : noise) sample *= rms;
  return noise;
}

std::vector<float> Tone(double hz, size_t frames, double amplitude = 0.1) {
  std::vector<float> tone(frames);
  for (size_t i = 0; i < frames; ++i) {
    tone[i] = static_cast<float>(amplitude * std::sin(2.0 * kPi * hz * static_cast<double>(i) / kRate));
  }
  return tone;
}

MicrophoneEffect Apply(const PlannedMicrophone& microphone, audio::FoaClip& clip) {
  auto effect = ApplyMicrophone(microphone, clip);
  EXPECT_TRUE(effect.ok()) << effect.status();
  return effect.ok() ? *std::move(effect) : MicrophoneEffect{};
}

double Power(std::span<const float> signal) {
  double sum = 0.0;
  for (float sample : signal) sum += static_cast<double>(sample) * sample;
  return sum / static_cast<double>(signal.size());
}

double LargestDifference(std::span<const float> a, std::span<const float> b) {
  double worst = a.size() == b.size() ? 0.0 : 1e9;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    worst = std::max(worst, static_cast<double>(std::abs(a[i] - b[i])));
  }
  return worst;
}

// --- capsules ---

TEST(Capsules, AreATetrahedronOfCardioids) {
  const std::array<Vec3, kCapsules> axes = CapsuleAxes();
  const Matrix4 heard = CapsulesFromChannels(axes);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(Norm(axes[i]), 1.0, 1e-12);
    for (size_t k = 0; k < i; ++k) EXPECT_NEAR(AngleDeg(axes[i], axes[k]), 109.4712, 1e-3);
    for (double off : {0.0, 60.0, 90.0, 180.0}) {
      const Vec3 from = Tilted(axes[i], {.angle_deg = off, .towards_deg = 37.0});
      const std::array<double, 4> wave = {1.0, from.y, from.z, from.x};
      double response = 0.0;
      for (size_t c = 0; c < 4; ++c) response += heard[i][c] * wave[c];
      EXPECT_NEAR(response, 0.5 * (1.0 + std::cos(Radians(off))), 1e-12);
    }
  }
  // Front left up first, as everybody's A-format.
  EXPECT_NEAR(AzimuthDeg(axes[0]), 45.0, 1e-9);
  EXPECT_NEAR(AzimuthDeg(axes[1]), -45.0, 1e-9);
  EXPECT_LT(ElevationDeg(axes[1]), 0.0);
  EXPECT_NEAR(AzimuthDeg(axes[2]), 135.0, 1e-9);
  EXPECT_GT(ElevationDeg(axes[3]), 0.0);
}

TEST(Capsules, TheEncoderUndoesThem) {
  const Matrix4 heard = CapsulesFromChannels(CapsuleAxes()), encoder = ChannelsFromCapsules();
  for (size_t i = 0; i < 4; ++i) {
    for (size_t k = 0; k < 4; ++k) {
      double sum = 0.0;
      for (size_t j = 0; j < 4; ++j) sum += encoder[i][j] * heard[j][k];
      EXPECT_NEAR(sum, i == k ? 1.0 : 0.0, 1e-12);
    }
  }
}

TEST(Capsules, TiltsTurnByTheirAngleTowardsTheirSide) {
  const Vec3 front = {1, 0, 0};
  EXPECT_NEAR(ElevationDeg(Tilted(front, {10.0, 0.0})), 10.0, 1e-9);
  EXPECT_NEAR(AzimuthDeg(Tilted(front, {10.0, 90.0})), 10.0, 1e-9);
  for (Vec3 axis : CapsuleAxes()) {
    for (double towards : {0.0, 77.0, -130.0}) EXPECT_NEAR(AngleDeg(Tilted(axis, {12.0, towards}), axis), 12.0, 1e-9);
  }
}

// --- nothing wrong ---

TEST(ApplyMicrophone, WithoutFaultsChangesNothing) {
  const audio::FoaClip before = PlaneWave(UnitVector(40, 20), Noise(4000, 1));
  audio::FoaClip after = before;
  const MicrophoneEffect effect = Apply({}, after);
  EXPECT_EQ(before.samples, after.samples);
  EXPECT_TRUE(effect.noise_w.empty());
  EXPECT_FALSE(effect.clipping_dbfs.has_value());
}

TEST(ApplyMicrophone, FaultsOfNoSizeAreTheIdentity) {
  const audio::FoaClip before = PlaneWave(UnitVector(40, 20), Noise(4000, 1));
  PlannedMicrophone microphone;
  microphone.gain_db.emplace();
  microphone.tilts.emplace();
  for (CapsuleTilt& tilt : *microphone.tilts) tilt.towards_deg = 120.0;
  microphone.overload_db = 0.0;
  audio::FoaClip after = before;
  Apply(microphone, after);
  EXPECT_LT(LargestDifference(before.samples, after.samples), 1e-6);
}

// --- gains and axes ---

TEST(ApplyMicrophone, OneGainOfAllCapsulesIsThatOfAllChannels) {
  const audio::FoaClip before = PlaneWave(UnitVector(-100, 30), Noise(4000, 1));
  PlannedMicrophone microphone;
  microphone.gain_db = {6.0, 6.0, 6.0, 6.0};
  audio::FoaClip after = before;
  Apply(microphone, after);
  const float g = static_cast<float>(std::pow(10.0, 0.3));
  for (size_t i = 0; i < before.samples.size(); ++i) ASSERT_NEAR(after.samples[i], g * before.samples[i], 1e-6);
}

// Capsule 1 (front right down) of a wave from `d` hears (1 + axis . d) / 2: what it hears too much goes to W by 1/2
// and to the others by 3/2 of its axis.
TEST(ApplyMicrophone, AGainOrAxisErrorSpreadsByTheEncoder) {
  const double a = 1.0 / std::numbers::sqrt3;
  const Vec3 axis = {a, -a, -a};
  for (Vec3 d : {UnitVector(0, 0), UnitVector(120, -40), UnitVector(-60, 70)}) {
    const std::vector<float> signal = Noise(500, 3);
    for (bool tilted : {false, true}) {
      PlannedMicrophone microphone;
      double excess = 0.0;
      if (tilted) {
        microphone.tilts.emplace()[1] = {15.0, 0.0};
        // Its elevation rises by 15 degrees.
        const Vec3 wrong = UnitVector(-45.0, Degrees(-std::asin(a)) + 15.0);
        excess = 0.5 * Dot(wrong - axis, d);
      } else {
        microphone.gain_db = {0.0, -3.0, 0.0, 0.0};
        excess = (std::pow(10.0, -0.15) - 1.0) * 0.5 * (1.0 + Dot(axis, d));
      }
      audio::FoaClip clip = PlaneWave(d, signal);
      Apply(microphone, clip);
      const std::array<double, 4> expected = {1.0 + 0.5 * excess, d.y + 1.5 * axis.y * excess,
                                              d.z + 1.5 * axis.z * excess, d.x + 1.5 * axis.x * excess};
      for (int c = 0; c < 4; ++c) {
        for (size_t i = 0; i < signal.size(); ++i) {
          ASSERT_NEAR(clip.channel(c)[i], expected[static_cast<size_t>(c)] * signal[i], 1e-6);
        }
      }
    }
  }
}

// A capsule that is wrong by e changes W by e / 2 at most, each axis by 3 / 2 / sqrt(3) e.
TEST(ApplyMicrophone, SmallErrorsKeepAPlaneWaveNearlyOne) {
  Random random(5);
  for (int trial = 0; trial < 200; ++trial) {
    PlannedMicrophone microphone;
    double largest = 0.0;
    for (double& db : microphone.gain_db.emplace()) {
      db = random.Normal(0.0, 0.5);
      largest = std::max(largest, std::abs(std::pow(10.0, db / 20.0) - 1.0));
    }
    audio::FoaClip clip = PlaneWave(UnitVector(random.Uniform(-180, 180), random.Uniform(-90, 90)), {1.0f});
    Apply(microphone, clip);
    const double w = clip.channel(0)[0];
    const double length =
        std::sqrt(std::pow(clip.channel(1)[0], 2) + std::pow(clip.channel(2)[0], 2) + std::pow(clip.channel(3)[0], 2));
    // The capsules of a plane wave add up to 2, and their squares to 4 / 3.
    EXPECT_NEAR(w, 1.0, largest + 1e-6);
    EXPECT_NEAR(length, 1.0, 1.5 * std::sqrt(4.0 / 3.0) * std::sqrt(4.0 / 3.0) * largest + 1e-6);
  }
}

// --- self-noise ---

TEST(ApplyMicrophone, SelfNoiseIsThreeTimesAsStrongInTheFirstOrder) {
  PlannedMicrophone microphone;
  microphone.self_noise_dbfs = -50.0;
  microphone.key = 4;
  audio::FoaClip clip = audio::MakeSilentClip(20 * kRate, kRate);
  const MicrophoneEffect effect = Apply(microphone, clip);
  EXPECT_NEAR(10 * std::log10(Power(clip.channel(0))), -50.0, 0.1);
  for (int c = 1; c < 4; ++c) EXPECT_NEAR(Power(clip.channel(c)) / Power(clip.channel(0)), 3.0, 0.06);
  for (int a = 0; a < 4; ++a) {
    for (int b = 0; b < a; ++b) {
      double cross = 0.0;
      for (size_t i = 0; i < clip.frames(); ++i) {
        cross += static_cast<double>(clip.channel(a)[i]) * clip.channel(b)[i];
      }
      cross /= static_cast<double>(clip.frames()) * std::sqrt(Power(clip.channel(a)) * Power(clip.channel(b)));
      EXPECT_NEAR(cross, 0.0, 0.01);
    }
  }
  EXPECT_LT(LargestDifference(effect.noise_w, clip.channel(0)), 1e-9);
}

// --- clipping ---

TEST(ApplyMicrophone, CapsulesEndAtTheClippingLevel) {
  const Vec3 d = UnitVector(45.0, Degrees(std::asin(1.0 / std::numbers::sqrt3)));  // where capsule 0 faces
  const audio::FoaClip before = PlaneWave(d, Tone(440.0, 8000, 0.8));
  PlannedMicrophone microphone;
  microphone.overload_db = 6.0206;
  audio::FoaClip after = before;
  const MicrophoneEffect effect = Apply(microphone, after);
  // That capsule hears all of the wave, 0.8 at most, and the other three a third of it: they do not clip.
  ASSERT_TRUE(effect.clipping_dbfs.has_value());
  EXPECT_NEAR(*effect.clipping_dbfs, 20 * std::log10(0.4), 0.01);
  for (size_t i = 0; i < after.frames(); ++i) {
    const double s = before.channel(0)[i], clipped = std::clamp(s, -0.4, 0.4);
    ASSERT_NEAR(after.channel(0)[i], 0.5 * (clipped + s), 1e-4);
    const double from_front =
        0.5 * (after.channel(0)[i] + d.x * after.channel(3)[i] + d.y * after.channel(1)[i] + d.z * after.channel(2)[i]);
    ASSERT_NEAR(from_front, clipped, 1e-4);
  }
  audio::FoaClip silence = audio::MakeSilentClip(100, kRate);
  EXPECT_FALSE(Apply(microphone, silence).clipping_dbfs.has_value());
}

// --- coding ---

TEST(ApplyMicrophone, LinearCodingErrsByATwelfthOfItsStepSquared) {
  for (int bits : {8, 10, 13, 16}) {
    const double step = std::exp2(1 - bits);
    PlannedMicrophone microphone;
    microphone.coding = SampleCoding{v1::SAMPLE_LAW_LINEAR, bits};
    audio::FoaClip clip = PlaneWave(UnitVector(10, 10), Noise(40000, 7, 0.2f));
    const audio::FoaClip before = clip;
    const MicrophoneEffect effect = Apply(microphone, clip);
    for (int c = 0; c < 4; ++c) {
      double square = 0.0;
      for (size_t i = 0; i < clip.frames(); ++i) {
        const double error = clip.channel(c)[i] - before.channel(c)[i];
        square += error * error;
        ASSERT_LE(std::abs(error), 0.5 * step + 1e-7);
        const double steps = clip.channel(c)[i] / step;
        ASSERT_EQ(steps, std::round(steps));
      }
      // Z is the quietest, 0.035 RMS: a few steps of the coarsest coding.
      EXPECT_NEAR(square / static_cast<double>(clip.frames()) / (step * step / 12.0), 1.0, bits > 10 ? 0.1 : 0.03);
    }
    for (size_t i = 0; i < clip.frames(); ++i) {
      ASSERT_NEAR(effect.noise_w[i], clip.channel(0)[i] - before.channel(0)[i], 1e-7);
    }
  }
}

TEST(ApplyMicrophone, CodingEndsAtFullScale) {
  for (v1::SampleLaw law : {v1::SAMPLE_LAW_LINEAR, v1::SAMPLE_LAW_MU_LAW}) {
    PlannedMicrophone microphone;
    microphone.coding = SampleCoding{law, 8};
    audio::FoaClip clip = PlaneWave({1, 0, 0}, {3.0f, -3.0f, 0.0f});
    Apply(microphone, clip);
    EXPECT_LE(clip.channel(0)[0], 1.0f);
    EXPECT_GT(clip.channel(0)[0], 0.9f);
    EXPECT_GE(clip.channel(0)[1], -1.0f);
    EXPECT_LT(clip.channel(0)[1], -0.9f);
    EXPECT_EQ(clip.channel(0)[2], 0.0f);
  }
}

// Where all levels up to some are as likely, a uniform quantiser of step q behind the curve y(x) = ln(1 + mu x) / ln(1
// + mu) errs by q^2 / 12 / y'(x)^2 (Bennett 1948).
TEST(ApplyMicrophone, MuLawErrsInProportionToTheSound) {
  PlannedMicrophone microphone;
  microphone.coding = SampleCoding{v1::SAMPLE_LAW_MU_LAW, 8};
  Random random(6);
  for (double amplitude : {0.9, 0.1, 0.01}) {
    std::vector<float> sound(60000);
    for (float& sample : sound) sample = static_cast<float>(random.Uniform(-amplitude, amplitude));
    audio::FoaClip clip = PlaneWave({1, 0, 0}, sound);
    Apply(microphone, clip);
    double error = 0.0, expected = 0.0;
    for (size_t i = 0; i < sound.size(); ++i) {
      error += std::pow(clip.channel(0)[i] - sound[i], 2);
      const double slope = 255.0 / (1.0 + 255.0 * std::abs(sound[i])) / std::log(256.0);
      expected += std::pow(std::exp2(-7) / slope, 2) / 12.0;
    }
    EXPECT_NEAR(error / expected, 1.0, 0.1) << amplitude;
    // 16 bits' worth of range at 8 bits' price: far better than 8 linear bits for what is soft.
    if (amplitude < 0.05) {
      EXPECT_LT(error / 60000, 0.01 * std::pow(std::exp2(-7), 2) / 12.0);
    }
  }
}

// --- aliasing ---

std::complex<double> AmplitudeAt(std::span<const float> signal, double hz) {
  std::complex<double> sum = 0.0;
  double weight = 0.0;
  for (size_t i = 0; i < signal.size(); ++i) {
    const double hann =
        0.5 - 0.5 * std::cos(2 * kPi * (static_cast<double>(i) + 0.5) / static_cast<double>(signal.size()));
    sum += hann * static_cast<double>(signal[i]) * std::polar(1.0, -2 * kPi * hz * static_cast<double>(i) / kRate);
    weight += hann;
  }
  return 2.0 * sum / weight;
}

TEST(Aliasing, BeginsWhereAWaveIsAsLongAsHalfTheRim) {
  EXPECT_NEAR(AliasingHz(0.0147), 7427.0, 1.0);
  for (double radius : {0.005, 0.02, 0.1}) EXPECT_NEAR(343.0 / AliasingHz(radius), 0.5 * (2 * kPi * radius), 1e-12);
}

TEST(Aliasing, FirstOrderRollsOffAndLeaksWhatItLoses) {
  PlannedMicrophone microphone;
  microphone.array_radius_m = 343.0 / (kPi * 3000.0);
  for (uint64_t key : {1, 2, 3}) {
    microphone.key = key;
    for (double hz : {200.0, 1000.0, 3000.0, 6000.0}) {
      const double ratio = std::pow(hz / 3000.0, 4.0);
      const double kept = 1.0 / std::sqrt(1.0 + ratio), lost = std::sqrt(ratio / (1.0 + ratio));
      // A tone in one channel at a time; what reaches a first-order channel from the other three adds up, in a diffuse
      // field, to what that channel lost.
      std::array<std::array<std::complex<double>, 4>, 4> reached;
      for (int from = 0; from < 4; ++from) {
        audio::FoaClip clip = audio::MakeSilentClip(8000, kRate);
        std::ranges::copy(Tone(hz, 8000), clip.channel(from).begin());
        const audio::FoaClip before = clip;
        Apply(microphone, clip);
        for (int to = 0; to < 4; ++to) {
          reached[static_cast<size_t>(from)][static_cast<size_t>(to)] = 10.0 * AmplitudeAt(clip.channel(to), hz);
        }
        EXPECT_EQ(LargestDifference(clip.channel(0), before.channel(0)), 0.0);  // the omni stays
      }
      for (size_t to = 1; to < 4; ++to) {
        EXPECT_NEAR(std::abs(reached[to][to]), kept, 0.01) << hz;
        double power = 0.0;
        for (size_t from = 0; from < 4; ++from) {
          if (from != to) power += (from == 0 ? 1.0 : 1.0 / 3.0) * std::norm(reached[from][to]);
        }
        EXPECT_NEAR(std::sqrt(3.0 * power), lost, 0.02) << hz;
      }
    }
  }
}

TEST(Aliasing, FarBelowItAPlaneWaveIsUnharmedAndOnTime) {
  PlannedMicrophone microphone;
  microphone.array_radius_m = 0.02;  // 5459 Hz
  for (uint64_t key : {1, 2, 3, 4, 5}) {
    microphone.key = key;
    const audio::FoaClip before = PlaneWave(UnitVector(-70, 25), Tone(545.9, 8000, 1.0));
    audio::FoaClip after = before;
    Apply(microphone, after);
    double first = 0.0;
    for (int c = 1; c < 4; ++c) first += std::norm(AmplitudeAt(after.channel(c), 545.9));
    // (f / f_a)^2 = 0.01 of leakage in each of three channels: 0.01 sqrt(3) of the vector at most.
    EXPECT_NEAR(first, 1.0, 0.04);
    for (int c = 1; c < 4; ++c) {
      for (size_t i = 1000; i < 7000; ++i) ASSERT_NEAR(after.channel(c)[i], before.channel(c)[i], 0.02);
    }
  }
}

// In a field from everywhere a first-order channel keeps its level in every octave, whatever it consists of.
TEST(Aliasing, ADiffuseFieldKeepsItsSpectrum) {
  PlannedMicrophone microphone;
  microphone.array_radius_m = 0.035;  // 3119 Hz
  std::array<double, 3> mean_db{};
  for (uint64_t key = 1; key <= 6; ++key) {
    microphone.key = key;
    audio::FoaClip clip = audio::MakeSilentClip(1 << 16, kRate);
    for (int c = 0; c < 4; ++c) {
      const float rms = c == 0 ? 0.1f : 0.1f / std::numbers::sqrt3_v<float>;
      std::ranges::copy(Noise(clip.frames(), 10 * key + static_cast<uint64_t>(c), rms), clip.channel(c).begin());
    }
    const audio::FoaClip before = clip;
    Apply(microphone, clip);
    const auto band_power = [&](const audio::FoaClip& of, int c, double centre) {
      const auto spectrum = *audio::ForwardFft(of.channel(c), 1, of.frames());
      double sum = 0.0;
      for (size_t k = static_cast<size_t>(centre / std::numbers::sqrt2 / kRate * (1 << 16));
           k < static_cast<size_t>(centre * std::numbers::sqrt2 / kRate * (1 << 16)); ++k) {
        sum += std::norm(spectrum[k]);
      }
      return sum;
    };
    const std::array<double, 3> centres = {500.0, 2000.0, 4000.0};
    for (size_t band = 0; band < 3; ++band) {
      for (int c = 1; c < 4; ++c) {
        mean_db[band] +=
            10 * std::log10(band_power(clip, c, centres[band]) / band_power(before, c, centres[band])) / 18;
      }
    }
  }
  for (double db : mean_db) EXPECT_NEAR(db, 0.0, 0.2);
}

// --- bad plans ---

TEST(ApplyMicrophone, WhatIsOutOfRangeIsRefusedByName) {
  const double nan = std::nan("");
  const std::vector<std::pair<std::string, std::function<void(PlannedMicrophone&)>>> cases = {
      {"microphone.gain_db",
       [](auto& m) {
         m.gain_db = {0.0, 100.0, 0.0, 0.0};
       }},
      {"microphone.tilts.angle_deg", [](auto& m) { m.tilts.emplace()[3].angle_deg = -1.0; }},
      {"microphone.tilts.towards_deg", [&](auto& m) { m.tilts.emplace()[0].towards_deg = nan; }},
      {"microphone.self_noise_dbfs", [](auto& m) { m.self_noise_dbfs = 10.0; }},
      {"microphone.array_radius_m", [](auto& m) { m.array_radius_m = 0.0; }},
      {"microphone.overload_db", [&](auto& m) { m.overload_db = nan; }},
      {"microphone.coding.bits",
       [](auto& m) {
         m.coding = SampleCoding{v1::SAMPLE_LAW_LINEAR, 7};
       }},
      {"microphone.coding.bits",
       [](auto& m) {
         m.coding = SampleCoding{v1::SAMPLE_LAW_MU_LAW, 12};
       }},
      {"microphone.coding.law",
       [](auto& m) {
         m.coding = SampleCoding{v1::SAMPLE_LAW_UNSPECIFIED, 8};
       }},
  };
  for (const auto& [field, spoil] : cases) {
    PlannedMicrophone microphone;
    spoil(microphone);
    audio::FoaClip clip = PlaneWave({1, 0, 0}, Noise(100, 1));
    const absl::Status status = ApplyMicrophone(microphone, clip).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << field;
    EXPECT_THAT(std::string(status.message()), HasSubstr(field));
  }
}

}  // namespace
}  // namespace auricle::sim
