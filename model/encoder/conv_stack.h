// Five convolutions over time and mel that turn 100 Hz feature frames into 10 Hz tokens. One class, two uses: the
// semantic encoder (one input channel: log-mel of W) and the spatial encoder (ten channels).
//
//   conv 5x3, stride (2, 2) - conv 3x3, stride (1, 2) - mean over 5 frames - conv 3x3 (1, 2) - conv 3x3 (1, 2)
//   - conv 3x3 residual - flatten [channels * mels / 16] - linear to the token width
//
// Each convolution is followed by batch norm and ReLU. A token sees its own ten frames, 34
// before and 33 after them.
#pragma once

#include <torch/torch.h>

#include "model/encoder/ears_config.h"

namespace auricle::model {

class ConvStackImpl : public torch::nn::Module {
 public:
  ConvStackImpl(int in_channels, int mels, const ConvStackConfig& config, int width);

  // features [B, in_channels, F, mels], F a multiple of 10; token_mask [B, F / 10] bool or undefined.
  // Returns [B, F / 10, width]. Masked tokens are zeroed after every layer, as the padding of a shorter clip would be.
  torch::Tensor forward(const torch::Tensor& features, const torch::Tensor& token_mask = {});

 private:
  torch::nn::Conv2d conv1_{nullptr}, conv2_{nullptr}, conv3_{nullptr}, conv4_{nullptr}, conv5_{nullptr};
  torch::nn::BatchNorm2d norm1_{nullptr}, norm2_{nullptr}, norm3_{nullptr}, norm4_{nullptr}, norm5_{nullptr};
  torch::nn::Linear out_{nullptr};
};
TORCH_MODULE(ConvStack);

}  // namespace auricle::model
