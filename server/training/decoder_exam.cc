#include "server/training/decoder_exam.h"

#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/train/decoder_step.h"
#include "model/train/mixed_precision.h"
#include "sim/question/tasks.h"
#include "sim/question/verifier.h"

namespace auricle::training {
namespace {

struct Tally {
  double right = 0, asked = 0;
};

}  // namespace

absl::StatusOr<Row> DecoderExam::Score() {
  Row row;
  if (absl::Status status = ScoreChoices(row); !status.ok()) return status;
  if (config_.validation_answers > 0) {
    if (absl::Status status = ScoreAnswers(row); !status.ok()) return status;
  }
  return row;
}

// A held-out scene's row without blocks.
train::AnswerRow DecoderExam::HeldOutRow(int64_t scene) const {
  train::AnswerRow row = questions_.Empty(scenes_.truth(scene), config_);
  if (config_.evidence == "audio") {
    row.audio_tokens =
        model::ProjectorImpl::TokenCount(shop_.config.ears, shop_.config.projector, scenes_.tokens(scene));
  }
  return row;
}

torch::Tensor DecoderExam::HeldOutLogits(const std::vector<train::AnswerRow>& rows, const std::vector<int64_t>& places,
                                         train::AnswerBatch& batch) {
  batch = train::PackAnswers(rows, questions_.chat().padding()).To(shop_.device);
  const train::MixedPrecision scope(shop_.device.type(), shop_.config.bf16);
  const bool audio = config_.evidence == "audio";
  model::EarsOutput heard;
  if (audio) heard = scenes_.Heard(places);
  return decoder_.Logits(train::AnswerHidden(decoder_, audio ? &projector_ : nullptr, audio ? &heard : nullptr, batch));
}

absl::Status DecoderExam::ScoreChoices(Row& row) {
  constexpr int64_t kRows = 5;
  const int64_t parts = (config_.validation_scenes + kRows - 1) / kRows;
  std::vector<std::map<std::string, Tally>> tallies(parts);
  const absl::Status status = shop_.team.ForEach(parts, [&](int64_t part) -> absl::Status {
    const torch::NoGradGuard no_grad;
    std::vector<train::AnswerRow> rows;
    std::vector<int64_t> places;
    std::vector<v1::Question> questions;
    for (int64_t scene = part * kRows; scene < std::min((part + 1) * kRows, config_.validation_scenes); ++scene) {
      train::AnswerRow row = HeldOutRow(scene);
      for (v1::Question& question : questions_.HeldOut(scenes_.truth(scene), sim::AskForm::kMultipleChoice, 10)) {
        auto block = questions_.OptionBlock(question);
        if (!block.ok()) return block.status();
        row.blocks.push_back(*std::move(block));
        questions.push_back(std::move(question));
      }
      rows.push_back(std::move(row));
      places.push_back(scene);
    }
    if (questions.empty()) return absl::OkStatus();
    train::AnswerBatch batch;
    const torch::Tensor logits = HeldOutLogits(rows, places, batch);
    const torch::Tensor said =
        train::OptionScores(train::TargetLogProbabilities(logits, batch), batch).argmax(1).to(torch::kCPU);
    for (size_t i = 0; i < questions.size(); ++i) {
      const bool right = said[static_cast<int64_t>(i)].item<int64_t>() == 0;
      for (const std::string& group : {std::string("choice"), absl::StrCat("choice_l", questions[i].level()),
                                       absl::StrCat("choice_", questions[i].task())}) {
        tallies[part][group].right += right;
        tallies[part][group].asked += 1;
      }
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  std::map<std::string, Tally> all;
  for (const auto& part : tallies) {
    for (const auto& [group, tally] : part) {
      all[group].right += tally.right;
      all[group].asked += tally.asked;
    }
  }
  std::vector<std::string> groups = {"choice", "choice_l1", "choice_l2", "choice_l3"};
  for (const sim::TaskInfo& task : sim::AllTasks()) groups.push_back("choice_" + std::string(task.name));
  for (const std::string& group : groups) row.emplace_back(group, all[group].right / all[group].asked);  // NaN of none
  row.emplace_back("choice_asked", all["choice"].asked);
  return absl::OkStatus();
}

// Greedy answers, all of a part one token further at a time; without a cache, since there are few.
absl::Status DecoderExam::ScoreAnswers(Row& row) {
  std::vector<v1::Question> questions;
  std::vector<int64_t> scenes;
  for (int64_t scene = 0; scene < config_.validation_scenes; ++scene) {
    for (const v1::Question& question : questions_.HeldOut(scenes_.truth(scene), sim::AskForm::kOpen, 2)) {
      if (static_cast<int64_t>(questions.size()) >= config_.validation_answers) break;
      questions.push_back(question);
      scenes.push_back(scene);
    }
  }
  const int64_t count = static_cast<int64_t>(questions.size());
  if (count == 0) return absl::OkStatus();
  const int64_t parts = std::min<int64_t>(count, shop_.team.size());
  std::vector<int64_t> right(parts, 0);
  const absl::Status status = shop_.team.ForEach(parts, [&](int64_t part) -> absl::Status {
    const torch::NoGradGuard no_grad;
    std::vector<train::AnswerRow> rows;
    std::vector<int64_t> places;
    std::vector<const v1::Question*> mine;
    for (int64_t i = part; i < count; i += parts) {
      auto block = questions_.OpenBlock(questions[i]);
      if (!block.ok()) return block.status();
      block->answers = {{questions_.chat().padding()}};  // one target: the token that comes next
      rows.push_back(HeldOutRow(scenes[i]));
      rows.back().blocks.push_back(*std::move(block));
      places.push_back(scenes[i]);
      mine.push_back(&questions[i]);
    }
    std::vector<std::vector<model::TokenId>> answers(rows.size());
    std::vector<bool> over(rows.size(), false);
    constexpr int kLongest = 32;
    for (int length = 0; length < kLongest; ++length) {
      train::AnswerBatch batch;
      const torch::Tensor said = HeldOutLogits(rows, places, batch).argmax(1).to(torch::kCPU);
      bool running = false;
      for (size_t i = 0; i < rows.size(); ++i) {
        if (over[i]) continue;
        const model::TokenId token = said[static_cast<int64_t>(i)].item<int64_t>();
        const auto stops = questions_.chat().stop_tokens();
        if (std::find(stops.begin(), stops.end(), token) != stops.end()) {
          over[i] = true;
          continue;
        }
        answers[i].push_back(token);
        rows[i].blocks[0].prompt.push_back(token);
        running = true;
      }
      if (!running) break;
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      const std::string text = questions_.chat().tokenizer()->Decode(answers[i], /*skip_special=*/true);
      right[part] += sim::Verify(*mine[i], text).correct();
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  double all = 0;
  for (int64_t part : right) all += static_cast<double>(part);
  row.emplace_back("open", all / static_cast<double>(count));
  return absl::OkStatus();
}

}  // namespace auricle::training
