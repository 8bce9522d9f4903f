// Beams and courses against waveforms and closed forms.
#include "model/encoder/beam.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <numbers>

#include "model/encoder/course.h"
#include "model/encoder/ears_config.h"
#include "model/feature/foa_features.h"
#include "tests/model/max_difference.h"

namespace auricle::model {
namespace {

constexpr double kDegree = std::numbers::pi / 180.0;

torch::Tensor Towards(double azimuth_deg, double elevation_deg) {
  const double az = azimuth_deg * kDegree, el = elevation_deg * kDegree;
  return torch::tensor({std::cos(el) * std::cos(az), std::cos(el) * std::sin(az), std::sin(el)}, torch::kFloat32);
}

// One slot that looks in one direction all the time.
torch::Tensor Constant(const torch::Tensor& direction, int64_t tokens) {
  return direction.view({1, 1, 1, 3}).expand({1, 1, tokens, 3});
}

TEST(BeamTest, EqualsTheFeaturesOfTheBeamFormedSignal) {
  torch::manual_seed(31);
  torch::Tensor foa = torch::randn({4, 16000}) * 0.05;  // diffuse, and a wave from the left
  const torch::Tensor wave = torch::randn({16000}) * 0.1;
  foa[0] += wave;
  foa[1] += wave;
  const FoaFeatures extract;
  const torch::Tensor features = extract(foa).unsqueeze(0);
  for (const auto& [azimuth, elevation] : {std::pair{90.0, 0.0}, {-90.0, 0.0}, {20.0, 50.0}, {180.0, -80.0}}) {
    const torch::Tensor d = Towards(azimuth, elevation);
    torch::Tensor formed = torch::zeros({4, 16000});
    formed[0] = kBeamOmni * foa[0] + kBeamFigureEight * (d[0] * foa[3] + d[1] * foa[1] + d[2] * foa[2]);
    const torch::Tensor truth = extract(formed)[0];
    const torch::Tensor beam = BeamFeatures(features, Constant(d, 10))[0][0];
    // Where next to nothing comes from that side, the beam is the small difference of large moments.
    const torch::Tensor heard = truth - features[0][0] > FoaFeatures::kPowerScale * std::log(0.03);
    EXPECT_GT(heard.to(torch::kFloat32).mean().item<double>(), 0.8);
    EXPECT_LT(((beam[0] - truth) * heard).abs().max().item<double>(), 5e-3) << azimuth << " " << elevation;
    EXPECT_LT(((beam[1] - truth + features[0][0]) * heard).abs().max().item<double>(), 5e-3)
        << azimuth << " " << elevation;
  }
}

TEST(BeamTest, APlaneWaveIsHeardThroughThePatternAndSilenceStaysSilent) {
  torch::manual_seed(32);
  const torch::Tensor wave = torch::randn({16000}) * 0.1;
  const torch::Tensor source = Towards(-130, 25);
  const torch::Tensor foa = torch::stack({wave, source[1] * wave, source[2] * wave, source[0] * wave});
  const torch::Tensor features = FoaFeatures()(foa).unsqueeze(0);
  for (const double off : {0.0, 40.0, 80.0, 150.0, 180.0}) {
    // Turned by `off` within the vertical plane through the source.
    const torch::Tensor gain = BeamFeatures(features, Constant(Towards(-130, 25 - off), 10))[0][0][1];
    const double pattern = kBeamOmni + kBeamFigureEight * std::cos(off * kDegree);
    EXPECT_NEAR(gain.mean().item<double>(), FoaFeatures::kPowerScale * std::log(pattern * pattern), 2e-3) << off;
  }
  const torch::Tensor silent = torch::zeros({1, kFeatureChannels, 20, 16});
  EXPECT_EQ(BeamFeatures(silent, Constant(source, 2)).select(2, 0).abs().max().item<float>(), 0);
}

TEST(BeamTest, EveryTokenHasItsOwnDirection) {
  torch::manual_seed(33);
  const torch::Tensor features = FoaFeatures(16)(torch::randn({1, 4, 3200}));  // two tokens
  const torch::Tensor directions = torch::stack({Towards(10, 0), Towards(-100, 30)}).view({1, 1, 2, 3});
  const torch::Tensor both = BeamFeatures(features, directions);
  for (int64_t token = 0; token < 2; ++token) {
    const torch::Tensor alone = BeamFeatures(features, Constant(directions[0][0][token], 2));
    EXPECT_LT(MaxDifference(both.slice(3, 10 * token, 10 * token + 10), alone.slice(3, 10 * token, 10 * token + 10)),
              1e-6);
  }
}

// A wave whose direction goes from one azimuth to another, the same all the time else.
torch::Tensor Sweep(const torch::Tensor& wave, double from_deg, double to_deg) {
  const torch::Tensor azimuth = torch::linspace(from_deg * kDegree, to_deg * kDegree, wave.size(0));
  return torch::stack({wave, wave * azimuth.sin(), torch::zeros_like(wave), wave * azimuth.cos()});
}

TEST(TrackInBeamsTest, FollowsWhatMovesThroughTheBeamAndNotWhatRestsElsewhere) {
  const torch::Tensor rise = torch::linspace(0.05, 0.2, 48000);  // comes closer: four times as loud at the end
  // In bands of their own: two noises of one spectrum would leave no cell to either.
  const torch::Tensor turns = torch::arange(48000, torch::kFloat64) * (2 * std::numbers::pi / 16000);
  const auto tone = [&](double hz) { return torch::sin(turns * hz).to(torch::kFloat32); };
  const torch::Tensor moving = Sweep((tone(300) + tone(450) + tone(700)) * rise, -20, 20);
  const torch::Tensor resting = Sweep((tone(2000) + tone(3100) + tone(4300)) * 0.1, 130, 130);
  const torch::Tensor directions = torch::stack({Towards(0, 0), Towards(130, 0)}).unsqueeze(0);
  const torch::Tensor all = torch::ones({1, 2, 30}), unknown = torch::zeros({1, 2, 30});
  const auto course = [&](const torch::Tensor& foa) {
    const BeamTrack track = TrackInBeams(FoaFeatures()(foa).unsqueeze(0), directions);
    return CourseOf(all, track.direction, unknown, track.level)[0];
  };
  const torch::Tensor alone = course(moving);
  EXPECT_NEAR(alone[0][0].item<double>(), 40 * kDegree, 2 * kDegree);
  EXPECT_NEAR(alone[0][3].item<double>(), std::log(4.0), 0.25) << "ln amplitude, a line through a curve";
  const torch::Tensor both = course(moving + resting);
  EXPECT_GT(both[0][0].item<double>(), 20 * kDegree);
  EXPECT_LT(both[0][0].item<double>(), 44 * kDegree);
  EXPECT_LT(std::abs(both[1][0].item<double>()), 8 * kDegree);
  EXPECT_GT(both[0][3].item<double>(), 0.8);
}

TEST(TrackInBeamsTest, SilenceHasNoDirection) {
  const BeamTrack track = TrackInBeams(torch::zeros({1, kFeatureChannels, 20, 16}), Towards(30, 0).view({1, 1, 3}));
  EXPECT_EQ(track.direction.abs().max().item<float>(), 0);
  EXPECT_TRUE(torch::isfinite(track.level).all().item<bool>());
}

TEST(CourseTest, ReadsTheChangeOffASteadyMotionAcrossTheSeam) {
  constexpr int64_t kTokens = 80;
  torch::Tensor weights = torch::zeros({1, 1, kTokens}), directions = torch::zeros({1, 1, kTokens, 3});
  torch::Tensor distance = torch::zeros({1, 1, kTokens}), level = torch::zeros({1, 1, kTokens});
  for (int64_t t = 0; t < kTokens; ++t) {
    const double seconds = 0.1 * static_cast<double>(t);
    directions[0][0][t] = Towards(140 + 10 * seconds, 5 - 2 * seconds);  // passes 180 degrees at 4 s
    distance[0][0][t] = 1 + 0.2 * seconds;
    level[0][0][t] = -0.05 * seconds;
  }
  weights.slice(2, 20, 60) = 1;  // from 2 s to 6 s
  const torch::Tensor course = CourseOf(weights, directions, distance, level)[0][0];
  const auto value = [&](int i) { return course[i].item<double>(); };
  // Lines are drawn a little flatter than they are, by 0.01 s^2 over the variance of 4 s / sqrt(12): 0.7 %.
  EXPECT_NEAR(value(0), 40 * kDegree, 0.01 * 40 * kDegree) << "to the left";
  EXPECT_NEAR(value(1), -8 * kDegree, 0.01 * 8 * kDegree);
  EXPECT_NEAR(value(2), 0.8, 0.01);
  EXPECT_NEAR(value(3), -0.2, 0.003);
  EXPECT_NEAR(value(4), 0.4, 1e-3) << "tens of seconds";
  EXPECT_LT(value(5), 0.01) << "a straight line leaves nothing";
  EXPECT_NEAR(value(6), std::cos(3 * kDegree), 1e-3);
}

TEST(CourseTest, ASourceAtRestOrSilentHasNone) {
  const torch::Tensor at_rest = Constant(Towards(-60, 10), 50);
  const torch::Tensor level = torch::full({1, 1, 50}, 2.0);
  for (const double weight : {1.0, 0.0}) {
    const torch::Tensor course = CourseOf(torch::full({1, 1, 50}, weight), at_rest, level, level)[0][0];
    EXPECT_LT(course.slice(0, 0, 4).abs().max().item<float>(), 1e-3) << weight;
    EXPECT_LT(course[5].item<float>(), 2e-3) << weight;
  }
}

}  // namespace
}  // namespace auricle::model
