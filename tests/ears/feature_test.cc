// Features against reference files, closed forms and the algebra of rotations.
#include <gtest/gtest.h>
#include <sndfile.h>
#include <torch/torch.h>

#include <cmath>
#include <filesystem>
#include <numbers>
#include <string>

#include "model/checkpoint/tensors.h"
#include "model/feature/foa_features.h"
#include "model/feature/mel.h"
#include "model/feature/stft.h"
#include "tests/model/max_difference.h"

namespace auricle::model {
namespace {

constexpr double kRadians = std::numbers::pi / 180.0;
constexpr int64_t kSamples = 16000;

// shared/reference/golden/logmel: torch.stft and librosa agree on it to 1e-12.
class GoldenLogMelTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string folder = std::string(AURICLE_SHARED_DIR) + "/reference/golden/logmel";
    if (!std::filesystem::exists(folder + "/expected.safetensors")) GTEST_SKIP() << "no " << folder;
    auto tensors = LoadTensors(folder + "/expected.safetensors");
    ASSERT_TRUE(tensors.ok()) << tensors.status();
    expected_ = *std::move(tensors);
    SF_INFO info = {};
    SNDFILE* file = sf_open((folder + "/signal.wav").c_str(), SFM_READ, &info);
    ASSERT_NE(file, nullptr);
    audio_ = torch::empty({info.frames});
    ASSERT_EQ(info.channels, 1);
    ASSERT_EQ(sf_readf_float(file, audio_.data_ptr<float>(), info.frames), info.frames);
    sf_close(file);
  }

  torch::Tensor Spectrum() const {
    return Stft({.padding = EdgePadding::kReflect})(audio_.unsqueeze(0)).squeeze(0).t();  // [257, 201]
  }
  torch::Tensor Power() const { return torch::real(Spectrum()).square() + torch::imag(Spectrum()).square(); }

  std::map<std::string, at::Tensor> expected_;
  torch::Tensor audio_;
};

TEST_F(GoldenLogMelTest, WindowIsPeriodicHannInTheMiddle) {
  EXPECT_LT(MaxDifference(Stft().window(), expected_.at("window")), 1e-7);
}

TEST_F(GoldenLogMelTest, StftAndPowerMatchTheReference) {
  EXPECT_LT(MaxDifference(torch::real(Spectrum()), expected_.at("stft.real")), 2e-5);
  EXPECT_LT(MaxDifference(torch::imag(Spectrum()), expected_.at("stft.imag")), 2e-5);
  EXPECT_LT(MaxDifference(Power(), expected_.at("power")), 1e-3);
}

TEST_F(GoldenLogMelTest, FilterbanksMatchTheReferenceInAllFourDialects) {
  for (const auto& [scale, scale_name] : {std::pair(MelScale::kHtk, "htk"), std::pair(MelScale::kSlaney, "slaney")}) {
    for (const auto& [norm, norm_name] : {std::pair(MelNorm::kPeak, "peak"), std::pair(MelNorm::kArea, "area")}) {
      const std::string name = std::string("mel64.") + scale_name + "." + norm_name;
      EXPECT_LT(MaxDifference(MelFilters(64, 512, 16000, 0, 8000, scale, norm), expected_.at(name)), 1e-6) << name;
    }
  }
}

TEST_F(GoldenLogMelTest, LogMelsMatchTheReference) {
  const auto log_mel = [&](MelScale scale, MelNorm norm) {
    return LogMel(Power().t(), MelFilters(64, 512, 16000, 0, 8000, scale, norm)).t();
  };
  EXPECT_LT(MaxDifference(log_mel(MelScale::kHtk, MelNorm::kPeak), expected_.at("logmel64.htk.peak")), 1e-4);
  EXPECT_LT(MaxDifference(log_mel(MelScale::kSlaney, MelNorm::kArea), expected_.at("logmel64.slaney.area")), 1e-4);
}

TEST_F(GoldenLogMelTest, WhisperLogMelMatchesTheReference) {
  EXPECT_LT(MaxDifference(MelFilters(80, 400, 16000, 0, 8000, MelScale::kSlaney, MelNorm::kArea),
                          expected_.at("whisper.mel_filters")),
            1e-6);
  EXPECT_LT(MaxDifference(WhisperLogMel(audio_), expected_.at("whisper.log_mel_2s")), 5e-5);
}

TEST_F(GoldenLogMelTest, ChannelZeroIsTheReferenceLogMelShiftedAndScaled) {
  torch::Tensor foa = torch::zeros({4, audio_.size(0)});
  foa[0] = audio_;
  const torch::Tensor got = FoaFeatures()(foa)[0];  // [200, 64]
  const torch::Tensor want =
      (torch::log(expected_.at("logmel64.htk.peak").t().to(torch::kFloat64).exp() + 1e-8) - std::log(1e-8)) * 0.25;
  // Frames 0 and 1 and the last see the edges, which are zeros here and mirrored there.
  EXPECT_LT(MaxDifference(got.slice(0, 2, 199), want.slice(0, 2, 199)), 1e-4);
}

// AmbiX plane wave of `signal` from a direction.
torch::Tensor PlaneWave(const torch::Tensor& signal, double azimuth_deg, double elevation_deg) {
  const double az = azimuth_deg * kRadians, el = elevation_deg * kRadians;
  return torch::stack(
      {signal, signal * (std::cos(el) * std::sin(az)), signal * std::sin(el), signal * (std::cos(el) * std::cos(az))});
}

TEST(FoaFeaturesTest, PlaneWaveGivesItsDirectionAndTheProductsOfIt) {
  torch::manual_seed(1);
  const torch::Tensor signal = torch::randn({kSamples}) * 0.1;
  for (const auto& [azimuth, elevation] :
       {std::pair(0.0, 0.0), std::pair(90.0, 0.0), std::pair(-135.0, 30.0), std::pair(20.0, -80.0)}) {
    const torch::Tensor features = FoaFeatures()(PlaneWave(signal, azimuth, elevation));
    const double az = azimuth * kRadians, el = elevation * kRadians;
    const double u[3] = {std::cos(el) * std::cos(az), std::cos(el) * std::sin(az), std::sin(el)};
    const double want[9] = {u[0],        u[1],        u[2],        u[0] * u[0], u[1] * u[1],
                            u[2] * u[2], u[0] * u[1], u[0] * u[2], u[1] * u[2]};
    for (int c = 0; c < 9; ++c) {
      EXPECT_LT((features[1 + c] - want[c]).abs().max().item<double>(), 2e-4) << "channel " << 1 + c;
    }
  }
}

TEST(FoaFeaturesTest, DiffuseNoiseHasNoIntensityAndEqualCovariances) {
  torch::manual_seed(2);
  // SN3D: in a diffuse field each dipole has a third of W's power.
  torch::Tensor foa = torch::randn({4, 20 * kSamples}) * 0.1;
  foa.slice(0, 1, 4).mul_(1 / std::sqrt(3.0));
  const torch::Tensor mean = FoaFeatures()(foa).mean({1, 2});
  for (int c : {1, 2, 3, 7, 8, 9}) EXPECT_NEAR(mean[c].item<double>(), 0, 0.01) << c;
  // E = (1 + 3 / 3) / 2 = 1. The mean of a ratio over few bins is not the ratio of means: hence the width.
  for (int c : {4, 5, 6}) EXPECT_NEAR(mean[c].item<double>(), 1.0 / 3, 0.03) << c;
}

TEST(FoaFeaturesTest, SilenceIsZeroEverywhere) {
  EXPECT_EQ(FoaFeatures()(torch::zeros({4, 8000})).abs().max().item<double>(), 0);
}

TEST(FoaFeaturesTest, LevelIsAbsoluteAndDirectionDoesNotDependOnIt) {
  torch::manual_seed(3);
  const torch::Tensor wave = PlaneWave(torch::randn({kSamples}), 40, 10);
  const torch::Tensor loud = FoaFeatures()(wave), soft = FoaFeatures()(wave * 0.1);
  const torch::Tensor step = loud[0] - soft[0];
  EXPECT_NEAR(step.mean().item<double>(), FoaFeatures::kPowerScale * 2 * std::log(10.0), 1e-4);
  EXPECT_LT(MaxDifference(loud.slice(0, 1, 10), soft.slice(0, 1, 10)), 1e-3);
}

// The sound field itself turned: dipole channels mapped, then features taken.
torch::Tensor TurnSound(const torch::Tensor& foa, const torch::Tensor& map) {
  const torch::Tensor xyz = torch::stack({foa[3], foa[1], foa[2]});
  const torch::Tensor turned = torch::matmul(map.to(foa.scalar_type()), xyz);
  return torch::stack({foa[0], turned[1], turned[2], turned[0]});
}

TEST(FeatureRotationTest, FeaturesOfATurnedClipAreTheTurnedFeatures) {
  torch::manual_seed(4);
  torch::Tensor foa = torch::randn({4, kSamples}) * 0.1;
  foa += PlaneWave(torch::randn({kSamples}) * 0.2, 77, -20);  // neither diffuse nor plane
  const FoaFeatures extract;
  const torch::Tensor features = extract(foa);
  for (const double yaw : {0.0, 33.0, 90.0, -171.5}) {
    for (const bool mirror_y : {false, true}) {
      for (const bool mirror_z : {false, true}) {
        const torch::Tensor map = YawReflectionMap(yaw, mirror_y, mirror_z);
        EXPECT_LT(MaxDifference(RotateFeatures(features, map), extract(TurnSound(foa, map))), 2e-4)
            << yaw << " " << mirror_y << mirror_z;
      }
    }
  }
  const torch::Tensor any = std::get<0>(torch::linalg_qr(torch::randn({3, 3}, torch::kFloat64)));
  EXPECT_LT(MaxDifference(RotateFeatures(features, any), extract(TurnSound(foa, any))), 2e-4);
}

TEST(FeatureRotationTest, PositiveYawTurnsFrontToLeft) {
  const torch::Tensor front = torch::tensor({1.0, 0.0, 0.0}, torch::kFloat64);
  const torch::Tensor turned = torch::matmul(YawReflectionMap(90, false, false), front);
  EXPECT_NEAR(turned[1].item<double>(), 1, 1e-12);
}

TEST(FoaFeaturesTest, AFrameIsFinalOnceItsWindowIsKnown) {
  torch::manual_seed(5);
  const torch::Tensor foa = torch::randn({4, kSamples});
  const torch::Tensor whole = FoaFeatures()(foa);
  // Sample 160 * 40 + 200 is the first that frame 40 does not see.
  torch::Tensor other = foa.clone();
  other.slice(1, 160 * 40 + 200) = 7;
  const torch::Tensor changed = FoaFeatures()(other);
  EXPECT_TRUE(torch::equal(whole.slice(1, 0, 41), changed.slice(1, 0, 41)));
  EXPECT_FALSE(torch::equal(whole.select(1, 41), changed.select(1, 41)));
}

TEST(FoaFeaturesTest, BatchEqualsEachClipAloneAndOddSamplesAreDropped) {
  torch::manual_seed(6);
  const torch::Tensor foa = torch::randn({3, 4, 16159});
  const FoaFeatures extract(32);
  const torch::Tensor together = extract(foa);
  EXPECT_EQ(together.sizes(), (std::vector<int64_t>{3, 10, 100, 32}));
  for (int64_t i = 0; i < 3; ++i) EXPECT_TRUE(torch::equal(together[i], extract(foa[i])));
}

}  // namespace
}  // namespace auricle::model
