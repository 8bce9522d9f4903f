// The room from all tokens of a clip: reverberation times, volume, and whether there are walls at all.
#pragma once

#include <torch/torch.h>

#include "model/encoder/ears_config.h"

namespace auricle::model {

struct RoomOutput {
  torch::Tensor log_t30;           // [B, 7] ln(seconds), see kReverberationBands
  torch::Tensor log_volume;        // [B] ln(cubic metres)
  torch::Tensor free_field_logit;  // [B]
};

class RoomHeadImpl : public torch::nn::Module {
 public:
  explicit RoomHeadImpl(const EarsConfig& config);

  // tokens [B, N, D]; token_mask [B, N] bool or undefined. Attention pooling with `heads` learned queries.
  RoomOutput forward(const torch::Tensor& tokens, const torch::Tensor& token_mask = {});

 private:
  torch::nn::Linear score_{nullptr}, value_{nullptr}, hidden_{nullptr}, out_{nullptr};
};
TORCH_MODULE(RoomHead);

}  // namespace auricle::model
