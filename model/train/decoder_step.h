// One replica's share of a decoder step: audio tokens among words, forward, loss on the answers only, backward.
#pragma once

#include <array>

#include "model/decoder/decoder.h"
#include "model/encoder/ears_network.h"
#include "model/projector/projector.h"
#include "model/train/answer_batch.h"

namespace auricle::train {

struct AnswerLoss {
  torch::Tensor total;                              // scalar, carries the gradient
  std::array<torch::Tensor, kAnswerKinds> by_kind;  // mean cross-entropy per token; detached, NaN where there is none
  torch::Tensor choice;        // mean cross-entropy of the right option among its rivals; detached, NaN without any
  torch::Tensor choice_right;  // share of contests that the right option wins; detached, NaN without any
};

// Hidden states behind the targets [T, d]. `projector` and `heard` are null where the batch has no audio.
torch::Tensor AnswerHidden(const model::Decoder& decoder, model::Projector* projector, const model::EarsOutput* heard,
                           const AnswerBatch& batch);

// Log-probability of each target [T], float32.
torch::Tensor TargetLogProbabilities(const torch::Tensor& logits, const AnswerBatch& batch);

// Log-probability of each option's words [contests, options], float32; -infinity where there is no such option.
torch::Tensor OptionScores(const torch::Tensor& target_log_probabilities, const AnswerBatch& batch);

// Weighted mean of next-token cross-entropy over the targets, and of the cross-entropy of each contest's right option
// under the softmax of OptionScores, which weighs as two tokens. logits [T, vocabulary].
AnswerLoss ComputeAnswerLoss(const torch::Tensor& logits, const AnswerBatch& batch);

// Leaves gradients in whichever of the decoder's and projector's weights require them.
AnswerLoss DecoderForwardBackward(const model::Decoder& decoder, model::Projector* projector,
                                  const model::EarsOutput* heard, const AnswerBatch& batch, bool bf16);

}  // namespace auricle::train
