#include "model/decoder/decoder.h"

#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/checkpoint/temporary_folder.h"
#include "tests/decoder/small_decoder.h"

namespace auricle::model {
namespace {

DecoderConfig Medium(bool tied) {
  DecoderConfig config = SmallConfig();
  config.hidden_size = 128;
  config.head_dim = 32;
  config.intermediate_size = 256;
  config.tie_word_embeddings = tied;
  return config;
}

TEST(DecoderTest, StartsFromScaledNormalWeightsThatRequireGradients) {
  const Decoder decoder = Decoder::Random(Medium(false), at::detail::createCPUGenerator(1)).value();
  for (const auto& [name, parameter] : decoder.NamedParameters()) {
    EXPECT_TRUE(parameter.requires_grad() && parameter.is_leaf()) << name;
    if (parameter.dim() == 1) {
      EXPECT_TRUE(parameter.eq(1).all().item<bool>()) << name;  // norms; this shape has no biases
      continue;
    }
    const bool residual = name.find("o_proj") != std::string::npos || name.find("down_proj") != std::string::npos;
    const double sd = residual ? 0.02 / std::sqrt(2.0 * 2) : 0.02;
    // The standard error of an estimated standard deviation is sd / sqrt(2 n).
    const double tolerance = 6 * sd / std::sqrt(2.0 * static_cast<double>(parameter.numel()));
    EXPECT_NEAR(parameter.std().item<double>(), sd, tolerance) << name;
  }
}

TEST(DecoderTest, TheSeedDecidesTheWeights) {
  const auto weights = [](uint64_t seed) {
    return Decoder::Random(Medium(true), at::detail::createCPUGenerator(seed))->NamedParameters().front().second;
  };
  EXPECT_TRUE(weights(4).equal(weights(4)));
  EXPECT_FALSE(weights(4).equal(weights(5)));
}

TEST(DecoderTest, LaterPositionsNeverReachEarlierOnes) {
  at::NoGradGuard no_grad;
  const auto decoder = SmallDecoder(2);
  const at::Tensor ids = at::arange(10, at::kLong).unsqueeze(0), positions = at::arange(10, at::kLong).unsqueeze(0);
  at::Tensor changed = ids.clone();
  changed[0][6] = 99;
  const at::Tensor before = decoder->Forward(decoder->Embed(ids), positions),
                   after = decoder->Forward(decoder->Embed(changed), positions);
  EXPECT_TRUE(before.narrow(1, 0, 6).equal(after.narrow(1, 0, 6)));
  EXPECT_GT((before - after).narrow(1, 6, 4).abs().min().item<double>(), 0);
}

TEST(DecoderTest, OnlyDistancesBetweenPositionsMatter) {
  at::NoGradGuard no_grad;
  const auto decoder = SmallDecoder(2);
  const at::Tensor embeds = decoder->Embed(at::tensor({7, 70, 17, 27}, at::kLong).unsqueeze(0));
  const at::Tensor here = decoder->Forward(embeds, at::tensor({0, 1, 2, 3}, at::kLong).unsqueeze(0));
  const at::Tensor there = decoder->Forward(embeds, at::tensor({30, 31, 32, 33}, at::kLong).unsqueeze(0));
  const at::Tensor stretched = decoder->Forward(embeds, at::tensor({0, 2, 4, 6}, at::kLong).unsqueeze(0));
  EXPECT_LE((here - there).abs().max().item<double>(), 1e-4);
  EXPECT_GT((here - stretched).abs().max().item<double>(), 1e-3);
}

TEST(DecoderTest, StepsRequestsOfUnequalLengthTogetherAsEachAlone) {
  at::NoGradGuard no_grad;
  const auto decoder = SmallDecoder(6);
  std::vector<KvCache> caches;
  std::vector<at::Tensor> alone;
  const std::vector<int64_t> lengths = {1, 9, 4}, next = {12, 250, 31};
  for (size_t i = 0; i < lengths.size(); ++i) {
    const at::Tensor ids = (at::arange(lengths[i] + 1, at::kLong) * 31 % 261).unsqueeze(0);
    ids[0][lengths[i]] = next[i];
    const at::Tensor positions = at::arange(lengths[i] + 1, at::kLong).unsqueeze(0);
    alone.push_back(decoder->Forward(decoder->Embed(ids), positions)[0][lengths[i]]);
    caches.emplace_back(decoder->config(), 1, 12, at::kFloat);
    decoder->Forward(decoder->Embed(ids.narrow(1, 0, lengths[i])), positions.narrow(1, 0, lengths[i]), {},
                     &caches.back());
  }
  std::vector<KvCache*> pointers;
  for (KvCache& cache : caches) pointers.push_back(&cache);
  const at::Tensor together =
      decoder->Step(decoder->Embed(at::tensor(next, at::kLong)), at::tensor(lengths, at::kLong), pointers);
  for (size_t i = 0; i < lengths.size(); ++i) {
    EXPECT_LE((together[static_cast<int64_t>(i)] - alone[i]).abs().max().item<double>(), 1e-5) << i;
    EXPECT_EQ(caches[i].length(), lengths[i] + 1);
  }
}

TEST(DecoderTest, ComesBackFromACheckpointUnderAPrefix) {
  at::NoGradGuard no_grad;
  for (bool tied : {false, true}) {
    const TemporaryFolder folder;
    const std::string path = folder.File("d.safetensors");
    const Decoder written = Decoder::Random(Medium(tied), at::detail::createCPUGenerator(8)).value();
    NamedTensors named;
    for (const auto& [name, tensor] : written.NamedParameters()) named.emplace_back("decoder." + name, tensor);
    if (tied) named.emplace_back("decoder.lm_head.weight", at::zeros({261, 128}));  // stored all the same: ignored
    ASSERT_TRUE(SaveTensors(path, named).ok());
    CheckpointTensors tensors = CheckpointTensors::Open(path).value();
    const auto read = Decoder::FromCheckpoint(Medium(tied), tensors, "decoder.", at::kFloat);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_TRUE(tensors.RefuseLeftovers().ok());
    const at::Tensor hidden = at::ones({1, 128});
    EXPECT_TRUE(read->Logits(hidden).equal(written.Logits(hidden)));
  }
}

TEST(DecoderTest, RefusesACheckpointOfAnotherShapeByName) {
  const TemporaryFolder folder;
  const std::string path = folder.File("d.safetensors");
  const Decoder written = Decoder::Random(Medium(true), at::detail::createCPUGenerator(8)).value();
  ASSERT_TRUE(SaveTensors(path, written.NamedParameters()).ok());
  DecoderConfig deeper = Medium(true);
  deeper.num_hidden_layers = 3;
  CheckpointTensors tensors = CheckpointTensors::Open(path).value();
  const absl::Status missing = Decoder::FromCheckpoint(deeper, tensors, "", at::kFloat).status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(missing.message().find("model.layers.2.input_layernorm.weight"), absl::string_view::npos) << missing;
  DecoderConfig wider = Medium(true);
  wider.intermediate_size = 300;
  CheckpointTensors again = CheckpointTensors::Open(path).value();
  const absl::Status shape = Decoder::FromCheckpoint(wider, again, "", at::kFloat).status();
  EXPECT_EQ(shape.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(shape.message().find("[256, 128]"), absl::string_view::npos) << shape;
}

TEST(DecoderTest, TrainsUnderAutocastWithFiniteGradientsCloseToFloat) {
  const auto gradient = [](bool autocast) {
    const auto decoder = SmallDecoder(13, Medium(true));
    decoder->SetRequiresGrad(true);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::set_autocast_enabled(at::kCPU, autocast);
    const at::Tensor ids = at::arange(16, at::kLong).unsqueeze(0) * 11 % 261;
    const at::Tensor hidden = decoder->Forward(decoder->Embed(ids), at::arange(16, at::kLong).unsqueeze(0));
    const at::Tensor logits = decoder->Logits(hidden[0]);
    at::autocast::set_autocast_enabled(at::kCPU, false);
    at::autocast::clear_cache();
    at::cross_entropy_loss(logits.to(at::kFloat), ids[0].roll(-1)).backward();
    return decoder->NamedParameters().front().second.grad();
  };
  const at::Tensor exact = gradient(false), rounded = gradient(true);
  EXPECT_EQ(rounded.scalar_type(), at::kFloat);
  const double error = ((exact - rounded).norm() / exact.norm()).item<double>();
  EXPECT_LE(error, 0.15);  // the reference measured 5-12 % of the norm
  EXPECT_GT(error, 1e-5);
}

TEST(DecoderTest, ThrowsOnShapesThatDoNotFit) {
  at::NoGradGuard no_grad;
  const auto decoder = SmallDecoder(1);
  const at::Tensor embeds = at::zeros({1, 3, 16}), positions = at::arange(3, at::kLong).unsqueeze(0);
  EXPECT_THROW(decoder->Forward(at::zeros({1, 3, 15}), positions), c10::Error);
  EXPECT_THROW(decoder->Forward(embeds, positions.narrow(1, 0, 2)), c10::Error);
  EXPECT_THROW(decoder->Forward(embeds, positions, at::ones({1, 1, 3, 4}, at::kBool)), c10::Error);
  EXPECT_THROW(decoder->Forward(embeds, positions, at::zeros({1, 1, 3, 3})), c10::Error);
}

}  // namespace
}  // namespace auricle::model
