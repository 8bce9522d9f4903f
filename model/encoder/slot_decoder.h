// Slots: K learned queries that each bind one source of the clip, DETR-like (Carion et al. 2020), with heads for what,
// where and when it sounds.
#pragma once

#include <torch/torch.h>

#include "model/encoder/ears_config.h"

namespace auricle::model {

// See EarsOutput for shapes and units.
struct SlotOutput {
  torch::Tensor embeddings, exist_logits, class_logits, direction_raw, direction, log_distance, motion_logits;
  torch::Tensor activity_logits, frame_direction_raw, frame_direction, frame_log_distance;
  torch::Tensor course;  // set by SourceListener
};

class SlotLayerImpl : public torch::nn::Module {
 public:
  explicit SlotLayerImpl(const EarsConfig& config);

  // slots [B, K, D]; memory [B, N, D]; mask [B, 1, 1, N] bool or undefined.
  torch::Tensor forward(const torch::Tensor& slots, const torch::Tensor& memory, const torch::Tensor& mask);

 private:
  int heads_;
  double dropout_;
  torch::nn::LayerNorm self_norm_{nullptr}, cross_norm_{nullptr}, feed_forward_norm_{nullptr};
  torch::nn::Linear self_qkv_{nullptr}, self_out_{nullptr}, cross_q_{nullptr}, cross_kv_{nullptr}, cross_out_{nullptr};
  torch::nn::Linear up_{nullptr}, down_{nullptr};
};
TORCH_MODULE(SlotLayer);

class SlotDecoderImpl : public torch::nn::Module {
 public:
  explicit SlotDecoderImpl(const EarsConfig& config);

  // fused, semantic [B, N, D]; token_mask [B, N] bool or undefined.
  // The class head reads, beside the slot, the semantic tokens averaged over the slot's own activity.
  SlotOutput forward(const torch::Tensor& fused, const torch::Tensor& semantic, const torch::Tensor& token_mask = {});

 private:
  torch::Tensor queries_;  // [K, D]
  torch::nn::ModuleList layers_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::Linear exist_{nullptr}, class_slot_{nullptr}, class_semantic_{nullptr}, direction_{nullptr};
  torch::nn::Linear distance_{nullptr}, motion_{nullptr};
  torch::nn::Linear hidden_{nullptr};                                   // slot -> hidden of the heads above
  torch::nn::Linear activity_slot_{nullptr}, activity_token_{nullptr};  // their dot product is the activity
  torch::nn::Linear frame_slot_{nullptr}, frame_token_{nullptr}, frame_out_{nullptr};
  torch::Tensor activity_bias_;  // [1]
};
TORCH_MODULE(SlotDecoder);

}  // namespace auricle::model
