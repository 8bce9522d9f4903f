// From a scene's truth to rows of questions and answers in tokens.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "auricle/v1/question.pb.h"
#include "auricle/v1/scene.pb.h"
#include "model/text/chat_template.h"
#include "model/train/answer_batch.h"
#include "server/training/run_config.h"
#include "server/training/scene_maker.h"
#include "server/training/stage.h"
#include "sim/question/questions.h"
#include "sim/scene/random.h"

namespace auricle::training {

// Immutable once made; safe for concurrent use.
class QuestionMaker {
 public:
  // Reads model_folder/tokenizer.json; where there is none, trains one on the words of some hundred scenes and writes
  // it.
  static absl::StatusOr<std::unique_ptr<QuestionMaker>> Create(const Workshop& shop, const SceneMaker& maker);

  // Training questions of the phase's levels, and descriptions, as it shares them out.
  absl::StatusOr<train::AnswerRow> Row(const v1::Scene& truth, const DecoderStageConfig& config,
                                       const CurriculumPhase& phase, sim::Random& random) const;
  // The row's prefix alone: without audio the truth's description where the evidence is text.
  train::AnswerRow Empty(const v1::Scene& truth, const DecoderStageConfig& config) const;
  // An open question with its answer.
  absl::StatusOr<train::AnswerBlock> OpenBlock(const v1::Question& question) const;
  // A multiple-choice question with its options, the right one first.
  absl::StatusOr<train::AnswerBlock> OptionBlock(const v1::Question& question) const;

  // Questions in wordings that training never uses; the same for the same scene.
  std::vector<v1::Question> HeldOut(const v1::Scene& truth, sim::AskForm form, int count) const;

  const model::ChatTemplate& chat() const { return *chat_; }

 private:
  QuestionMaker() = default;
  absl::StatusOr<train::AnswerBlock> CaptionBlock(const v1::Scene& truth, sim::Random& random) const;

  absl::StatusOr<train::AnswerBlock> Block(const std::string& prompt, const std::vector<std::string>& answers,
                                           train::AnswerKind kind) const;

  std::unique_ptr<const model::ChatTemplate> chat_;
};

}  // namespace auricle::training
