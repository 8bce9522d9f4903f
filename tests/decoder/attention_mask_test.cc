#include "model/decoder/attention_mask.h"

#include <gtest/gtest.h>

#include "tests/decoder/small_decoder.h"

namespace auricle::model {
namespace {

at::Tensor Bools(const std::vector<std::vector<int>>& rows) {
  std::vector<at::Tensor> tensors;
  for (const auto& row : rows) tensors.push_back(at::tensor(row, at::kInt));
  return at::stack(tensors).to(at::kBool);
}

TEST(AttentionMaskTest, HidesPaddingOnEitherSideAndTheFuture) {
  const at::Tensor valid = Bools({{0, 0, 1, 1}, {1, 1, 1, 0}});
  const at::Tensor mask = CausalPaddingMask(valid, 4);
  EXPECT_TRUE(mask[0][0].equal(Bools({{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 1, 1}})));
  EXPECT_TRUE(mask[1][0].equal(Bools({{1, 0, 0, 0}, {1, 1, 0, 0}, {1, 1, 1, 0}, {1, 1, 1, 1}})));
  EXPECT_TRUE(CausalPaddingMask(valid, 1)[0][0].equal(Bools({{0, 0, 1, 1}})));
  EXPECT_TRUE(PaddedPositions(valid).equal(at::tensor({0, 0, 0, 1, 0, 1, 2, 2}, at::kLong).view({2, 4})));
}

TEST(AttentionMaskTest, LetsEachContinuationSeeThePrefixAndItself) {
  const at::Tensor segment = at::tensor({0, 0, 1, 1, 2, 2, -1}, at::kLong).unsqueeze(0);
  const at::Tensor expected = Bools({{1, 0, 0, 0, 0, 0, 0},
                                     {1, 1, 0, 0, 0, 0, 0},
                                     {1, 1, 1, 0, 0, 0, 0},
                                     {1, 1, 1, 1, 0, 0, 0},
                                     {1, 1, 0, 0, 1, 0, 0},
                                     {1, 1, 0, 0, 1, 1, 0}});
  EXPECT_TRUE(SharedPrefixMask(segment)[0][0].narrow(0, 0, 6).equal(expected));
  EXPECT_TRUE(SharedPrefixPositions(segment)[0].narrow(0, 0, 6).equal(at::tensor({0, 1, 2, 3, 2, 3}, at::kLong)));
}

TEST(AttentionMaskTest, LetsAContinuationGoOnFromAnother) {
  // Prefix, a question (1), its two options (2, 3), a question of its own (4), padding.
  const at::Tensor segment = at::tensor({0, 1, 2, 2, 3, 4, -1}, at::kLong).unsqueeze(0);
  const at::Tensor trunk = at::tensor({0, 1, 1, 1, 1, 4, -1}, at::kLong).unsqueeze(0);
  const at::Tensor expected = Bools({{1, 0, 0, 0, 0, 0, 0},
                                     {1, 1, 0, 0, 0, 0, 0},
                                     {1, 1, 1, 0, 0, 0, 0},
                                     {1, 1, 1, 1, 0, 0, 0},
                                     {1, 1, 0, 0, 1, 0, 0},
                                     {1, 0, 0, 0, 0, 1, 0}});
  EXPECT_TRUE(SharedPrefixMask(segment, trunk)[0][0].narrow(0, 0, 6).equal(expected));
  EXPECT_TRUE(
      SharedPrefixPositions(segment, trunk)[0].narrow(0, 0, 6).equal(at::tensor({0, 1, 2, 3, 2, 1}, at::kLong)));
}

TEST(AttentionMaskTest, PackedContinuationsComputeWhatEachWouldAlone) {
  at::NoGradGuard no_grad;
  const auto decoder = SmallDecoder(11);
  const at::Tensor prefix = at::tensor({5, 17, 200, 3}, at::kLong), one = at::tensor({9, 8, 7}, at::kLong),
                   two = at::tensor({100, 50}, at::kLong);
  const at::Tensor segment = at::tensor({0, 0, 0, 0, 1, 1, 1, 2, 2, -1, -1}, at::kLong).unsqueeze(0);
  const at::Tensor ids = at::cat({prefix, one, two, at::tensor({0, 0}, at::kLong)}).unsqueeze(0);
  const at::Tensor packed =
      decoder->Forward(decoder->Embed(ids), SharedPrefixPositions(segment), SharedPrefixMask(segment))[0];
  for (const auto& [tail, from] : {std::pair{one, 4}, std::pair{two, 7}}) {
    const at::Tensor alone_ids = at::cat({prefix, tail}).unsqueeze(0);
    const at::Tensor alone =
        decoder->Forward(decoder->Embed(alone_ids), at::arange(alone_ids.size(1), at::kLong).unsqueeze(0))[0];
    EXPECT_LE((packed.narrow(0, from, tail.size(0)) - alone.narrow(0, 4, tail.size(0))).abs().max().item<double>(),
              1e-5);
  }
}

TEST(AttentionMaskTest, AQueryThatMaySeeNothingStaysFiniteForwardAndBackward) {
  const auto decoder = SmallDecoder(12);
  decoder->SetRequiresGrad(true);
  at::Tensor mask = at::ones({1, 1, 4, 4}, at::kBool).tril();
  mask[0][0][2].fill_(false);
  const at::Tensor ids = at::tensor({1, 2, 3, 4}, at::kLong).unsqueeze(0);
  const at::Tensor hidden = decoder->Forward(decoder->Embed(ids), at::arange(4, at::kLong).unsqueeze(0), mask);
  EXPECT_TRUE(hidden.isfinite().all().item<bool>());
  hidden[0][1].sum().backward();
  for (const auto& [name, parameter] : decoder->NamedParameters()) {
    EXPECT_TRUE(!parameter.grad().defined() || parameter.grad().isfinite().all().item<bool>()) << name;
  }
}

}  // namespace
}  // namespace auricle::model
