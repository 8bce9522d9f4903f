#include "model/train/decoder_step.h"

#include <torch/torch.h>

#include "model/decoder/attention_mask.h"
#include "model/train/mixed_precision.h"

namespace auricle::train {

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
  const torch::Tensor hidden = decoder.Forward(embeds, model::SharedPrefixPositions(batch.segment),
                                               model::SharedPrefixMask(batch.segment));
  return hidden.reshape({rows * length, width}).index_select(0, batch.target_place);
}

torch::Tensor TargetLogProbabilities(const torch::Tensor& logits, const AnswerBatch& batch) {
  const torch::Tensor log_p = torch::log_softmax(logits.to(torch::kFloat32), -1);
  return log_p.gather(1, batch.target_id.unsqueeze(1)).squeeze(1);
}

AnswerLoss ComputeAnswerLoss(const torch::Tensor& logits, const AnswerBatch& batch) {
  const torch::Tensor each = -TargetLogProbabilities(logits, batch);  // [T]
  AnswerLoss loss;
  loss.total = (each * batch.target_weight).sum() / batch.target_weight.sum();
  const torch::NoGradGuard no_grad;
  for (int kind = 0; kind < kAnswerKinds; ++kind) {
    torch::Tensor in = batch.target_kind.eq(kind);
    // Of a letter answer only the letter is of interest.
    if (kind == static_cast<int>(AnswerKind::kLetter)) in = in.logical_and(batch.target_is_first.eq(1));
    const torch::Tensor mask = in.to(torch::kFloat32);
    loss.by_kind[kind] = (each.detach() * mask).sum() / mask.sum();
    if (kind == static_cast<int>(AnswerKind::kLetter)) {
      loss.letters_right = (logits.argmax(1).eq(batch.target_id).to(torch::kFloat32) * mask).sum() / mask.sum();
    }
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

int64_t AudioTokenCount(const model::EarsConfig& ears, const model::ProjectorConfig& projector, int64_t tokens) {
  return (tokens + projector.pool - 1) / projector.pool + ears.slots + 1;
}

}  // namespace auricle::train
