// Listens again, towards each slot: a source's class, distance and motion are told from a beam that follows it, in
// which the other sources are weaker than in the mixture.
#pragma once

#include <torch/torch.h>

#include "model/encoder/conv_stack.h"
#include "model/encoder/ears_config.h"
#include "model/encoder/slot_decoder.h"

namespace auricle::model {

// Tokens at the end of a clip that are listened to again: bounds the work, and a stream's memory for features.
inline constexpr int64_t kListenTokens = 100;

class SourceListenerImpl : public torch::nn::Module {
 public:
  explicit SourceListenerImpl(const EarsConfig& config);

  // Adds to `slots` what the beams tell: class_logits, log_distance (the same to frame_log_distance), motion_logits;
  // and sets course. features [B, 10, 10 M, mels] of the clips' last M tokens, M >= min(N, kListenTokens) for N tokens
  // of `slots`; token_mask [B, N] bool or undefined; with a mask, M = N.
  void forward(const torch::Tensor& features, const torch::Tensor& token_mask, SlotOutput& slots);

 private:
  ConvStack stack_{nullptr};  // on beam and its gain over W
  torch::nn::Linear class_{nullptr}, distance_{nullptr};
  torch::nn::Linear motion_in_{nullptr}, motion_out_{nullptr};  // on the course
};
TORCH_MODULE(SourceListener);

}  // namespace auricle::model
