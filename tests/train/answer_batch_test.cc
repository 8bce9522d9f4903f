#include "model/train/answer_batch.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <vector>

#include "model/train/decoder_step.h"
#include "model/train/learner.h"
#include "tests/train/seeded.h"

namespace auricle::train {
namespace {

model::DecoderConfig SmallDecoder() {
  model::DecoderConfig c;
  c.vocab_size = 50;
  c.hidden_size = 32;
  c.num_hidden_layers = 2;
  c.num_attention_heads = 4;
  c.num_key_value_heads = 2;
  c.head_dim = 8;
  c.intermediate_size = 48;
  c.tie_word_embeddings = true;
  return c;
}

AnswerBlock Block(std::vector<model::TokenId> prompt, std::vector<model::TokenId> answer, AnswerKind kind) {
  return {std::move(prompt), {std::move(answer)}, kind};
}

std::vector<AnswerRow> TwoRows() {
  AnswerRow a, b;
  a.before_audio = {1, 2};
  a.blocks = {Block({5, 6, 7}, {8, 3}, AnswerKind::kOpen), Block({9, 10}, {11, 12, 13, 3}, AnswerKind::kOpen)};
  b.before_audio = {1, 2};
  b.blocks = {Block({14, 15, 16, 17, 18}, {19, 20, 3}, AnswerKind::kCaption)};
  return {a, b};
}

TEST(AnswerBatch, JudgesExactlyTheAnswersOfEachBlock) {
  const AnswerBatch batch = PackAnswers(TwoRows(), 0);
  EXPECT_TRUE(batch.target_id.equal(torch::tensor({8, 3, 11, 12, 13, 3, 19, 20, 3}, torch::kInt64)));
  // The token at a target's place is what is read just before it: the prompt's last, then the answer so far.
  const torch::Tensor read = batch.ids.flatten().index_select(0, batch.target_place);
  EXPECT_TRUE(read.equal(torch::tensor({7, 8, 10, 11, 12, 13, 18, 19, 20}, torch::kInt64)));
}

TEST(AnswerBatch, ComputesForABlockWhatItWouldAlone) {
  const auto decoder = model::Decoder::Random(SmallDecoder(), Seeded(1));
  ASSERT_TRUE(decoder.ok());
  const torch::NoGradGuard no_grad;
  const std::vector<AnswerRow> rows = TwoRows();
  const torch::Tensor packed = AnswerHidden(*decoder, nullptr, nullptr, PackAnswers(rows, 0));
  std::vector<torch::Tensor> alone;
  for (const AnswerRow& row : rows) {
    for (const AnswerBlock& block : row.blocks) {
      // One plain causal sequence, without masks of any kind.
      std::vector<int64_t> ids(row.before_audio.begin(), row.before_audio.end());
      ids.insert(ids.end(), block.prompt.begin(), block.prompt.end());
      const int64_t first = static_cast<int64_t>(ids.size()) - 1;
      ids.insert(ids.end(), block.answers[0].begin(), block.answers[0].end() - 1);
      const torch::Tensor sequence = torch::tensor(ids, torch::kInt64).unsqueeze(0);
      const torch::Tensor hidden =
          decoder->Forward(decoder->Embed(sequence), torch::arange(sequence.size(1)).unsqueeze(0));
      alone.push_back(hidden[0].slice(0, first));
    }
  }
  EXPECT_TRUE(torch::allclose(packed, torch::cat(alone), 1e-4, 1e-5));
}

TEST(AnswerBatch, ComputesForAnOptionWhatItWouldAlone) {
  const auto decoder = model::Decoder::Random(SmallDecoder(), Seeded(7));
  ASSERT_TRUE(decoder.ok());
  const torch::NoGradGuard no_grad;
  // One question with three options among other blocks, and each option as a block of its own.
  AnswerRow joined, apart;
  joined.before_audio = apart.before_audio = {1, 2};
  const AnswerBlock before = Block({5, 6}, {7, 8, 3}, AnswerKind::kOpen);
  const AnswerBlock after = Block({20}, {21, 3}, AnswerKind::kOpen);
  const std::vector<std::vector<model::TokenId>> options = {{9, 10, 3}, {11, 3}, {12, 13, 14, 3}};
  joined.blocks = {before, {{15, 16, 17}, options, AnswerKind::kOption}, after};
  apart.blocks = {before};
  for (const auto& option : options) apart.blocks.push_back(Block({15, 16, 17}, option, AnswerKind::kOpen));
  apart.blocks.push_back(after);
  const torch::Tensor shared = AnswerHidden(*decoder, nullptr, nullptr, PackAnswers({joined}, 0));
  const torch::Tensor alone = AnswerHidden(*decoder, nullptr, nullptr, PackAnswers({apart}, 0));
  ASSERT_EQ(shared.sizes(), alone.sizes());
  EXPECT_TRUE(torch::allclose(shared, alone, 1e-4, 1e-5));
}

TEST(AnswerBatch, PutsEachRowsOwnAudioBetweenItsWords) {
  model::EarsConfig ears = model::EarsConfig::Tiny();
  model::ProjectorConfig shape;
  shape.decoder_width = 32;
  torch::manual_seed(1);
  model::EarsNetwork network(ears);
  model::Projector projector(ears, shape);
  network->eval();
  projector->eval();
  const torch::NoGradGuard no_grad;
  const auto decoder = model::Decoder::Random(SmallDecoder(), Seeded(2));
  ASSERT_TRUE(decoder.ok());
  const torch::Tensor counts = torch::tensor({20, 12}, torch::kInt64);
  const model::EarsOutput heard = network->forward(torch::randn({2, 10, 200, ears.mels}, Seeded(3)), counts);
  std::vector<AnswerRow> rows = TwoRows();
  for (int i = 0; i < 2; ++i)
    rows[i].audio_tokens = model::ProjectorImpl::TokenCount(ears, shape, counts[i].item<int64_t>());
  const torch::Tensor packed = AnswerHidden(*decoder, &projector, &heard, PackAnswers(rows, 0));
  const model::AudioTokens tokens = projector->forward(heard);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(rows[i].audio_tokens, tokens.lengths[i].item<int64_t>());
  // Row 1's only block, by hand: words, that clip's tokens, words.
  const AnswerBlock& block = rows[1].blocks[0];
  auto embed = [&](const std::vector<int64_t>& ids) { return decoder->Embed(torch::tensor(ids, torch::kInt64)); };
  const torch::Tensor sequence =
      torch::cat({embed({1, 2}), tokens.embeddings[1].slice(0, 0, rows[1].audio_tokens), embed({14, 15, 16, 17, 18}),
                  embed({block.answers[0][0], block.answers[0][1]})})
          .unsqueeze(0);
  const torch::Tensor hidden = decoder->Forward(sequence, torch::arange(sequence.size(1)).unsqueeze(0));
  const int64_t first = 2 + rows[1].audio_tokens + 5 - 1;
  EXPECT_TRUE(torch::allclose(packed.slice(0, 6), hidden[0].slice(0, first), 1e-4, 1e-5));
}

TEST(AnswerLoss, IsPlainCrossEntropyOnOneToken) {
  AnswerRow row;
  row.before_audio = {1};
  row.blocks = {Block({5}, {8}, AnswerKind::kOpen)};  // no end token: one word alone
  const AnswerBatch batch = PackAnswers({row}, 0);
  const torch::Tensor logits = torch::randn({1, 50}, Seeded(4));
  double sum = 0;
  for (int64_t i = 0; i < 50; ++i) sum += std::exp(logits[0][i].item<double>());
  EXPECT_NEAR(ComputeAnswerLoss(logits, batch).total.item<double>(), std::log(sum) - logits[0][8].item<double>(), 1e-5);
}

// A contest of three options, of one, two and one tokens, and one of two, in another row.
std::vector<AnswerRow> TwoContests() {
  AnswerRow a, b;
  a.before_audio = b.before_audio = {1};
  a.blocks = {{{5}, {{8}, {9, 10}, {11}}, AnswerKind::kOption}};
  b.blocks = {{{6}, {{12, 13}, {14}}, AnswerKind::kOption}};
  return {a, b};
}

TEST(AnswerLoss, JudgesOptionsAgainstEachOtherByTheSumOfTheirTokens) {
  const AnswerBatch batch = PackAnswers(TwoContests(), 0);
  const torch::Tensor logits = torch::randn({7, 50}, Seeded(5)) * 2;
  // By hand, in double: log-probabilities of the seven tokens in the order of packing.
  std::vector<double> log_p;
  const int64_t ids[] = {8, 9, 10, 11, 12, 13, 14};
  for (int64_t t = 0; t < 7; ++t) {
    double sum = 0;
    for (int64_t i = 0; i < 50; ++i) sum += std::exp(logits[t][i].item<double>());
    log_p.push_back(logits[t][ids[t]].item<double>() - std::log(sum));
  }
  const double first = std::exp(log_p[0]), second = std::exp(log_p[1] + log_p[2]), third = std::exp(log_p[3]);
  const double fourth = std::exp(log_p[4] + log_p[5]), fifth = std::exp(log_p[6]);
  const double one = -std::log(first / (first + second + third)), two = -std::log(fourth / (fourth + fifth));
  const AnswerLoss loss = ComputeAnswerLoss(logits, batch);
  EXPECT_NEAR(loss.choice.item<double>(), (one + two) / 2, 1e-5);
  const double right = (first > second && first > third) + (fourth > fifth);
  EXPECT_NEAR(loss.choice_right.item<double>(), right / 2, 1e-6);
  // Right options' words count a half each, a contest two.
  EXPECT_NEAR(loss.total.item<double>(), (2 * (one + two) - 0.5 * (log_p[0] + log_p[4] + log_p[5])) / (2 * 2 + 0.5 * 3),
              1e-5);
}

TEST(AnswerLoss, AContestPullsTheRightOptionUpAndItsRivalsDown) {
  const AnswerBatch batch = PackAnswers(TwoContests(), 0);
  torch::Tensor logits = torch::randn({7, 50}, Seeded(6)).set_requires_grad(true);
  ComputeAnswerLoss(logits, batch).total.backward();
  const torch::Tensor pull = -logits.grad().gather(1, batch.target_id.unsqueeze(1)).squeeze(1);
  for (int64_t t : {0, 4, 5}) EXPECT_GT(pull[t].item<double>(), 0) << t;
  for (int64_t t : {1, 2, 3, 6}) EXPECT_LT(pull[t].item<double>(), 0) << t;
  EXPECT_TRUE(logits.grad().isfinite().all().item<bool>());
}

TEST(Learner, TwoReplicasStepAsOneOnTheJoinedBatch) {
  // Least squares: the mean of two half-batch gradients is the whole batch's gradient.
  auto g = Seeded(5);
  const torch::Tensor start = torch::randn({20, 24}, g), x = torch::randn({8, 20}, g), y = torch::randn({8, 24}, g);
  auto backward = [](const torch::Tensor& w, const torch::Tensor& in, const torch::Tensor& out) {
    (in.mm(w) - out).pow(2).mean().backward();
  };
  auto leaf = [&] { return start.clone().set_requires_grad(true); };
  std::vector<Parameter> one = {{"w", leaf()}}, first = {{"w", leaf()}}, second = {{"w", leaf()}};
  Learner whole({}, 0.9, {one}, {{}}, 1), halves({}, 0.9, {first, second}, {{}, {}}, 2);
  for (int step = 0; step < 3; ++step) {
    backward(one[0].value, x, y);
    backward(first[0].value, x.slice(0, 0, 4), y.slice(0, 0, 4));
    backward(second[0].value, x.slice(0, 4, 8), y.slice(0, 4, 8));
    whole.Step(0.01);
    halves.Step(0.01);
  }
  EXPECT_TRUE(torch::allclose(one[0].value, first[0].value, 1e-3, 1e-3));
  EXPECT_TRUE(first[0].value.equal(second[0].value));
  EXPECT_FALSE(torch::allclose(first[0].value, start, 1e-3, 1e-3));
}

TEST(Learner, AStepThatIsSkippedLeavesWeightsAndStatisticsAsTheyWere) {
  auto g = Seeded(8);
  const torch::Tensor weight = torch::randn({6, 5}, g), statistic = torch::randn({5}, g);
  std::vector<Parameter> p = {{"w", weight.clone().set_requires_grad(true)}}, b = {{"mean", statistic.clone()}};
  Learner learner({}, 0.9, {p}, {b}, 1);
  // What a forward pass on a NaN leaves behind.
  b[0].value.fill_(std::nan(""));
  p[0].value.mutable_grad() = torch::full({6, 5}, std::nan(""));
  EXPECT_FALSE(std::isfinite(learner.Step(0.01)));
  EXPECT_TRUE(p[0].value.equal(weight));
  EXPECT_TRUE(b[0].value.equal(statistic));
  EXPECT_TRUE(learner.Averages().at("mean").equal(statistic));
  // The next step is one like any other.
  p[0].value.mutable_grad() = torch::randn({6, 5}, g);
  EXPECT_TRUE(std::isfinite(learner.Step(0.01)));
  EXPECT_TRUE(learner.Averages().at("mean").isfinite().all().item<bool>());
}

TEST(Learner, GoesOnFromItsStateAsIfNothingHadHappened) {
  auto run = [](bool interrupt) {
    auto g = Seeded(6);
    std::vector<Parameter> p = {{"w", torch::randn({20, 24}, g).set_requires_grad(true)},
                                {"b", torch::randn({24}, g).set_requires_grad(true)}};
    auto learner = std::make_unique<Learner>(OptimizerOptions{}, 0.9, std::vector<std::vector<Parameter>>{p},
                                             std::vector<std::vector<Parameter>>(1), 1);
    for (int step = 0; step < 6; ++step) {
      if (interrupt && step == 3) {
        std::map<std::string, torch::Tensor> state;
        for (const auto& [name, tensor] : learner->State()) state[name] = tensor.clone();
        p = {{"w", torch::zeros({20, 24}).set_requires_grad(true)}, {"b", torch::zeros({24}).set_requires_grad(true)}};
        learner = std::make_unique<Learner>(OptimizerOptions{}, 0.9, std::vector<std::vector<Parameter>>{p},
                                            std::vector<std::vector<Parameter>>(1), 1);
        EXPECT_TRUE(learner->LoadState(state).ok());
      }
      for (Parameter& item : p) item.value.mutable_grad() = torch::randn(item.value.sizes(), g);
      learner->Step(0.01);
    }
    return std::pair(p[0].value.detach().clone(), learner->Averages().at("b").clone());
  };
  const auto straight = run(false), resumed = run(true);
  EXPECT_TRUE(straight.first.equal(resumed.first));
  EXPECT_TRUE(straight.second.equal(resumed.second));
}

}  // namespace
}  // namespace auricle::train
