#include "model/train/answer_batch.h"

#include <torch/torch.h>

#include <algorithm>

namespace auricle::train {
namespace {

double TokenWeight(AnswerKind kind, size_t answer) {
  switch (kind) {
    case AnswerKind::kOpen:
      return 1.0;
    case AnswerKind::kCaption:
      return 0.3;
    case AnswerKind::kOption:
      return answer == 0 ? 0.5 : 0.0;
  }
  return 1.0;
}

// Positions that a row takes. The last token of an answer is only ever a target.
int64_t Length(const AnswerRow& row) {
  size_t length = row.before_audio.size() + static_cast<size_t>(row.audio_tokens);
  for (const AnswerBlock& block : row.blocks) {
    length += block.prompt.size();
    for (const auto& answer : block.answers) length += answer.size() - 1;
  }
  return static_cast<int64_t>(length);
}

}  // namespace

AnswerBatch AnswerBatch::To(torch::Device device) const {
  AnswerBatch out;
  out.ids = ids.to(device);
  out.segment = segment.to(device);
  out.trunk = trunk.to(device);
  out.audio_place = audio_place.to(device);
  out.audio_row = audio_row.to(device);
  out.audio_index = audio_index.to(device);
  out.target_place = target_place.to(device);
  out.target_id = target_id.to(device);
  out.target_weight = target_weight.to(device);
  out.target_kind = target_kind.to(device);
  out.target_option = target_option.to(device);
  out.option_exists = option_exists.to(device);
  return out;
}

AnswerBatch PackAnswers(const std::vector<AnswerRow>& rows, model::TokenId padding) {
  int64_t longest = 0;
  for (const AnswerRow& row : rows) longest = std::max(longest, Length(row));
  const int64_t count = static_cast<int64_t>(rows.size());
  AnswerBatch batch;
  batch.ids = torch::full({count, longest}, padding, torch::kInt64);
  batch.segment = torch::full({count, longest}, -1, torch::kInt64);
  batch.trunk = torch::full({count, longest}, -1, torch::kInt64);
  auto ids = batch.ids.accessor<int64_t, 2>();
  auto segment = batch.segment.accessor<int64_t, 2>();
  auto trunk = batch.trunk.accessor<int64_t, 2>();
  std::vector<int64_t> audio_place, audio_row, audio_index, target_place, target_id, target_kind, contest, option;
  std::vector<float> target_weight;
  std::vector<int64_t> contests;  // options of each
  for (int64_t b = 0; b < count; ++b) {
    const AnswerRow& row = rows[b];
    int64_t at = 0;
    const auto read = [&](model::TokenId id, int64_t of_segment, int64_t of_trunk) {
      ids[b][at] = id;
      segment[b][at] = of_segment;
      trunk[b][at++] = of_trunk;
    };
    for (model::TokenId id : row.before_audio) read(id, 0, 0);
    for (int64_t i = 0; i < row.audio_tokens; ++i) {
      audio_place.push_back(b * longest + at);
      audio_row.push_back(b);
      audio_index.push_back(i);
      read(padding, 0, 0);
    }
    int64_t segments = 0;
    for (const AnswerBlock& block : row.blocks) {
      const bool choice = block.kind == AnswerKind::kOption;
      if (choice) contests.push_back(static_cast<int64_t>(block.answers.size()));
      const int64_t question = ++segments;
      for (model::TokenId id : block.prompt) read(id, question, question);
      const int64_t prompt_end = at - 1;
      for (size_t k = 0; k < block.answers.size(); ++k) {
        const std::vector<model::TokenId>& answer = block.answers[k];
        const int64_t own = choice ? ++segments : question;
        for (size_t i = 0; i < answer.size(); ++i) {
          target_place.push_back(b * longest + (i == 0 ? prompt_end : at - 1));
          target_id.push_back(answer[i]);
          target_weight.push_back(static_cast<float>(TokenWeight(block.kind, k)));
          target_kind.push_back(static_cast<int64_t>(block.kind));
          contest.push_back(choice ? static_cast<int64_t>(contests.size()) - 1 : -1);
          option.push_back(choice ? static_cast<int64_t>(k) : 0);
          if (i + 1 < answer.size()) read(answer[i], own, question);
        }
      }
    }
  }
  batch.audio_place = torch::tensor(audio_place, torch::kInt64);
  batch.audio_row = torch::tensor(audio_row, torch::kInt64);
  batch.audio_index = torch::tensor(audio_index, torch::kInt64);
  batch.target_place = torch::tensor(target_place, torch::kInt64);
  batch.target_id = torch::tensor(target_id, torch::kInt64);
  batch.target_weight = torch::tensor(target_weight, torch::kFloat32);
  batch.target_kind = torch::tensor(target_kind, torch::kInt64);
  const int64_t options = contests.empty() ? 0 : *std::max_element(contests.begin(), contests.end());
  const torch::Tensor in = torch::tensor(contest, torch::kInt64);
  batch.target_option = torch::where(in < 0, in, in * options + torch::tensor(option, torch::kInt64));
  batch.option_exists = torch::arange(options).unsqueeze(0) < torch::tensor(contests, torch::kInt64).unsqueeze(1);
  return batch;
}

}  // namespace auricle::train
