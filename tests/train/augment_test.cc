#include "model/train/augment.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <numbers>

#include "model/feature/foa_features.h"
#include "tests/train/seeded.h"

namespace auricle::train {
namespace {

// A plane wave of noise from `direction` in AmbiX: W = s, (Y, Z, X) = s times the direction's components.
torch::Tensor PlaneWave(const torch::Tensor& direction) {
  const torch::Tensor s = 0.1 * torch::randn({16000}, Seeded(1));
  return torch::stack({s, s * direction[1], s * direction[2], s * direction[0]});
}

TEST(Augment, TurnsFeaturesAndTruthTogether) {
  const torch::Tensor direction = torch::tensor({0.6f, 0.64f, 0.48f});
  const torch::Tensor one = model::FoaFeatures(64)(PlaneWave(direction)).unsqueeze(0);
  SceneTargets targets = SceneTargets::Zeros(3, 4, 10, 7, torch::kCPU);
  targets.exists.select(1, 0).fill_(1);
  targets.direction.select(1, 0).copy_(direction.expand({3, 3}));
  targets.frame_direction.select(1, 0).copy_(direction.expand({3, 10, 3}));
  AugmentOptions options;
  options.gain_db = 0;
  options.mask_probability = 0;
  const torch::Tensor turned =
      Augment(one.expand({3, -1, -1, -1}).contiguous(), targets, options, model::FoaFeatures::kPowerScale, Seeded(2));
  for (int64_t b = 0; b < 3; ++b) {
    const torch::Tensor truth = targets.direction[b][0];
    EXPECT_NEAR(truth.norm().item<double>(), 1.0, 1e-5);
    EXPECT_GT((truth - direction).abs().max().item<double>(), 0.05);
    EXPECT_TRUE(torch::allclose(targets.frame_direction[b][0][4], truth, 1e-5, 1e-6));
    // Channels 1-3 are the active intensity: for a plane wave its unit direction, in every band and frame.
    const torch::Tensor heard = turned[b].slice(0, 1, 4).slice(1, 10, 90).mean({1, 2});
    EXPECT_TRUE(torch::allclose(heard / heard.norm(), truth, 1e-2, 1e-2)) << heard << truth;
    EXPECT_TRUE(torch::allclose(turned[b][0], one[0][0], 1e-5, 1e-6));
  }
}

TEST(Augment, KindsOfMotionStayTrueInTheMirror) {
  // Four sources on the move: to the left (azimuth grows), to the right, towards the listener, not at all.
  const int64_t left = v1::MOTION_KIND_MOVING_LEFT - v1::MOTION_KIND_STATIC,
                right = v1::MOTION_KIND_MOVING_RIGHT - v1::MOTION_KIND_STATIC,
                approaching = v1::MOTION_KIND_APPROACHING - v1::MOTION_KIND_STATIC;
  constexpr int64_t kScenes = 16;
  SceneTargets targets = SceneTargets::Zeros(kScenes, 4, 10, 7, torch::kCPU);
  targets.motion.copy_(torch::tensor({left, right, approaching, int64_t{0}}).expand({kScenes, 4}));
  const torch::Tensor grows = torch::arange(10) * 0.05 + 1.0;
  const auto path = [](const torch::Tensor& azimuth) {
    return torch::stack({azimuth.cos(), azimuth.sin(), torch::zeros_like(azimuth)}, -1);
  };
  targets.frame_direction.select(1, 0).copy_(path(grows).expand({kScenes, 10, 3}));
  targets.frame_direction.select(1, 1).copy_(path(-grows).expand({kScenes, 10, 3}));
  AugmentOptions options;
  options.gain_db = 0;
  options.mask_probability = 0;
  Augment(torch::zeros({kScenes, 10, 100, 64}), targets, options, model::FoaFeatures::kPowerScale, Seeded(5));
  int mirrored = 0;
  for (int64_t b = 0; b < kScenes; ++b) {
    for (int64_t n = 0; n < 2; ++n) {
      const torch::Tensor from = targets.frame_direction[b][n][0], to = targets.frame_direction[b][n][9];
      // The third component of from x to: above 0 where the azimuth grows.
      const bool to_the_left = (from[0] * to[1] - from[1] * to[0]).item<double>() > 0;
      EXPECT_EQ(targets.motion[b][n].item<int64_t>(), to_the_left ? left : right) << b << " " << n;
      mirrored += to_the_left != (n == 0);
    }
    EXPECT_EQ(targets.motion[b][2].item<int64_t>(), approaching);
    EXPECT_EQ(targets.motion[b][3].item<int64_t>(), 0);
  }
  EXPECT_GT(mirrored, 0);
  EXPECT_LT(mirrored, 2 * kScenes);
}

TEST(Augment, ChangesTheLevelAsAGainOnTheSoundWould) {
  const torch::Tensor wave = PlaneWave(torch::tensor({1.f, 0.f, 0.f}));
  const model::FoaFeatures features(64);
  const torch::Tensor quiet = features(wave);
  SceneTargets targets = SceneTargets::Zeros(1, 4, 10, 7, torch::kCPU);
  AugmentOptions options;
  options.rotate = false;
  options.mask_probability = 0;
  options.gain_db = 2;
  const torch::Tensor changed =
      Augment(quiet.unsqueeze(0).clone(), targets, options, model::FoaFeatures::kPowerScale, Seeded(3))[0];
  const double shift = (changed[0] - quiet[0]).mean().item<double>();
  const double gain = std::exp(shift / model::FoaFeatures::kPowerScale / 2);
  EXPECT_LE(std::abs(20 * std::log10(gain)), 2.0);
  EXPECT_TRUE(torch::allclose(changed[0].slice(0, 5, 95), features(wave * gain)[0].slice(0, 5, 95), 1e-2, 1e-2));
}

TEST(SceneTargets, HoldTheTruthOfAScene) {
  v1::Scene scene;
  v1::Source& source = *scene.add_sources();
  source.set_class_name("dog");
  source.mutable_direction()->set_azimuth_deg(90);
  source.mutable_direction()->set_elevation_deg(30);
  source.set_distance_m(2);
  source.set_motion(v1::MOTION_KIND_MOVING_LEFT);
  for (uint32_t f : {3u, 4u}) {
    v1::SourceFrame& frame = *source.add_frames();
    frame.set_frame(f);
    frame.set_activity(1);
    frame.mutable_direction()->set_azimuth_deg(-90);
    frame.set_distance_m(4);
  }
  scene.mutable_room()->set_volume_m3(100);
  scene.mutable_room()->set_t30_seconds(0.5);
  v1::BandTime& band = *scene.mutable_room()->add_t30_bands();
  band.set_centre_hz(1000);
  band.set_seconds(0.25);
  SceneTargets t = SceneTargets::Zeros(1, 4, 10, 3, torch::kCPU);
  ASSERT_TRUE(FillTargets(scene, IndexClasses({"bell", "dog"}), {0, 500, 1000}, 0, t).ok());
  EXPECT_TRUE(t.exists[0].equal(torch::tensor({1.f, 0.f, 0.f, 0.f})));
  EXPECT_EQ(t.class_index[0][0].item<int64_t>(), 1);
  const float half_root3 = std::sqrt(3.0f) / 2;
  EXPECT_TRUE(torch::allclose(t.direction[0][0], torch::tensor({0.f, half_root3, 0.5f}), 1e-5, 1e-6));
  EXPECT_NEAR(t.log_distance[0][0].item<double>(), std::log(2.0), 1e-6);
  EXPECT_EQ(t.motion[0][0].item<int64_t>(), 1);
  EXPECT_EQ(t.activity[0][0].sum().item<float>(), 2);
  EXPECT_TRUE(torch::allclose(t.frame_direction[0][0][3], torch::tensor({0.f, -1.f, 0.f}), 1e-5, 1e-6));
  EXPECT_NEAR(t.frame_log_distance[0][0][4].item<double>(), std::log(4.0), 1e-6);
  EXPECT_TRUE(t.t30_known[0].equal(torch::tensor({1.f, 0.f, 1.f})));
  EXPECT_NEAR(t.log_t30[0][0].item<double>(), std::log(0.5), 1e-6);
  EXPECT_NEAR(t.log_t30[0][2].item<double>(), std::log(0.25), 1e-6);
  EXPECT_NEAR(t.log_volume[0].item<double>(), std::log(100.0), 1e-5);
}

TEST(SceneTargets, RefuseAClassOutsideTheVocabularyByName) {
  v1::Scene scene;
  scene.add_sources()->set_class_name("unicorn");
  SceneTargets t = SceneTargets::Zeros(1, 4, 10, 3, torch::kCPU);
  const absl::Status status = FillTargets(scene, IndexClasses({"dog"}), {0, 500, 1000}, 0, t);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(std::string(status.message()).find("unicorn"), std::string::npos);
}

}  // namespace
}  // namespace auricle::train
