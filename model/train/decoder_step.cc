#include "model/train/decoder_step.h"

#include <torch/torch.h>

#include <cmath>
#include <limits>

#include "model/decoder/attention_mask.h"
#include "model/train/mixed_precision.h"

namespace auricle::train {
namespace {

constexpr double kContestWeight = 2;

}  // namespace

torch::Tensor AnswerHidden(const model::Decoder& decoder, model::Projector* projector, const model::EarsOutput* heard,
                           const AnswerBatch& batch) {
  const int64_t rows = batch.ids.size(0), length = batch.ids.size(1);
  torch::Tensor embeds = decoder.Embed(batch.ids);  // [B, S, d]
  const int64_t width = embeds.size(2);
  if (projector != nullptr && heard != nullptr && batch.audio_place.numel() > 0) {
    const torch::Tensor audio = (*projector)->forward(*heard).embeddings;  // [B, M, d]
    const torch::Tensor source = batch.audio_row * audio.size(1) + batch.audio_index;
    embeds = embeds.reshape({rows * length, width})
                 .index_copy(0, batch.audio_place,
                             audio.reshape({-1, width}).index_select(0, source).to(embeds.scalar_type()))
                 .view({rows, length, width});
  }
  const torch::Tensor hidden = decoder.Forward(embeds, model::SharedPrefixPositions(batch.segment, batch.trunk),
                                               model::SharedPrefixMask(batch.segment, batch.trunk));
  return hidden.reshape({rows * length, width}).index_select(0, batch.target_place);
}

torch::Tensor TargetLogProbabilities(const torch::Tensor& logits, const AnswerBatch& batch) {
  const torch::Tensor log_p = torch::log_softmax(logits.to(torch::kFloat32), -1);
  return log_p.gather(1, batch.target_id.unsqueeze(1)).squeeze(1);
}

torch::Tensor OptionScores(const torch::Tensor& target_log_probabilities, const AnswerBatch& batch) {
  const torch::Tensor of_options = batch.target_option.ge(0).nonzero().squeeze(1);
  return torch::zeros({batch.option_exists.numel()}, target_log_probabilities.options())
      .index_add(0, batch.target_option.index_select(0, of_options),
                 target_log_probabilities.index_select(0, of_options))
      .view_as(batch.option_exists)
      .masked_fill(batch.option_exists.logical_not(), -std::numeric_limits<float>::infinity());
}

AnswerLoss ComputeAnswerLoss(const torch::Tensor& logits, const AnswerBatch& batch) {
  const torch::Tensor log_p = TargetLogProbabilities(logits, batch);  // [T]
  AnswerLoss loss;
  torch::Tensor sum = -(log_p * batch.target_weight).sum(), weight = batch.target_weight.sum();
  const int64_t contests = batch.option_exists.size(0);
  if (contests > 0) {
    const torch::Tensor scores = OptionScores(log_p, batch);
    const torch::Tensor each = -torch::log_softmax(scores, 1).select(1, 0);
    sum = sum + each.sum() * kContestWeight;
    weight = weight + static_cast<double>(contests) * kContestWeight;
    loss.choice = each.detach().mean();
    loss.choice_right = scores.detach().argmax(1).eq(0).to(torch::kFloat32).mean();
  } else {
    loss.choice = loss.choice_right = torch::full({}, std::nan(""), log_p.options());
  }
  loss.total = sum / weight;
  const torch::NoGradGuard no_grad;
  for (int kind = 0; kind < kAnswerKinds; ++kind) {
    const torch::Tensor mask = batch.target_kind.eq(kind).logical_and(batch.target_weight > 0).to(torch::kFloat32);
    loss.by_kind[kind] = -(log_p * mask).sum() / mask.sum();
  }
  return loss;
}

AnswerLoss DecoderForwardBackward(const model::Decoder& decoder, model::Projector* projector,
                                  const model::EarsOutput* heard, const AnswerBatch& batch, bool bf16) {
  torch::Tensor logits;
  {
    const MixedPrecision scope(batch.ids.device().type(), bf16);
    logits = decoder.Logits(AnswerHidden(decoder, projector, heard, batch));
  }
  AnswerLoss loss = ComputeAnswerLoss(logits, batch);
  loss.total.backward();
  return loss;
}

}  // namespace auricle::train
