#include "model/encoder/fusion_transformer.h"

#include <algorithm>

#include "model/encoder/attention.h"

namespace auricle::model {
namespace {

constexpr double kRotaryBase = 10000.0;

// Rotates the halves of each head: (a, b) -> (a cos - b sin, b cos + a sin). x [B, heads, n, d], cos [n, d / 2].
torch::Tensor Rotate(const torch::Tensor& x, const torch::Tensor& cos, const torch::Tensor& sin) {
  const auto halves = x.to(torch::kFloat32).chunk(2, -1);
  return torch::cat({halves[0] * cos - halves[1] * sin, halves[1] * cos + halves[0] * sin}, -1);
}

}  // namespace

FusionLayerImpl::FusionLayerImpl(const EarsConfig& config) : heads_(config.heads), dropout_(config.dropout) {
  const int width = config.width;
  attention_norm_ = register_module("attention_norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({width})));
  qkv_ = register_module("qkv", torch::nn::Linear(width, 3 * width));
  attention_out_ = register_module("attention_out", torch::nn::Linear(width, width));
  feed_forward_norm_ = register_module("feed_forward_norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({width})));
  up_ = register_module("up", torch::nn::Linear(width, config.feed_forward));
  down_ = register_module("down", torch::nn::Linear(config.feed_forward, width));
}

torch::Tensor FusionLayerImpl::forward(const torch::Tensor& x, const torch::Tensor& cos, const torch::Tensor& sin,
                                       const torch::Tensor& mask, FusionCache::Layer* cache) {
  const int64_t batch = x.size(0), n = x.size(1), width = x.size(2);
  // [3, B, heads, n, d]
  const torch::Tensor qkv =
      qkv_(attention_norm_(x)).view({batch, n, 3, heads_, width / heads_}).permute({2, 0, 3, 1, 4});
  const torch::Tensor q = Rotate(qkv[0], cos, sin);
  torch::Tensor k = Rotate(qkv[1], cos, sin);
  torch::Tensor v = qkv[2].to(torch::kFloat32);
  if (cache != nullptr) {
    if (cache->keys.defined()) {
      k = torch::cat({cache->keys, k}, 2);
      v = torch::cat({cache->values, v}, 2);
    }
    cache->keys = k;
    cache->values = v;
  }
  const torch::Tensor seen = Attend(q, k, v, mask);
  torch::Tensor y = x + torch::dropout(attention_out_(seen), dropout_, is_training());
  return y + torch::dropout(down_(torch::gelu(up_(feed_forward_norm_(y)), "tanh")), dropout_, is_training());
}

FusionTransformerImpl::FusionTransformerImpl(const EarsConfig& config)
    : heads_(config.heads),
      head_width_(config.width / config.heads),
      chunk_tokens_(config.chunk_tokens),
      left_chunks_(config.left_chunks) {
  layers_ = register_module("layers", torch::nn::ModuleList());
  for (int i = 0; i < config.fusion_layers; ++i) layers_->push_back(FusionLayer(config));
  norm_ = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({config.width})));
}

torch::Tensor FusionTransformerImpl::forward(const torch::Tensor& tokens, const torch::Tensor& token_mask,
                                             FusionCache* cache) {
  const int64_t n = tokens.size(1);
  int64_t cached = 0;
  int64_t first = 0;
  if (cache != nullptr) {
    TORCH_CHECK(!token_mask.defined(), "a cached clip takes no padding");
    TORCH_CHECK(cache->next_position % chunk_tokens_ == 0, "only the last call may bring a part of a chunk");
    cache->layers.resize(layers_->size());
    first = cache->next_position;
    if (cache->layers[0].keys.defined()) cached = cache->layers[0].keys.size(2);
  }
  const torch::TensorOptions options = torch::TensorOptions(tokens.device());
  const torch::Tensor key_positions = torch::arange(first - cached, first + n, options.dtype(torch::kInt64));
  const torch::Tensor positions = key_positions.narrow(0, cached, n);

  const torch::Tensor query_chunk = positions.floor_divide(chunk_tokens_).unsqueeze(1);    // [n, 1]
  const torch::Tensor key_chunk = key_positions.floor_divide(chunk_tokens_).unsqueeze(0);  // [1, cached + n]
  torch::Tensor mask =
      ((key_chunk <= query_chunk) & (key_chunk >= query_chunk - left_chunks_)).unsqueeze(0).unsqueeze(0);
  if (token_mask.defined()) {
    // A padded query sees at least itself: a row without any key would be NaN.
    const torch::Tensor self = torch::eye(n, options.dtype(torch::kBool));
    mask = (mask & token_mask.unsqueeze(1).unsqueeze(1)) | self;
  }

  const torch::Tensor frequencies =
      torch::pow(kRotaryBase, torch::arange(0, head_width_, 2, options.dtype(torch::kFloat32)).mul(-1.0 / head_width_));
  const torch::Tensor angles = positions.to(torch::kFloat32).unsqueeze(1) * frequencies;  // [n, head_width / 2]
  const torch::Tensor cos = angles.cos();
  const torch::Tensor sin = angles.sin();

  torch::Tensor x = tokens;
  for (size_t i = 0; i < layers_->size(); ++i) {
    x = layers_->at<FusionLayerImpl>(i).forward(x, cos, sin, mask, cache ? &cache->layers[i] : nullptr);
  }
  if (cache != nullptr) {
    cache->next_position += n;
    const int64_t keep = static_cast<int64_t>(left_chunks_) * chunk_tokens_;
    for (FusionCache::Layer& layer : cache->layers) {
      const int64_t drop = std::max<int64_t>(0, layer.keys.size(2) - keep);
      if (drop == 0) continue;
      layer.keys = layer.keys.narrow(2, drop, keep).contiguous();
      layer.values = layer.values.narrow(2, drop, keep).contiguous();
    }
  }
  return norm_(x);
}

}  // namespace auricle::model
