#include "model/generate/generation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/text/bpe_trainer.h"
#include "model/text/utf8.h"
#include "tests/decoder/golden_model.h"
#include "tests/decoder/small_decoder.h"

namespace auricle::model {
namespace {

class GenerationTest : public ::testing::Test {
 protected:
  static std::shared_ptr<const Tokenizer> ByteTokenizer() {
    const std::vector<std::string_view> special = {"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|audio|>", "<|x|>"};
    return Tokenizer::FromJson(TrainBpe({}, 261, special).value(), "bytes").value();
  }

  std::unique_ptr<Generation> Start(const std::vector<int64_t>& prompt, const GenerationOptions& options,
                                    int64_t capacity = 60) {
    at::NoGradGuard no_grad;
    return Generation::Start(decoder_, tokenizer_, KvCache(decoder_->config(), 1, capacity, at::kFloat),
                             decoder_->Embed(at::tensor(prompt, at::kLong)), options)
        .value();
  }

  // What the decoder says without a cache and without Generation: logits after `ids`.
  at::Tensor LogitsAfter(const std::vector<int64_t>& ids) {
    at::NoGradGuard no_grad;
    const at::Tensor row = at::tensor(ids, at::kLong).unsqueeze(0);
    const at::Tensor hidden = decoder_->Forward(decoder_->Embed(row), at::arange(row.size(1), at::kLong).unsqueeze(0));
    return decoder_->Logits(hidden[0][-1]);
  }

  static std::vector<TokenId> RunAll(Generation& generation) {
    std::vector<TokenId> tokens;
    while (!generation.finished()) tokens.push_back(generation.Step()->token);
    return tokens;
  }

  const std::shared_ptr<Decoder> decoder_ = SmallDecoder(21);
  const std::shared_ptr<const Tokenizer> tokenizer_ = ByteTokenizer();
};

TEST_F(GenerationTest, ContinuesGreedilyAsTheDecoderAloneWould) {
  GenerationOptions options;
  options.max_new_tokens = 10;
  auto generation = Start({1, 2, 3}, options);
  std::vector<int64_t> ids = {1, 2, 3};
  for (int i = 0; i < 10; ++i) {
    const at::Tensor logits = LogitsAfter(ids);
    const auto step = generation->Step();
    ASSERT_TRUE(step.ok()) << step.status();
    EXPECT_EQ(step->token, logits.argmax().item<int64_t>()) << i;
    EXPECT_NEAR(step->log_probability, logits.log_softmax(-1).max().item<double>(), 1e-5);
    EXPECT_EQ(step->finish, i == 9 ? FinishReason::kLength : FinishReason::kRunning);
    ids.push_back(step->token);
  }
  EXPECT_EQ(generation->prompt_tokens(), 3);
  EXPECT_EQ(generation->new_tokens(), 10);
  EXPECT_EQ(generation->Step().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(GenerationTest, StopsAtAStopTokenWithoutItsText) {
  GenerationOptions options;
  options.max_new_tokens = 20;
  const std::vector<TokenId> free = RunAll(*Start({4, 5, 6}, options));
  options.stop_tokens = {free[3]};
  const size_t first = static_cast<size_t>(std::find(free.begin(), free.end(), free[3]) - free.begin());
  auto generation = Start({4, 5, 6}, options);
  for (size_t i = 0; i < first; ++i) EXPECT_EQ(generation->Step()->finish, FinishReason::kRunning);
  const auto last = generation->Step();
  EXPECT_EQ(last->finish, FinishReason::kStop);
  EXPECT_EQ(last->token, free[3]);
}

TEST_F(GenerationTest, StreamsTextThatIsTheWholeDecode) {
  GenerationOptions options;
  options.max_new_tokens = 40;
  options.sampling.temperature = 1.5;  // wild enough for broken UTF-8
  for (uint64_t seed = 0; seed < 5; ++seed) {
    options.seed = seed;
    auto generation = Start({9}, options);
    std::vector<TokenId> tokens;
    std::string text;
    while (!generation->finished()) {
      const auto step = generation->Step();
      tokens.push_back(step->token);
      EXPECT_FALSE(FirstInvalidUtf8(step->text).has_value());
      text += step->text;
    }
    EXPECT_EQ(text, tokenizer_->Decode(tokens, true));
  }
}

TEST_F(GenerationTest, TheSeedDecidesTheAnswer) {
  GenerationOptions options;
  options.max_new_tokens = 20;
  options.sampling.temperature = 1;
  options.seed = 1;
  const auto one = RunAll(*Start({9, 8}, options));
  EXPECT_EQ(RunAll(*Start({9, 8}, options)), one);
  options.seed = 2;
  EXPECT_NE(RunAll(*Start({9, 8}, options)), one);
}

TEST_F(GenerationTest, SteppingTogetherGivesWhatEachGivesAlone) {
  GenerationOptions options;
  options.sampling.temperature = 0.8;
  const std::vector<std::vector<int64_t>> prompts = {{1}, {2, 3, 4, 5, 6}, {7, 8}, {9, 9, 9}};
  std::vector<std::vector<TokenId>> alone, together(prompts.size());
  std::vector<std::unique_ptr<Generation>> generations;
  for (size_t i = 0; i < prompts.size(); ++i) {
    options.seed = i;
    options.max_new_tokens = 5 + static_cast<int>(i) * 4;
    alone.push_back(RunAll(*Start(prompts[i], options)));
    generations.push_back(Start(prompts[i], options));
  }
  // Request i joins in round i, as in a server; each leaves when it is done.
  for (size_t round = 0; round < 40; ++round) {
    std::vector<Generation*> running;
    std::vector<size_t> which;
    for (size_t i = 0; i < generations.size() && i <= round; ++i) {
      if (generations[i]->finished()) continue;
      running.push_back(generations[i].get());
      which.push_back(i);
    }
    const auto steps = Generation::StepTogether(running);
    for (size_t n = 0; n < steps.size(); ++n) together[which[n]].push_back(steps[n]->token);
  }
  EXPECT_EQ(together, alone);
}

TEST_F(GenerationTest, AFinishedOneAmongOthersFailsAlone) {
  GenerationOptions options;
  options.max_new_tokens = 1;
  auto done = Start({1}, options);
  ASSERT_TRUE(done->Step().ok());
  options.max_new_tokens = 5;
  auto running = Start({1}, options);
  Generation* both[] = {done.get(), running.get()};
  const auto steps = Generation::StepTogether(both);
  EXPECT_EQ(steps[0].status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(steps[1].ok());
}

TEST_F(GenerationTest, EndsWhenTheCacheOrTheContextIsFull) {
  GenerationOptions options;
  options.max_new_tokens = 1000;
  // Capacity 8: three prompt positions, then tokens at 3..7; the one drawn after position 7 has no place to go.
  EXPECT_EQ(RunAll(*Start({1, 2, 3}, options, 8)).size(), 6u);
  EXPECT_EQ(RunAll(*Start({1, 2, 3}, options, 1000)).size(), 62u);  // context 64
}

TEST_F(GenerationTest, LogitsThatOverflowAreAnErrorAndNoAnswer) {
  for (auto& [name, parameter] : decoder_->NamedParameters()) {
    if (name == "lm_head.weight") parameter.fill_(3e38f);
  }
  EXPECT_EQ(Start({1, 2}, {})->Step().status().code(), absl::StatusCode::kInternal);
}

TEST_F(GenerationTest, RefusesWhatCannotWork) {
  const auto start = [&](at::Tensor prompt, const GenerationOptions& options, int64_t capacity) {
    return Generation::Start(decoder_, tokenizer_, KvCache(decoder_->config(), 1, capacity, at::kFloat), prompt,
                             options)
        .status()
        .code();
  };
  GenerationOptions options;
  EXPECT_EQ(start(at::zeros({0, 16}), options, 8), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(start(at::zeros({2, 15}), options, 8), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(start(at::zeros({9, 16}), options, 8), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(start(at::zeros({64, 16}), options, 100), absl::StatusCode::kResourceExhausted);
  options.max_new_tokens = 0;
  EXPECT_EQ(start(at::zeros({2, 16}), options, 8), absl::StatusCode::kInvalidArgument);
  options.max_new_tokens = 1;
  options.sampling.top_p = 0;
  EXPECT_EQ(start(at::zeros({2, 16}), options, 8), absl::StatusCode::kInvalidArgument);
}

TEST(GoldenGenerationTest, ContinuesTheReferencePromptsGreedily) {
  if (!GoldenModel::Exists()) GTEST_SKIP() << "shared/reference/golden is absent";
  for (const char* name : {"llama-tiny", "qwen2-tiny"}) {
    const GoldenModel golden(name);
    const auto tokenizer = Tokenizer::Load(GoldenModel::Folder("bpe-tiny") + "gpt2.json").value();
    const nlohmann::json& truth = golden.facts["audio"]["greedy"];
    at::Tensor prompt;
    {
      at::NoGradGuard no_grad;
      prompt = golden.AudioRow(golden.expected.at("audio.embeds"))[0];
    }
    GenerationOptions options;
    options.max_new_tokens = 16;
    auto generation = Generation::Start(golden.decoder, tokenizer, KvCache(golden.decoder->config(), 1, 40, at::kFloat),
                                        prompt, options)
                          .value();
    for (size_t i = 0; i < 16; ++i) {
      const auto step = generation->Step();
      ASSERT_TRUE(step.ok()) << step.status();
      EXPECT_EQ(step->token, truth["tokens"][i].get<TokenId>()) << name << " " << i;
      EXPECT_NEAR(step->log_probability, truth["logprobs"][i].get<double>(), 1e-4) << name << " " << i;
    }
  }
}

}  // namespace
}  // namespace auricle::model
