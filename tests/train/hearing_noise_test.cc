#include "model/train/hearing_noise.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "tests/train/seeded.h"

namespace auricle::train {
namespace {

model::EarsOutput Heard(int64_t clips) {
  auto g = Seeded(1);
  model::EarsOutput heard;
  heard.class_logits = torch::randn({clips, 3, 45}, g);
  heard.slot_embeddings = torch::randn({clips, 3, 64}, g);
  heard.semantic_tokens = torch::randn({clips, 20, 64}, g);
  heard.fused_tokens = torch::randn({clips, 20, 64}, g);
  heard.spatial_tokens = torch::randn({clips, 20, 64}, g);
  heard.direction = torch::randn({clips, 3, 3}, g);
  return heard;
}

TEST(HearingNoise, ShakesWhatAndLeavesWhereAlone) {
  const model::EarsOutput clean = Heard(400),
                          noisy = AddHearingNoise(clean, {.class_logits = 3, .embeddings = 0.5}, Seeded(2));
  EXPECT_TRUE(noisy.direction.equal(clean.direction));
  EXPECT_TRUE(noisy.spatial_tokens.equal(clean.spatial_tokens));
  // A strength uniform in [0, s] has noise of variance s^2 / 3 over all clips.
  EXPECT_NEAR((noisy.class_logits - clean.class_logits).square().mean().item<double>(), 3.0, 0.3);
  const double size = clean.semantic_tokens.square().mean().item<double>();
  EXPECT_NEAR((noisy.semantic_tokens - clean.semantic_tokens).square().mean().item<double>() / size, 0.25 / 3, 0.01);
  // Clips differ in strength.
  const torch::Tensor each = (noisy.class_logits - clean.class_logits).square().mean({1, 2});
  EXPECT_LT(each.min().item<double>(), 0.1);
  EXPECT_GT(each.max().item<double>(), 6);
}

TEST(HearingNoise, IsNothingAtStrengthZeroAndTheSameForOneSeed) {
  const model::EarsOutput clean = Heard(2);
  EXPECT_TRUE(
      AddHearingNoise(clean, {.class_logits = 0, .embeddings = 0}, Seeded(3)).class_logits.equal(clean.class_logits));
  EXPECT_TRUE(AddHearingNoise(clean, {}, Seeded(3))
                  .slot_embeddings.equal(AddHearingNoise(clean, {}, Seeded(3)).slot_embeddings));
}

}  // namespace
}  // namespace auricle::train
