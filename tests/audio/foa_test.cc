#include "model/audio/foa.h"

#include <cmath>
#include <filesystem>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/audio/audio_file.h"

namespace auricle::audio {
namespace {

using ::testing::HasSubstr;

constexpr double kDegree = std::numbers::pi / 180;

struct Direction {
  double azimuth, elevation;  // degrees
};
constexpr Direction kDirections[] = {{0, 0}, {90, 0}, {-90, 0}, {180, 0}, {37, 21}, {-120, -45}, {0, 90}, {5, -90}};

// The definitions of the three conventions for a plane wave s from a direction, written from their papers.
std::vector<float> Encode(FoaFormat format, const Direction& d, float s) {
  const double az = d.azimuth * kDegree, el = d.elevation * kDegree;
  const double x = std::cos(el) * std::cos(az), y = std::cos(el) * std::sin(az), z = std::sin(el);
  const auto f = [s](double v) { return static_cast<float>(s * v); };
  switch (format) {
    case FoaFormat::kFuMa:
      return {f(1 / std::sqrt(2.0)), f(x), f(y), f(z)};
    case FoaFormat::kN3D:
      return {f(1), f(std::sqrt(3.0) * y), f(std::sqrt(3.0) * z), f(std::sqrt(3.0) * x)};
    case FoaFormat::kAmbiX:
      break;
  }
  return {f(1), f(y), f(z), f(x)};
}

class Conventions : public ::testing::TestWithParam<FoaFormat> {};

TEST_P(Conventions, APlaneWaveBecomesTheAmbiXFormula) {
  for (const Direction& d : kDirections) {
    std::vector<float> interleaved;
    const std::vector<float> wave = {0.7f, -0.3f, 1.4f};
    for (const float s : wave) {
      const std::vector<float> frame = Encode(GetParam(), d, s);
      interleaved.insert(interleaved.end(), frame.begin(), frame.end());
    }
    const auto clip = FromInterleaved(interleaved, 4, 16000, GetParam());
    ASSERT_TRUE(clip.ok()) << clip.status();
    ASSERT_EQ(clip->frames(), wave.size());
    for (size_t i = 0; i < wave.size(); ++i) {
      const std::vector<float> want = Encode(FoaFormat::kAmbiX, d, wave[i]);
      for (int c = 0; c < kFoaChannels; ++c) {
        EXPECT_NEAR(clip->channel(c)[i], want[c], 3e-7) << "channel " << c << ", azimuth " << d.azimuth;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Conventions, ::testing::Values(FoaFormat::kAmbiX, FoaFormat::kFuMa, FoaFormat::kN3D));

TEST(FromInterleaved, NamesChannelsWhenThereAreNotFour) {
  for (const int channels : {0, 1, 2, 3, 5, 16}) {
    const auto clip = FromInterleaved(std::vector<float>(48, 0.1f), channels, 16000, FoaFormat::kAmbiX);
    ASSERT_EQ(clip.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(clip.status().message()), HasSubstr("channels"));
    EXPECT_THAT(std::string(clip.status().message()), HasSubstr("must be 4"));
  }
}

TEST(FromInterleaved, RefusesNaNAndInfinityWhereverTheyStand) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    for (size_t at = 0; at < 12; ++at) {
      std::vector<float> samples(12, 0.5f);
      samples[at] = bad;
      EXPECT_EQ(FromInterleaved(samples, 4, 16000, FoaFormat::kFuMa).status().code(),
                absl::StatusCode::kInvalidArgument);
    }
  }
}

TEST(FromInterleaved, RefusesSamplesFarPastFullScaleAndSaysHowFarIsAllowed) {
  for (const float bad : {1e30f, -1e30f, 1.0001e6f}) {
    std::vector<float> samples(12, 0.5f);
    samples[6] = bad;
    const auto clip = FromInterleaved(samples, 4, 16000, FoaFormat::kAmbiX);
    ASSERT_EQ(clip.status().code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(std::string(clip.status().message()), HasSubstr("level: "));
    EXPECT_THAT(std::string(clip.status().message()), HasSubstr("1e+06"));
  }
}

TEST(FromInterleaved, RefusesNoFramesBrokenFramesAndImpossibleRates) {
  EXPECT_FALSE(FromInterleaved({}, 4, 16000, FoaFormat::kAmbiX).ok());
  EXPECT_FALSE(FromInterleaved(std::vector<float>(7), 4, 16000, FoaFormat::kAmbiX).ok());
  for (const int rate : {0, -1, 1, 7999, 192001, 1000000}) {
    const auto clip = FromInterleaved(std::vector<float>(8), 4, rate, FoaFormat::kAmbiX);
    ASSERT_EQ(clip.status().code(), absl::StatusCode::kInvalidArgument) << rate;
    EXPECT_THAT(std::string(clip.status().message()), HasSubstr("sample_rate_hz"));
  }
}

TEST(FromInterleaved, TakesOneFrameLoudFramesAndTheEndsOfTheRateRange) {
  EXPECT_TRUE(FromInterleaved(std::vector<float>(4, 100.0f), 4, 8000, FoaFormat::kAmbiX).ok());
  EXPECT_TRUE(FromInterleaved(std::vector<float>(4, -1e6f), 4, 16000, FoaFormat::kFuMa).ok());
  EXPECT_TRUE(FromInterleaved(std::vector<float>(4, 0.0f), 4, 192000, FoaFormat::kAmbiX).ok());
}

TEST(ToInterleaved, UndoesFromInterleavedForAmbiX) {
  std::vector<float> samples(40);
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<float>(i) * 0.01f;
  EXPECT_EQ(ToInterleaved(*FromInterleaved(samples, 4, 16000, FoaFormat::kAmbiX)), samples);
}

// A real FuMa recording: W gains a factor sqrt(2) (twice the power), the directions only change places.
TEST(FromInterleaved, ConvertsARealFuMaRecording) {
  const std::string path = std::string(AURICLE_SHARED_DIR) + "/reference/foa/recording_fuma_wxyz.ogg";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no reference recording";
  const auto file = ReadAudioFile(path);
  ASSERT_TRUE(file.ok()) << file.status();
  const auto clip = ReadFoaFile(path, FoaFormat::kFuMa);
  ASSERT_TRUE(clip.ok()) << clip.status();
  ASSERT_EQ(clip->frames(), file->frames());
  EXPECT_GT(clip->seconds(), 1.0);
  const int from[4] = {0, 2, 3, 1};
  for (int c = 0; c < kFoaChannels; ++c) {
    double in = 0, out = 0;
    for (size_t i = 0; i < clip->frames(); ++i) {
      const double x = file->interleaved[4 * i + static_cast<size_t>(from[c])], y = clip->channel(c)[i];
      in += x * x;
      out += y * y;
    }
    ASSERT_GT(in, 0);
    EXPECT_NEAR(out / in, c == kW ? 2.0 : 1.0, 1e-5) << "channel " << c;
  }
}

}  // namespace
}  // namespace auricle::audio
