// Pre-norm transformer over 10 Hz tokens with rotary positions and chunked attention: a token sees its own chunk of
// `chunk_tokens` to the end and `left_chunks` whole chunks before it, nothing later. So a stream encoded chunk by chunk
// with cached keys and values equals the whole clip encoded at once.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "model/encoder/ears_config.h"

namespace auricle::model {

// Keys and values of the tokens that a next chunk may still see, and the position of the next token.
struct FusionCache {
  struct Layer {
    torch::Tensor keys;    // [B, heads, cached, width / heads], rotated
    torch::Tensor values;  // [B, heads, cached, width / heads]
  };
  std::vector<Layer> layers;
  int64_t next_position = 0;  // a multiple of chunk_tokens
};

class FusionLayerImpl : public torch::nn::Module {
 public:
  explicit FusionLayerImpl(const EarsConfig& config);

  // x [B, n, D]; cos, sin [n, D / heads / 2]; mask [B or 1, 1, n, cached + n] bool, true where attention may look.
  // Appends to `cache` when it is not null.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& cos, const torch::Tensor& sin,
                        const torch::Tensor& mask, FusionCache::Layer* cache);

 private:
  int heads_;
  double dropout_;
  torch::nn::LayerNorm attention_norm_{nullptr}, feed_forward_norm_{nullptr};
  torch::nn::Linear qkv_{nullptr}, attention_out_{nullptr}, up_{nullptr}, down_{nullptr};
};
TORCH_MODULE(FusionLayer);

class FusionTransformerImpl : public torch::nn::Module {
 public:
  explicit FusionTransformerImpl(const EarsConfig& config);

  // tokens [B, n, D]; token_mask [B, n] bool or undefined (padding is never attended to).
  // With a cache the tokens follow those cached; every call but the last must bring whole chunks (n a multiple of
  // chunk_tokens), and the batch takes no mask.
  torch::Tensor forward(const torch::Tensor& tokens, const torch::Tensor& token_mask = {},
                        FusionCache* cache = nullptr);

 private:
  int heads_;
  int head_width_;
  int chunk_tokens_;
  int left_chunks_;
  torch::nn::ModuleList layers_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
};
TORCH_MODULE(FusionTransformer);

}  // namespace auricle::model
