// What a decoder answers about held-out scenes: multiple choice and free answers, in wordings that training never uses.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "model/decoder/decoder.h"
#include "model/projector/projector.h"
#include "model/train/answer_batch.h"
#include "server/training/heard_window.h"
#include "server/training/question_maker.h"
#include "server/training/run_config.h"
#include "server/training/stage.h"

namespace auricle::training {

// Borrows everything. One thread at a time; uses the workshop's team. May throw c10::Error.
class DecoderExam {
 public:
  // `scenes` holds config.validation_scenes of them.
  DecoderExam(const Workshop& shop, const DecoderStageConfig& config, const QuestionMaker& questions,
              const HeardWindow& scenes, const model::Decoder& decoder, model::Projector& projector)
      : shop_(shop),
        config_(config),
        questions_(questions),
        scenes_(scenes),
        decoder_(decoder),
        projector_(projector) {}

  // Shares of right answers: choice, choice_l1 to choice_l3 (by level), choice_<task> (NaN where none was asked),
  // choice_asked (how many), open.
  absl::StatusOr<Row> Score();

 private:
  // A scene's row without blocks.
  train::AnswerRow HeldOutRow(int64_t scene) const;
  torch::Tensor HeldOutLogits(const std::vector<train::AnswerRow>& rows, const std::vector<int64_t>& places,
                              train::AnswerBatch& batch);
  absl::Status ScoreChoices(Row& row);
  absl::Status ScoreAnswers(Row& row);

  const Workshop& shop_;
  const DecoderStageConfig& config_;
  const QuestionMaker& questions_;
  const HeardWindow& scenes_;
  const model::Decoder& decoder_;
  model::Projector& projector_;
};

}  // namespace auricle::training
