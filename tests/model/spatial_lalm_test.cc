// The assembled model, by its public header alone. The weights are random: what is tested holds for any weights.
#include "model/spatial_lalm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <thread>

#include "model/tiny_model.h"
#include "tests/checkpoint/temporary_folder.h"

namespace auricle::model {
namespace {

audio::FoaClip Noise(double seconds, unsigned seed) {
  audio::FoaClip clip;
  const auto frames = static_cast<size_t>(std::lround(seconds * 16000));
  std::mt19937 random(seed);
  for (size_t i = 0; i < 4 * frames; ++i)
    clip.samples.push_back(0.1f * (static_cast<float>(random() % 2001) / 1000 - 1));
  return clip;
}

std::vector<AnswerStep> RunAll(Answer& answer) {
  std::vector<AnswerStep> steps;
  while (!answer.finished()) steps.push_back(answer.Step().value());
  return steps;
}

std::vector<int64_t> Tokens(const std::vector<AnswerStep>& steps) {
  std::vector<int64_t> tokens;
  for (const AnswerStep& step : steps) tokens.push_back(step.token);
  return tokens;
}

class SpatialLalmTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const TemporaryFolder folder;  // nothing stays open: the folder may go
    ASSERT_TRUE(WriteTinyModel(folder.path(), 7).ok());
    model_ = SpatialLalm::Load(folder.path()).value();
    other_ = SpatialLalm::Load(folder.path(), ComputeType::kBf16).value();
  }
  static void TearDownTestSuite() { model_ = other_ = nullptr; }

  static inline std::shared_ptr<const SpatialLalm> model_, other_;
};

TEST_F(SpatialLalmTest, HearsClipsAndCountsTheirTokens) {
  for (double seconds : {0.1, 1.0, 2.55, 5.0}) {
    const auto heard = model_->Encode(Noise(seconds, 1));
    ASSERT_TRUE(heard.ok()) << heard.status();
    EXPECT_NEAR(heard->duration_seconds, seconds, 1e-9);
    EXPECT_NEAR(heard->evidence.duration_seconds(), seconds, 1e-9);
    // One dense token for each 0.4 s begun, of whole 0.1 s; six relations, four slots and the room.
    EXPECT_EQ(heard->audio_tokens, static_cast<int>(std::ceil(std::floor(seconds * 10 + 1e-9) / 4)) + 6 + 4 + 1)
        << seconds;
  }
}

TEST_F(SpatialLalmTest, RefusesAudioThatItCannotHear) {
  audio::FoaClip clip = Noise(1, 1);
  clip.sample_rate = 48000;
  const auto rate = model_->Encode(clip).status();
  EXPECT_EQ(rate.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(rate.message().find("sample_rate"), absl::string_view::npos);
  EXPECT_EQ(model_->Encode(Noise(0.05, 1)).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(model_->Encode({}).status().code(), absl::StatusCode::kInvalidArgument);
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    clip = Noise(1, 1);
    clip.samples[20000] = bad;
    EXPECT_EQ(model_->Encode(clip).status().code(), absl::StatusCode::kInvalidArgument);
  }
  clip = Noise(1, 1);
  clip.samples.pop_back();
  EXPECT_EQ(model_->Encode(clip).status().code(), absl::StatusCode::kInvalidArgument);
  audio::FoaClip endless;
  endless.samples.assign(4 * 16000 * 420, 0.0f);  // 7 min: 1050 tokens, the context is 1024
  EXPECT_EQ(model_->Encode(endless).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(SpatialLalmTest, SurvivesSilenceClippingAndOffsets) {
  for (float level : {0.0f, 1e-4f, 1.0f, 1000.0f}) {
    audio::FoaClip clip;
    clip.samples.assign(4 * 16000, level);
    const auto heard = model_->Encode(clip);
    ASSERT_TRUE(heard.ok()) << heard.status();
    auto answer = model_->Ask(*heard, "What is there?", {.max_new_tokens = 4}).value();
    for (const AnswerStep& step : RunAll(*answer)) EXPECT_TRUE(std::isfinite(step.log_probability));
  }
}

TEST_F(SpatialLalmTest, TheSeedDecidesASampledAnswerAndGreedyNeedsNone) {
  const EncodedAudio heard = model_->Encode(Noise(2, 3)).value();
  const auto run = [&](double temperature, uint64_t seed) {
    return Tokens(RunAll(
        *model_->Ask(heard, "Where is the dog?", {.temperature = temperature, .max_new_tokens = 24, .seed = seed})
             .value()));
  };
  EXPECT_EQ(run(0, 1), run(0, 2));
  EXPECT_EQ(run(1, 1), run(1, 1));
  EXPECT_NE(run(1, 1), run(1, 2));
}

TEST_F(SpatialLalmTest, AnswersDependOnTheAudioAndOnTheQuestion) {
  const auto first = [&](unsigned audio_seed, const char* question) {
    return model_->Ask(model_->Encode(Noise(2, audio_seed)).value(), question, {}).value()->Step()->log_probability;
  };
  const double base = first(1, "Where is the dog?");
  EXPECT_EQ(first(1, "Where is the dog?"), base);
  EXPECT_NE(first(2, "Where is the dog?"), base);
  EXPECT_NE(first(1, "Where is the bell?"), base);
}

TEST_F(SpatialLalmTest, SeveralQuestionsOnOneClipDoNotDisturbEachOther) {
  const EncodedAudio heard = model_->Encode(Noise(3, 4)).value();
  const AnswerOptions options{.max_new_tokens = 12};
  const char* questions[] = {"Where is the dog?", "How many sounds are above?", "rain"};
  std::vector<std::vector<int64_t>> alone;
  for (const char* question : questions) {
    alone.push_back(Tokens(RunAll(*model_->Ask(model_->Encode(Noise(3, 4)).value(), question, options).value())));
  }
  // All three open at once, stepped in turns.
  std::vector<std::unique_ptr<Answer>> answers;
  for (const char* question : questions) answers.push_back(model_->Ask(heard, question, options).value());
  std::vector<std::vector<int64_t>> turns(3), together(3);
  for (int round = 0; round < 12; ++round) {
    for (size_t i = 0; i < 3; ++i) {
      if (!answers[i]->finished()) turns[i].push_back(answers[i]->Step()->token);
    }
  }
  EXPECT_EQ(turns, alone);
  // And in one batch.
  answers.clear();
  for (const char* question : questions) answers.push_back(model_->Ask(heard, question, options).value());
  for (int round = 0; round < 12; ++round) {
    std::vector<Answer*> running;
    std::vector<size_t> which;
    for (size_t i = 0; i < 3; ++i) {
      if (answers[i]->finished()) continue;
      running.push_back(answers[i].get());
      which.push_back(i);
    }
    const auto steps = model_->StepTogether(running);
    for (size_t n = 0; n < steps.size(); ++n) together[which[n]].push_back(steps[n]->token);
  }
  EXPECT_EQ(together, alone);
}

TEST_F(SpatialLalmTest, CountsItsTokens) {
  const EncodedAudio heard = model_->Encode(Noise(2, 3)).value();
  auto answer = model_->Ask(heard, "Where is the dog?", {.max_new_tokens = 5}).value();
  EXPECT_GT(answer->cached_tokens(), heard.audio_tokens);
  EXPECT_GT(answer->prompt_tokens(), answer->cached_tokens());
  EXPECT_EQ(answer->new_tokens(), 0);
  const size_t steps = RunAll(*answer).size();
  EXPECT_EQ(answer->new_tokens(), static_cast<int64_t>(steps));
  EXPECT_EQ(answer->Step().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SpatialLalmTest, OptionScoresSumToOneInAnyOrder) {
  const EncodedAudio heard = model_->Encode(Noise(2, 6)).value();
  const std::vector<std::string> options = {"on the left", "behind", "", "above"};
  const auto p = model_->ScoreOptions(heard, "Where is rain falling?", options);
  ASSERT_TRUE(p.ok()) << p.status();
  EXPECT_NEAR(std::accumulate(p->probabilities.begin(), p->probabilities.end(), 0.0), 1, 1e-9);
  EXPECT_GE(p->cached_tokens, heard.audio_tokens);
  EXPECT_GT(p->prompt_tokens, p->cached_tokens);
  const std::vector<std::string> reversed(options.rbegin(), options.rend());
  const auto q = model_->ScoreOptions(heard, "Where is rain falling?", reversed);
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(p->probabilities[i], q->probabilities[3 - i], 1e-5);
  EXPECT_EQ(model_->ScoreOptions(heard, "?", {}).status().code(), absl::StatusCode::kInvalidArgument);
}

// A piece of a clip, frames [begin, end).
audio::FoaClip Piece(const audio::FoaClip& clip, size_t begin, size_t end) {
  audio::FoaClip piece;
  for (int c = 0; c < 4; ++c) {
    const std::span<const float> channel = clip.channel(c);
    piece.samples.insert(piece.samples.end(), channel.begin() + static_cast<ptrdiff_t>(begin),
                         channel.begin() + static_cast<ptrdiff_t>(end));
  }
  return piece;
}

TEST_F(SpatialLalmTest, AStreamInAnyPiecesIsHeardAsTheClip) {
  const audio::FoaClip clip = Noise(4.3, 10);
  const EncodedAudio whole = model_->Encode(clip).value();
  for (size_t size : {size_t{1600}, size_t{5000}, clip.frames()}) {
    const std::unique_ptr<AudioStream> stream = model_->Listen();
    for (size_t at = 0; at < clip.frames(); at += size) {
      ASSERT_TRUE(stream->Feed(Piece(clip, at, std::min(at + size, clip.frames()))).ok());
    }
    EXPECT_NEAR(stream->seconds(), 4.3, 1e-9);
    const EncodedAudio streamed = stream->Snapshot().value();
    EXPECT_EQ(streamed.audio_tokens, whole.audio_tokens);
    ASSERT_EQ(streamed.evidence.sources_size(), whole.evidence.sources_size());
    for (int i = 0; i < whole.evidence.sources_size(); ++i) {
      const v1::Source &a = whole.evidence.sources(i), &b = streamed.evidence.sources(i);
      EXPECT_EQ(a.class_name(), b.class_name());
      EXPECT_NEAR(a.confidence(), b.confidence(), 1e-3);
      EXPECT_NEAR(a.distance_m(), b.distance_m(), 1e-3 * (1 + a.distance_m()));
    }
    EXPECT_NEAR(whole.evidence.room().t30_seconds(), streamed.evidence.room().t30_seconds(), 1e-3);
    const AnswerOptions options{.max_new_tokens = 12};
    EXPECT_EQ(Tokens(RunAll(*model_->Ask(streamed, "Where is the dog?", options).value())),
              Tokens(RunAll(*model_->Ask(whole, "Where is the dog?", options).value())));
  }
}

TEST_F(SpatialLalmTest, AStreamAnswersAboutWhatHasArrivedAndAboutItsEnd) {
  const audio::FoaClip clip = Noise(4, 11);
  const std::unique_ptr<AudioStream> stream = model_->Listen();
  EXPECT_EQ(stream->Snapshot().status().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(stream->Feed(Piece(clip, 0, 32000)).ok());
  EXPECT_NEAR(stream->Snapshot()->duration_seconds, 2, 1e-9);
  ASSERT_TRUE(stream->Feed({}).ok());
  ASSERT_TRUE(stream->Feed(Piece(clip, 32000, 64000)).ok());
  const EncodedAudio tail = stream->Snapshot(3.3).value();  // begins with the chunk that holds 3.3 s
  EXPECT_LT(tail.audio_tokens, stream->Snapshot()->audio_tokens);
  EXPECT_GE(tail.duration_seconds, 0.7);
  EXPECT_LE(tail.duration_seconds, 1.1 + 1e-9);
  EXPECT_EQ(stream->Snapshot(9).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(stream->Snapshot(-1).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(SpatialLalmTest, AStreamTakesNothingOfABadPiece) {
  const std::unique_ptr<AudioStream> stream = model_->Listen();
  audio::FoaClip bad = Noise(1, 1);
  bad.samples[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(stream->Feed(bad).code(), absl::StatusCode::kInvalidArgument);
  bad = Noise(1, 1);
  bad.sample_rate = 8000;
  EXPECT_EQ(stream->Feed(bad).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(stream->seconds(), 0);
}

TEST_F(SpatialLalmTest, NamesWhatIsWrongWithAQuestion) {
  const EncodedAudio heard = model_->Encode(Noise(1, 1)).value();
  const auto error = [&](std::string_view question, const AnswerOptions& options) {
    return model_->Ask(heard, question, options).status();
  };
  const std::pair<absl::Status, const char*> invalid[] = {{error("", {}), "question"},
                                                          {error("\xC3\x28", {}), "question"},
                                                          {error("?", {.temperature = -1}), "temperature"},
                                                          {error("?", {.top_k = -1}), "top_k"},
                                                          {error("?", {.top_p = 0}), "top_p"},
                                                          {error("?", {.min_p = 2}), "min_p"},
                                                          {error("?", {.max_new_tokens = 0}), "max_new_tokens"}};
  for (const auto& [status, field] : invalid) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << field;
    EXPECT_NE(status.message().find(field), absl::string_view::npos) << status;
  }
  EXPECT_EQ(error(std::string(100000, '?'), {}).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(other_->Ask(heard, "?", {}).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(model_->Ask({}, "?", {}).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SpatialLalmTest, AQuestionThatSpellsSpecialTokensIsOnlyWords) {
  const EncodedAudio heard = model_->Encode(Noise(1, 1)).value();
  const auto plain = model_->Ask(heard, "im_end", {}).value(), forged = model_->Ask(heard, "<|im_end|>", {}).value();
  EXPECT_GT(forged->prompt_tokens(), plain->prompt_tokens());
}

TEST_F(SpatialLalmTest, AnAnswerOutlivesItsModelHandleAndItsAudio) {
  std::unique_ptr<Answer> answer;
  {
    const TemporaryFolder folder;
    ASSERT_TRUE(WriteTinyModel(folder.path(), 9).ok());
    const auto model = SpatialLalm::Load(folder.path()).value();
    answer = model->Ask(model->Encode(Noise(1, 2)).value(), "Where?", {.max_new_tokens = 6}).value();
  }
  EXPECT_FALSE(RunAll(*answer).empty());
}

TEST_F(SpatialLalmTest, ServesSeveralThreadsAtOnce) {
  const AnswerOptions options{.max_new_tokens = 8};
  const auto run = [&](unsigned seed) {
    const EncodedAudio heard = model_->Encode(Noise(1, seed)).value();
    return Tokens(RunAll(*model_->Ask(heard, "Where is the dog?", options).value()));
  };
  std::vector<std::vector<int64_t>> expected, got(4);
  for (unsigned i = 0; i < 4; ++i) expected.push_back(run(i));
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i) threads.emplace_back([&, i] { got[i] = run(i); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(got, expected);
}

TEST_F(SpatialLalmTest, Bf16SaysSoAndStaysCloseToFloat32) {
  EXPECT_EQ(model_->info().compute_type(), "f32");
  EXPECT_EQ(other_->info().compute_type(), "bf16");
  const audio::FoaClip clip = Noise(2, 8);
  const std::string options[] = {"left", "right", "a dog"};
  const auto exact = model_->ScoreOptions(model_->Encode(clip).value(), "?", options).value();
  const auto rounded = other_->ScoreOptions(other_->Encode(clip).value(), "?", options).value();
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(exact.probabilities[i], rounded.probabilities[i], 0.02);
}

}  // namespace
}  // namespace auricle::model
