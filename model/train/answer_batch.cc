#include "model/train/answer_batch.h"

#include <torch/torch.h>

#include <algorithm>

namespace auricle::train {
namespace {

double TokenWeight(const AnswerBlock& block) {
  switch (block.kind) {
    case AnswerKind::kOpen:
      return 1.0;
    case AnswerKind::kCaption:
      return 0.3;
    case AnswerKind::kOption:
      return block.first_option ? 0.5 : 0.0;
  }
  return 1.0;
}

}  // namespace

AnswerBatch AnswerBatch::To(torch::Device device) const {
  AnswerBatch out;
  out.ids = ids.to(device);
  out.segment = segment.to(device);
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
  for (const AnswerRow& row : rows) {
    int64_t length = static_cast<int64_t>(row.before_audio.size()) + row.audio_tokens;
    // The last token of an answer is only ever a target.
    for (const AnswerBlock& block : row.blocks)
      length += static_cast<int64_t>(block.prompt.size() + block.answer.size()) - 1;
    longest = std::max(longest, length);
  }
  const int64_t count = static_cast<int64_t>(rows.size());
  AnswerBatch batch;
  batch.ids = torch::full({count, longest}, padding, torch::kInt64);
  batch.segment = torch::full({count, longest}, -1, torch::kInt64);
  auto ids = batch.ids.accessor<int64_t, 2>();
  auto segment = batch.segment.accessor<int64_t, 2>();
  std::vector<int64_t> audio_place, audio_row, audio_index, target_place, target_id, target_kind, contest, option;
  std::vector<float> target_weight;
  std::vector<int64_t> contests;  // options of each
  for (int64_t b = 0; b < count; ++b) {
    const AnswerRow& row = rows[b];
    int64_t at = 0;
    for (model::TokenId id : row.before_audio) {
      ids[b][at] = id;
      segment[b][at++] = 0;
    }
    for (int64_t i = 0; i < row.audio_tokens; ++i) {
      audio_place.push_back(b * longest + at);
      audio_row.push_back(b);
      audio_index.push_back(i);
      segment[b][at++] = 0;
    }
    for (size_t k = 0; k < row.blocks.size(); ++k) {
      const AnswerBlock& block = row.blocks[k];
      if (block.kind == AnswerKind::kOption) {
        if (block.first_option || contests.empty()) contests.push_back(0);
        ++contests.back();
      }
      for (model::TokenId id : block.prompt) {
        ids[b][at] = id;
        segment[b][at++] = static_cast<int64_t>(k) + 1;
      }
      for (size_t i = 0; i < block.answer.size(); ++i) {
        target_place.push_back(b * longest + at - 1);
        target_id.push_back(block.answer[i]);
        target_weight.push_back(static_cast<float>(TokenWeight(block)));
        target_kind.push_back(static_cast<int64_t>(block.kind));
        contest.push_back(block.kind == AnswerKind::kOption ? static_cast<int64_t>(contests.size()) - 1 : -1);
        option.push_back(block.kind == AnswerKind::kOption ? contests.back() - 1 : 0);
        if (i + 1 == block.answer.size()) break;
        ids[b][at] = block.answer[i];
        segment[b][at++] = static_cast<int64_t>(k) + 1;
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
