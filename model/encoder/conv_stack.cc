#include "model/encoder/conv_stack.h"

namespace auricle::model {
namespace {

// Feature frames per frame of the first convolution's output, and of those per token.
constexpr int kFirstStride = 2;
constexpr int kTimePool = kFramesPerToken / kFirstStride;

torch::nn::Conv2d Convolution(int in, int out, int time_kernel, int time_stride, int mel_stride) {
  // No bias: batch norm follows.
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, {time_kernel, 3})
                               .stride({time_stride, mel_stride})
                               .padding({time_kernel / 2, 1})
                               .bias(false));
}

}  // namespace

ConvStackImpl::ConvStackImpl(int in_channels, int mels, const ConvStackConfig& config, int width) {
  TORCH_CHECK(config.channels.size() == 5, "a stack has five convolutions");
  const std::vector<int>& c = config.channels;
  conv1_ = register_module("conv1", Convolution(in_channels, c[0], 5, kFirstStride, 2));
  conv2_ = register_module("conv2", Convolution(c[0], c[1], 3, 1, 2));
  conv3_ = register_module("conv3", Convolution(c[1], c[2], 3, 1, 2));
  conv4_ = register_module("conv4", Convolution(c[2], c[3], 3, 1, 2));
  conv5_ = register_module("conv5", Convolution(c[3], c[4], 3, 1, 1));
  norm1_ = register_module("norm1", torch::nn::BatchNorm2d(c[0]));
  norm2_ = register_module("norm2", torch::nn::BatchNorm2d(c[1]));
  norm3_ = register_module("norm3", torch::nn::BatchNorm2d(c[2]));
  norm4_ = register_module("norm4", torch::nn::BatchNorm2d(c[3]));
  norm5_ = register_module("norm5", torch::nn::BatchNorm2d(c[4]));
  out_ = register_module("out", torch::nn::Linear(c[4] * (mels / 16), width));
}

torch::Tensor ConvStackImpl::forward(const torch::Tensor& features, const torch::Tensor& token_mask) {
  TORCH_CHECK(features.dim() == 4 && features.size(2) % kFramesPerToken == 0,
              "features must be [batch, channels, frames, mels] with whole tokens of ", kFramesPerToken, " frames");
  torch::Tensor token_rows, frame_rows;  // [B, 1, time, 1], 1 where the clip sounds on
  if (token_mask.defined()) {
    token_rows = token_mask.to(features.scalar_type()).unsqueeze(1).unsqueeze(3);
    frame_rows = token_rows.repeat_interleave(kTimePool, 2);
  }
  const auto masked = [](torch::Tensor x, const torch::Tensor& rows) {
    return rows.defined() ? x * rows.to(x.scalar_type()) : x;
  };

  torch::Tensor x = features;
  if (token_mask.defined()) x = x * token_rows.repeat_interleave(kFramesPerToken, 2);
  x = x.contiguous(at::MemoryFormat::ChannelsLast);
  x = masked(torch::relu(norm1_(conv1_(x))), frame_rows);
  x = masked(torch::relu(norm2_(conv2_(x))), frame_rows);
  x = torch::avg_pool2d(x, {kTimePool, 1});
  x = masked(torch::relu(norm3_(conv3_(x))), token_rows);
  x = masked(torch::relu(norm4_(conv4_(x))), token_rows);
  const torch::Tensor y = torch::relu(norm5_(conv5_(x)));
  x = x.sizes() == y.sizes() ? x + y : y;  // [B, channels, N, mels / 16]
  return out_(x.permute({0, 2, 1, 3}).flatten(2)).to(torch::kFloat32);
}

}  // namespace auricle::model
