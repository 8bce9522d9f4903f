#include "server/inference/spatial_lalm_adapter.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/spatial_lalm.h"
#include "server/runtime/error_details.h"

namespace auricle::server {
namespace {

class LalmAudio final : public EncodedAudio {
 public:
  explicit LalmAudio(model::EncodedAudio heard) : heard_(std::move(heard)) {}
  const v1::Scene& scene() const override { return heard_.evidence; }
  uint32_t audio_tokens() const override { return static_cast<uint32_t>(heard_.audio_tokens); }
  const model::EncodedAudio& heard() const { return heard_; }

 private:
  const model::EncodedAudio heard_;
};

TokenStep ToTokenStep(const model::AnswerStep& step) {
  TokenStep out;
  out.text = step.text;
  switch (step.end) {
    case model::AnswerEnd::kRunning:
      break;
    case model::AnswerEnd::kStop:
      out.finish = v1::FINISH_REASON_STOP;
      out.is_token = false;  // the end mark
      break;
    case model::AnswerEnd::kLength:
      out.finish = v1::FINISH_REASON_LENGTH;
      break;
  }
  return out;
}

// What this model hands to the engine. Its first token is there before the engine's first Step.
class LalmGeneration : public Generation {
 public:
  std::optional<TokenStep> TakeFirst() { return std::exchange(first_, std::nullopt); }
  // Null where there is nothing to draw after the first token.
  virtual model::Answer* answer() { return nullptr; }

 protected:
  std::optional<TokenStep> first_;
};

class OpenAnswer final : public LalmGeneration {
 public:
  explicit OpenAnswer(std::unique_ptr<model::Answer> answer) : answer_(std::move(answer)) {}

  // Reads the question.
  absl::Status Prefill() {
    absl::StatusOr<model::AnswerStep> step = answer_->Step();
    if (!step.ok()) return step.status();
    first_ = ToTokenStep(*step);
    return absl::OkStatus();
  }

  model::Answer* answer() override { return answer_.get(); }
  uint32_t prompt_tokens() const override { return static_cast<uint32_t>(answer_->prompt_tokens()); }
  uint32_t cached_tokens() const override { return static_cast<uint32_t>(answer_->cached_tokens()); }

 private:
  const std::unique_ptr<model::Answer> answer_;
};

// The whole answer in one step: the letter, and for people the option behind it.
class ChosenAnswer final : public LalmGeneration {
 public:
  ChosenAnswer(const model::OptionScores& scores, const std::vector<std::string>& options, size_t chosen)
      : letter_(Letter(chosen)), prompt_tokens_(scores.prompt_tokens), cached_tokens_(scores.cached_tokens) {
    for (size_t i = 0; i < options.size(); ++i) {
      v1::OptionProbability& option = probabilities_.emplace_back();
      option.set_letter(Letter(i));
      option.set_option(options[i]);
      option.set_probability(static_cast<float>(scores.probabilities[i]));
    }
    first_ = TokenStep{.text = absl::StrCat(letter_, ". ", options[chosen]), .finish = v1::FINISH_REASON_STOP};
  }

  uint32_t prompt_tokens() const override { return static_cast<uint32_t>(prompt_tokens_); }
  uint32_t cached_tokens() const override { return static_cast<uint32_t>(cached_tokens_); }
  std::string letter() const override { return letter_; }
  std::vector<v1::OptionProbability> probabilities() const override { return probabilities_; }

 private:
  static std::string Letter(size_t i) { return std::string(1, static_cast<char>('A' + i)); }

  const std::string letter_;
  const int64_t prompt_tokens_, cached_tokens_;
  std::vector<v1::OptionProbability> probabilities_;
};

class LalmModel final : public InferenceModel {
 public:
  LalmModel(std::shared_ptr<const model::SpatialLalm> lalm, std::string name)
      : lalm_(std::move(lalm)), info_(lalm_->info()) {
    info_.set_name(std::move(name));
  }

  const v1::ModelInfo& Info() const override { return info_; }

  absl::StatusOr<std::shared_ptr<const EncodedAudio>> Encode(const audio::FoaClip& clip) override {
    absl::StatusOr<model::EncodedAudio> heard = lalm_->Encode(clip, model::EncodeOptions{.include_tracks = true});
    if (!heard.ok()) return WithContextLimit(heard.status());
    return std::make_shared<LalmAudio>(*std::move(heard));
  }

  absl::StatusOr<std::unique_ptr<Generation>> StartGeneration(std::shared_ptr<const EncodedAudio> audio,
                                                              const std::string& question,
                                                              const std::vector<std::string>& options,
                                                              const v1::SamplingParams& sampling) override {
    const auto& heard = static_cast<const LalmAudio&>(*audio).heard();
    if (!options.empty()) {
      const absl::StatusOr<model::OptionScores> scores = lalm_->ScoreOptions(heard, question, options);
      if (!scores.ok()) return WithContextLimit(scores.status());
      const size_t chosen = model::DrawOption(*scores, sampling.temperature(), sampling.seed());
      return std::make_unique<ChosenAnswer>(*scores, options, chosen);
    }
    model::AnswerOptions answering;
    answering.temperature = sampling.temperature();
    // Past the vocabulary any number means the same: off.
    answering.top_k = static_cast<int>(std::min<uint32_t>(sampling.top_k(), std::numeric_limits<int>::max()));
    answering.top_p = sampling.top_p();
    answering.max_new_tokens = static_cast<int>(sampling.max_new_tokens());
    answering.seed = sampling.seed();
    absl::StatusOr<std::unique_ptr<model::Answer>> answer = lalm_->Ask(heard, question, answering);
    if (!answer.ok()) return WithContextLimit(answer.status());
    auto generation = std::make_unique<OpenAnswer>(*std::move(answer));
    if (absl::Status status = generation->Prefill(); !status.ok()) return status;
    return generation;
  }

  std::vector<absl::StatusOr<TokenStep>> Step(std::span<Generation* const> batch) override {
    std::vector<absl::StatusOr<TokenStep>> steps(batch.size(), TokenStep());
    std::vector<model::Answer*> answers;
    std::vector<size_t> places;
    for (size_t i = 0; i < batch.size(); ++i) {
      auto* generation = static_cast<LalmGeneration*>(batch[i]);
      if (std::optional<TokenStep> first = generation->TakeFirst(); first.has_value()) {
        steps[i] = *std::move(first);
      } else {
        answers.push_back(generation->answer());
        places.push_back(i);
      }
    }
    if (answers.empty()) return steps;
    const std::vector<absl::StatusOr<model::AnswerStep>> drawn = lalm_->StepTogether(answers);
    for (size_t k = 0; k < places.size(); ++k) {
      if (drawn[k].ok()) {
        steps[places[k]] = ToTokenStep(*drawn[k]);
      } else {
        steps[places[k]] = drawn[k].status();
      }
    }
    return steps;
  }

 private:
  // The model says "question: 3000 tokens after ..." where the context cannot hold what was asked; here it becomes the
  // error of a request past a fixed limit, as the server's own limits give it.
  absl::Status WithContextLimit(const absl::Status& status) const {
    const absl::string_view message = status.message();
    const size_t colon = message.find(": ");
    if (!absl::IsResourceExhausted(status) || colon == absl::string_view::npos) return status;
    return OverLimit("CONTEXT_FULL", message.substr(0, colon), message.substr(colon + 2), "context_tokens",
                     absl::StrCat(info_.context_tokens()));
  }

  const std::shared_ptr<const model::SpatialLalm> lalm_;
  v1::ModelInfo info_;
};

absl::Status WarmUp(InferenceModel& model) {
  const int rate = static_cast<int>(model.Info().sample_rate_hz());
  const absl::StatusOr<std::shared_ptr<const EncodedAudio>> heard =
      model.Encode(audio::MakeSilentClip(static_cast<size_t>(rate), rate));
  if (!heard.ok()) return heard.status();
  v1::SamplingParams sampling;
  sampling.set_top_p(1);
  sampling.set_max_new_tokens(1);
  return model.StartGeneration(*heard, "What do you hear?", {}, sampling).status();
}

}  // namespace

absl::StatusOr<std::shared_ptr<InferenceModel>> LoadSpatialLalm(const std::string& folder) {
  absl::StatusOr<std::shared_ptr<const model::SpatialLalm>> lalm = model::SpatialLalm::Load(folder);
  if (!lalm.ok()) {
    return absl::Status(lalm.status().code(), absl::StrCat("model: ", folder, ": ", lalm.status().message()));
  }
  // "models/nano/" is called nano too.
  const std::filesystem::path path = std::filesystem::absolute(folder).lexically_normal();
  const std::string name = path.filename().empty() ? path.parent_path().filename() : path.filename();
  auto model = std::make_shared<LalmModel>(*std::move(lalm), name);
  if (absl::Status status = WarmUp(*model); !status.ok()) {
    return absl::Status(status.code(), absl::StrCat("model: ", folder, " cannot answer: ", status.message()));
  }
  return model;
}

}  // namespace auricle::server
