// Properties of the network: what it may not see, and that batching and caching change nothing.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "model/encoder/ears_network.h"
#include "model/encoder/mixed_precision.h"
#include "model/feature/foa_features.h"
#include "tests/model/max_difference.h"

namespace auricle::model {
namespace {

// A network whose batch norms have seen something, so that eval mode is not the identity.
EarsNetwork SeasonedNetwork(const EarsConfig& config) {
  torch::manual_seed(11);
  EarsNetwork network(config);
  network->train();
  for (int i = 0; i < 3; ++i) network->forward(torch::randn({2, kFeatureChannels, 80, config.mels}) + 0.5);
  network->eval();
  return network;
}

torch::Tensor RandomFeatures(int64_t batch, int64_t tokens, int mels) {
  return torch::randn({batch, kFeatureChannels, tokens * kFramesPerToken, mels}) + 0.5;
}

class EarsNetworkTest : public testing::Test {
 protected:
  EarsConfig config_ = EarsConfig::Tiny();
  EarsNetwork network_ = SeasonedNetwork(config_);
  torch::NoGradGuard no_grad_;
};

TEST_F(EarsNetworkTest, ShapesAreThoseOfTheContract) {
  const EarsOutput out = network_->forward(RandomFeatures(2, 7, config_.mels));
  const int64_t b = 2, n = 7, k = config_.slots, c = config_.classes, d = config_.width;
  using Sizes = std::vector<int64_t>;
  EXPECT_EQ(out.token_mask.sizes(), (Sizes{b, n}));
  EXPECT_EQ(out.semantic_tokens.sizes(), (Sizes{b, n, d}));
  EXPECT_EQ(out.spatial_tokens.sizes(), (Sizes{b, n, d}));
  EXPECT_EQ(out.fused_tokens.sizes(), (Sizes{b, n, d}));
  EXPECT_EQ(out.slot_embeddings.sizes(), (Sizes{b, k, d}));
  EXPECT_EQ(out.exist_logits.sizes(), (Sizes{b, k}));
  EXPECT_EQ(out.class_logits.sizes(), (Sizes{b, k, c}));
  EXPECT_EQ(out.direction.sizes(), (Sizes{b, k, 3}));
  EXPECT_EQ(out.log_distance.sizes(), (Sizes{b, k}));
  EXPECT_EQ(out.motion_logits.sizes(), (Sizes{b, k, 5}));
  EXPECT_EQ(out.activity_logits.sizes(), (Sizes{b, k, n}));
  EXPECT_EQ(out.frame_direction.sizes(), (Sizes{b, k, n, 3}));
  EXPECT_EQ(out.frame_log_distance.sizes(), (Sizes{b, k, n}));
  EXPECT_EQ(out.sed_logits.sizes(), (Sizes{b, n, c}));
  EXPECT_EQ(out.log_t30.sizes(), (Sizes{b, 7}));
  EXPECT_EQ(out.log_volume.sizes(), (Sizes{b}));
  EXPECT_EQ(out.free_field_logit.sizes(), (Sizes{b}));
  EXPECT_LT((out.direction.norm(2, -1) - 1).abs().max().item<double>(), 1e-3);
}

TEST_F(EarsNetworkTest, TokensDoNotSeePastTheirChunkAndTheLookahead) {
  const torch::Tensor features = RandomFeatures(1, 24, config_.mels);
  const torch::Tensor before = network_->forward(features).fused_tokens;
  // Tokens 8..11 are the third chunk; its last frame is 119.
  const int64_t first_unseen = 12 * kFramesPerToken + EarsNetworkImpl::kLookaheadFrames;
  torch::Tensor changed = features.clone();
  changed.slice(2, first_unseen).fill_(3);
  const torch::Tensor after = network_->forward(changed).fused_tokens;
  EXPECT_LT(MaxDifference(before.slice(1, 0, 12), after.slice(1, 0, 12)), 1e-6);
  EXPECT_GT(MaxDifference(before.slice(1, 12, 16), after.slice(1, 12, 16)), 1e-4);
  // The bound is tight: one frame earlier is seen by the chunk's last token.
  changed = features.clone();
  changed.select(2, first_unseen - 1).fill_(3);
  EXPECT_GT(MaxDifference(before.slice(1, 8, 12), network_->forward(changed).fused_tokens.slice(1, 8, 12)), 1e-7);
}

TEST_F(EarsNetworkTest, LocalTokensReachNoFurtherThanTheirReceptiveField) {
  const torch::Tensor features = RandomFeatures(1, 20, config_.mels);
  torch::Tensor changed = features.clone();
  changed.slice(2, 0, 100 - EarsNetworkImpl::kLookbackFrames).fill_(-2);
  const auto before = network_->EncodeLocal(features), after = network_->EncodeLocal(changed);
  EXPECT_LT(MaxDifference(before.spatial.slice(1, 10), after.spatial.slice(1, 10)), 1e-6);
  EXPECT_LT(MaxDifference(before.semantic.slice(1, 10), after.semantic.slice(1, 10)), 1e-6);
  EXPECT_GT(MaxDifference(before.spatial.slice(1, 9, 10), after.spatial.slice(1, 9, 10)), 1e-7);
}

TEST_F(EarsNetworkTest, ShortClipInAMixedBatchEqualsItselfAlone) {
  const torch::Tensor features = RandomFeatures(2, 20, config_.mels);  // behind clip 1's end: rubbish
  const EarsOutput both = network_->forward(features, torch::tensor({20, 9}));
  const EarsOutput alone = network_->forward(features.slice(0, 1).slice(2, 0, 90));
  const auto near = [](const torch::Tensor& batch, const torch::Tensor& single) {
    EXPECT_LT(MaxDifference(batch[1], single[0]), 2e-5);
  };
  near(both.exist_logits, alone.exist_logits);
  near(both.class_logits, alone.class_logits);
  near(both.direction, alone.direction);
  near(both.log_t30, alone.log_t30);
  near(both.log_volume, alone.log_volume);
  near(both.activity_logits.slice(2, 0, 9), alone.activity_logits);
  near(both.sed_logits.slice(1, 0, 9), alone.sed_logits);
  near(both.fused_tokens.slice(1, 0, 9), alone.fused_tokens);
  EXPECT_EQ(both.token_mask.sum(1)[1].item<int64_t>(), 9);
}

TEST_F(EarsNetworkTest, BatchEqualsEachClipAlone) {
  const torch::Tensor features = RandomFeatures(3, 10, config_.mels);
  const EarsOutput both = network_->forward(features);
  for (int64_t i = 0; i < 3; ++i) {
    const EarsOutput alone = network_->forward(features.slice(0, i, i + 1));
    EXPECT_LT(MaxDifference(both.class_logits[i], alone.class_logits[0]), 2e-5);
    EXPECT_LT(MaxDifference(both.frame_direction[i], alone.frame_direction[0]), 2e-5);
  }
}

TEST_F(EarsNetworkTest, ListensAgainToTheLastTenSecondsOfEachClipWhateverItsPadding) {
  const int64_t tokens = kListenTokens + 23;
  torch::Tensor features = RandomFeatures(3, tokens, config_.mels);
  const std::vector<int64_t> counts = {tokens, kListenTokens + 4, 60};
  const EarsOutput both = network_->forward(features, torch::tensor(counts));
  for (int64_t i = 0; i < 3; ++i) {
    const torch::Tensor own = features.slice(0, i, i + 1).slice(2, 0, counts[i] * kFramesPerToken);
    const EarsOutput alone = network_->forward(own);
    EXPECT_LT(MaxDifference(both.class_logits[i], alone.class_logits[0]), 1e-4) << i;
    EXPECT_LT(MaxDifference(both.log_distance[i], alone.log_distance[0]), 1e-4) << i;
    EXPECT_LT(MaxDifference(both.course[i], alone.course[0]), 1e-4) << i;
    EXPECT_LT(MaxDifference(both.motion_logits[i], alone.motion_logits[0]), 1e-4) << i;
  }
}

TEST_F(EarsNetworkTest, WithoutBeamsThereIsNoListener) {
  EarsConfig config = config_;
  config.beams = false;
  EarsNetwork network = SeasonedNetwork(config);
  EXPECT_FALSE(network->forward(RandomFeatures(1, 7, config.mels)).course.defined());
  for (const auto& item : network->named_parameters()) EXPECT_EQ(item.key().find("listener"), std::string::npos);
}

TEST_F(EarsNetworkTest, FusionChunkByChunkEqualsFusionAtOnce) {
  EarsConfig config = config_;
  config.left_chunks = 2;  // so that the cache is cut as well
  EarsNetwork network = SeasonedNetwork(config);
  const int64_t tokens = 26;  // the last chunk is not whole
  const EarsNetworkImpl::LocalTokens local = network->EncodeLocal(RandomFeatures(1, tokens, config.mels));
  const torch::Tensor whole = network->Fuse(local);
  FusionCache cache;
  std::vector<torch::Tensor> parts;
  for (int64_t t = 0; t < tokens;) {
    const int64_t step = std::min<int64_t>(t == 8 ? 8 : 4, tokens - t);
    parts.push_back(network->Fuse(
        {.semantic = local.semantic.slice(1, t, t + step), .spatial = local.spatial.slice(1, t, t + step)}, {},
        &cache));
    t += step;
  }
  EXPECT_LT(MaxDifference(whole, torch::cat(parts, 1)), 1e-5);
  EXPECT_EQ(cache.layers[0].keys.size(2), 8);
}

TEST_F(EarsNetworkTest, Bf16StaysCloseToFloat32AndGivesFloat32) {
  const torch::Tensor features = RandomFeatures(1, 20, config_.mels);
  const EarsOutput exact = network_->forward(features);
  const Bf16Scope scope;
  const EarsOutput rounded = network_->forward(features);
  EXPECT_EQ(rounded.class_logits.scalar_type(), torch::kFloat32);
  EXPECT_EQ(rounded.frame_direction.scalar_type(), torch::kFloat32);
  EXPECT_LT(MaxDifference(exact.class_logits, rounded.class_logits), 0.1);
  EXPECT_FALSE(torch::equal(exact.class_logits, rounded.class_logits));
}

TEST(EarsTrainingTest, EveryParameterHasAGradient) {
  torch::manual_seed(3);
  const EarsConfig config = EarsConfig::Tiny();
  EarsNetwork network(config);
  const EarsOutput out = network->forward(RandomFeatures(3, 8, config.mels), torch::tensor({8, 5, 8}));
  torch::Tensor loss = torch::zeros({});
  for (const torch::Tensor& t : {out.exist_logits, out.class_logits, out.direction, out.log_distance, out.motion_logits,
                                 out.activity_logits, out.frame_direction, out.frame_log_distance, out.sed_logits,
                                 out.log_t30, out.log_volume, out.free_field_logit}) {
    loss = loss + (t * torch::randn_like(t)).sum();
  }
  loss.backward();
  for (const auto& item : network->named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_TRUE(torch::isfinite(item.value().grad()).all().item<bool>()) << item.key();
    EXPECT_GT(item.value().grad().abs().max().item<double>(), 0) << item.key();
  }
}

TEST(EarsConfigTest, SurvivesJsonAndRefusesWhatItDoesNotKnow) {
  const auto back = EarsConfig::FromJson(EarsConfig::Tiny().ToJson());
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->ToJson(), EarsConfig::Tiny().ToJson());
  EXPECT_EQ(back->spatial.channels, EarsConfig::Tiny().spatial.channels);
  for (const auto& [json, field] :
       {std::pair(R"({"slots": 0})", "ears.slots"), std::pair(R"({"slot": 4})", "ears.slot"),
        std::pair(R"({"heads": "four"})", "ears.heads"),
        std::pair(R"({"spatial_channels": [8, 8]})", "ears.spatial_channels"),
        std::pair(R"({"width": 100, "heads": 8})", "ears.width"), std::pair(R"([1])", "ears")}) {
    const auto refused = EarsConfig::FromJson(nlohmann::json::parse(json));
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << json;
    EXPECT_NE(refused.status().message().find(field), absl::string_view::npos) << refused.status();
  }
}

}  // namespace
}  // namespace auricle::model
