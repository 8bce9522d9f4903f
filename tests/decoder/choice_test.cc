#include "model/generate/choice.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/decoder/small_decoder.h"

namespace auricle::model {
namespace {

class ChooseSequenceTest : public ::testing::Test {
 protected:
  // Logits after `ids`, without any cache.
  at::Tensor LogitsAfter(const std::vector<TokenId>& ids) {
    const at::Tensor row = at::tensor(ids, at::kLong).unsqueeze(0);
    return decoder_->Logits(
        decoder_->Forward(decoder_->Embed(row), at::arange(row.size(1), at::kLong).unsqueeze(0))[0][-1]);
  }
  at::NoGradGuard no_grad_;
  const std::shared_ptr<Decoder> decoder_ = SmallDecoder(31);
};

TEST_F(ChooseSequenceTest, SumsTheLogProbabilitiesOfEveryTokenOfAnOption) {
  const std::vector<TokenId> prompt = {3, 1, 4, 1, 5};
  const std::vector<std::vector<TokenId>> options = {{10, 11, 12, 258}, {20, 258}, {258}, {10, 99, 258}};
  KvCache cache(decoder_->config(), 1, 5, at::kFloat);
  const at::Tensor row = at::tensor(prompt, at::kLong).unsqueeze(0);
  const at::Tensor hidden = decoder_->Forward(decoder_->Embed(row), at::arange(5, at::kLong).unsqueeze(0), {}, &cache);
  const auto choice = ChooseSequence(*decoder_, cache, decoder_->Logits(hidden[0][-1]), options);
  ASSERT_TRUE(choice.ok()) << choice.status();

  double total = 0;
  size_t best = 0;
  std::vector<double> expected;
  for (const auto& option : options) {
    std::vector<TokenId> so_far = prompt;
    double sum = 0;
    for (TokenId id : option) {
      sum += LogitsAfter(so_far).log_softmax(-1)[id].item<double>();
      so_far.push_back(id);
    }
    expected.push_back(sum);
    total += std::exp(sum);
    if (sum > expected[best]) best = expected.size() - 1;
  }
  for (size_t i = 0; i < options.size(); ++i) {
    EXPECT_NEAR(choice->log_probabilities[i], expected[i], 1e-4) << i;
    EXPECT_NEAR(choice->probabilities[i], std::exp(expected[i]) / total, 1e-4) << i;
  }
  EXPECT_EQ(choice->index, best);
  EXPECT_EQ(cache.length(), 5);  // the prompt's cache is as it was
}

TEST_F(ChooseSequenceTest, NamesTheOptionThatIsWrong) {
  KvCache cache(decoder_->config(), 1, 5, at::kFloat);
  const at::Tensor logits = at::zeros({261});
  const auto code = [&](const std::vector<std::vector<TokenId>>& options) {
    return ChooseSequence(*decoder_, cache, logits, options).status().code();
  };
  EXPECT_EQ(code({}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({{1}, {}}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({{1, 261}}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({std::vector<TokenId>(65, 1)}), absl::StatusCode::kResourceExhausted);  // the context holds 64
}

}  // namespace
}  // namespace auricle::model
