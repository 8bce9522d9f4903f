#include "server/inference/spatial_lalm_adapter.h"

#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "auricle/v1/question.pb.h"
#include "model/spatial_lalm.h"
#include "sim/question/questions.h"

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

class LalmGeneration final : public Generation {
 public:
  LalmGeneration(std::unique_ptr<model::Answer> answer, std::vector<std::string> options)
      : answer_(std::move(answer)), options_(std::move(options)) {}

  // The first step also reads the question; its token waits for the engine's first Step.
  absl::Status Prefill() {
    absl::StatusOr<model::AnswerStep> step = answer_->Step();
    if (!step.ok()) return step.status();
    first_ = Take(*step);
    return absl::OkStatus();
  }

  std::optional<TokenStep> TakeFirst() { return std::exchange(first_, std::nullopt); }
  model::Answer* answer() { return answer_.get(); }

  TokenStep Take(const model::AnswerStep& step) {
    TokenStep out = ToTokenStep(step);
    if (options_.empty()) return out;
    // Multiple choice: the one step draws a letter; people read the option behind it too.
    for (size_t i = 0; i < options_.size() && i < step.letter_probabilities.size(); ++i) {
      v1::OptionProbability& option = probabilities_.emplace_back();
      option.set_letter(std::string(1, static_cast<char>('A' + i)));
      option.set_option(options_[i]);
      option.set_probability(static_cast<float>(step.letter_probabilities[i]));
    }
    const size_t chosen = step.text.empty() ? options_.size() : static_cast<size_t>(step.text.back() - 'A');
    if (chosen < options_.size()) {
      letter_ = std::string(1, static_cast<char>('A' + chosen));
      out.text = absl::StrCat(letter_, ". ", options_[chosen]);
    }
    out.is_token = true;
    return out;
  }

  uint32_t prompt_tokens() const override { return static_cast<uint32_t>(answer_->prompt_tokens()); }
  uint32_t cached_tokens() const override { return static_cast<uint32_t>(answer_->cached_tokens()); }
  std::string letter() const override { return letter_; }
  std::vector<v1::OptionProbability> probabilities() const override { return probabilities_; }

 private:
  const std::unique_ptr<model::Answer> answer_;
  const std::vector<std::string> options_;
  std::optional<TokenStep> first_;
  std::string letter_;
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
    if (!heard.ok()) return heard.status();
    return std::make_shared<LalmAudio>(*std::move(heard));
  }

  absl::StatusOr<std::unique_ptr<Generation>> StartGeneration(std::shared_ptr<const EncodedAudio> audio,
                                                              const std::string& question,
                                                              const std::vector<std::string>& options,
                                                              const v1::SamplingParams& sampling) override {
    v1::Question asked;
    asked.set_text(question);
    asked.set_form(options.empty() ? v1::QUESTION_FORM_OPEN : v1::QUESTION_FORM_MULTIPLE_CHOICE);
    for (const std::string& option : options) asked.add_options(option);
    model::AnswerOptions answering;
    answering.temperature = sampling.temperature();
    answering.top_k = static_cast<int>(sampling.top_k());
    answering.top_p = sampling.top_p();
    answering.max_new_tokens = static_cast<int>(sampling.max_new_tokens());
    answering.seed = sampling.seed();
    answering.letters = static_cast<int>(options.size());
    const auto& heard = static_cast<const LalmAudio&>(*audio).heard();
    absl::StatusOr<std::unique_ptr<model::Answer>> answer = lalm_->Ask(heard, sim::PromptText(asked), answering);
    if (!answer.ok()) return answer.status();
    auto generation = std::make_unique<LalmGeneration>(*std::move(answer), options);
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
        steps[places[k]] = static_cast<LalmGeneration*>(batch[places[k]])->Take(*drawn[k]);
      } else {
        steps[places[k]] = drawn[k].status();
      }
    }
    return steps;
  }

 private:
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
