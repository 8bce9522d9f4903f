#include "model/encoder/slot_decoder.h"

#include <cmath>

#include "model/encoder/attention.h"

namespace auricle::model {
namespace {

// Where the heads start: a source at 2 m that sounds in a quarter of the frames.
constexpr double kLogDistancePrior = 0.69;
constexpr double kActivityPrior = -1.0;

// [B, n, heads * d] -> [B, heads, n, d]
torch::Tensor SplitHeads(const torch::Tensor& x, int heads) {
  return x.view({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

torch::Tensor Unit(const torch::Tensor& v) { return v * (v.square().sum(-1, /*keepdim=*/true) + 1e-8).rsqrt(); }

torch::nn::LayerNorm Norm(int width) { return torch::nn::LayerNorm(torch::nn::LayerNormOptions({width})); }

}  // namespace

SlotLayerImpl::SlotLayerImpl(const EarsConfig& config) : heads_(config.heads), dropout_(config.dropout) {
  const int width = config.width;
  self_norm_ = register_module("self_norm", Norm(width));
  self_qkv_ = register_module("self_qkv", torch::nn::Linear(width, 3 * width));
  self_out_ = register_module("self_out", torch::nn::Linear(width, width));
  cross_norm_ = register_module("cross_norm", Norm(width));
  cross_q_ = register_module("cross_q", torch::nn::Linear(width, width));
  cross_kv_ = register_module("cross_kv", torch::nn::Linear(width, 2 * width));
  cross_out_ = register_module("cross_out", torch::nn::Linear(width, width));
  feed_forward_norm_ = register_module("feed_forward_norm", Norm(width));
  up_ = register_module("up", torch::nn::Linear(width, config.feed_forward));
  down_ = register_module("down", torch::nn::Linear(config.feed_forward, width));
}

torch::Tensor SlotLayerImpl::forward(const torch::Tensor& slots, const torch::Tensor& memory,
                                     const torch::Tensor& mask) {
  const auto drop = [this](const torch::Tensor& x) { return torch::dropout(x, dropout_, is_training()); };
  const auto qkv = self_qkv_(self_norm_(slots)).chunk(3, -1);
  torch::Tensor x =
      slots +
      drop(self_out_(Attend(SplitHeads(qkv[0], heads_), SplitHeads(qkv[1], heads_), SplitHeads(qkv[2], heads_), {})));
  const auto kv = cross_kv_(memory).chunk(2, -1);
  x = x + drop(cross_out_(Attend(SplitHeads(cross_q_(cross_norm_(x)), heads_), SplitHeads(kv[0], heads_),
                                 SplitHeads(kv[1], heads_), mask)));
  return x + drop(down_(torch::gelu(up_(feed_forward_norm_(x)), "tanh")));
}

SlotDecoderImpl::SlotDecoderImpl(const EarsConfig& config) {
  const int width = config.width;
  const int frame_width = width / 2;
  queries_ = register_parameter("queries", torch::randn({config.slots, width}) * 0.5);
  layers_ = register_module("layers", torch::nn::ModuleList());
  for (int i = 0; i < config.slot_layers; ++i) layers_->push_back(SlotLayer(config));
  norm_ = register_module("norm", Norm(width));

  hidden_ = register_module("hidden", torch::nn::Linear(width, width));
  exist_ = register_module("exist", torch::nn::Linear(width, 1));
  class_slot_ = register_module("class_slot", torch::nn::Linear(width, config.classes));
  class_semantic_ =
      register_module("class_semantic", torch::nn::Linear(torch::nn::LinearOptions(width, config.classes).bias(false)));
  direction_ = register_module("direction", torch::nn::Linear(width, 3));
  distance_ = register_module("distance", torch::nn::Linear(width, 1));
  motion_ = register_module("motion", torch::nn::Linear(width, kMotionKinds));
  activity_slot_ = register_module("activity_slot", torch::nn::Linear(width, width));
  activity_token_ = register_module("activity_token", torch::nn::Linear(width, width));
  activity_bias_ = register_parameter("activity_bias", torch::full({1}, kActivityPrior));
  frame_slot_ = register_module("frame_slot", torch::nn::Linear(width, frame_width));
  frame_token_ =
      register_module("frame_token", torch::nn::Linear(torch::nn::LinearOptions(width, frame_width).bias(false)));
  frame_out_ = register_module("frame_out", torch::nn::Linear(frame_width, 4));

  const torch::NoGradGuard no_grad;
  distance_->bias.fill_(kLogDistancePrior);
  frame_out_->bias[3] = kLogDistancePrior;
}

SlotOutput SlotDecoderImpl::forward(const torch::Tensor& fused, const torch::Tensor& semantic,
                                    const torch::Tensor& token_mask) {
  const int64_t batch = fused.size(0);
  const torch::Tensor mask = token_mask.defined() ? token_mask.unsqueeze(1).unsqueeze(1) : torch::Tensor();
  torch::Tensor slots = queries_.unsqueeze(0).expand({batch, -1, -1});
  for (size_t i = 0; i < layers_->size(); ++i) slots = layers_->at<SlotLayerImpl>(i).forward(slots, fused, mask);
  slots = norm_(slots).to(torch::kFloat32);

  SlotOutput out;
  out.embeddings = slots;
  const torch::Tensor hidden = torch::relu(hidden_(slots));
  out.exist_logits = exist_(hidden).squeeze(-1).to(torch::kFloat32);
  out.direction_raw = direction_(hidden).to(torch::kFloat32);
  out.direction = Unit(out.direction_raw);
  out.log_distance = distance_(hidden).squeeze(-1).to(torch::kFloat32);
  out.motion_logits = motion_(hidden).to(torch::kFloat32);

  const double scale = 1.0 / std::sqrt(static_cast<double>(fused.size(2)));
  out.activity_logits =
      torch::matmul(activity_slot_(slots), activity_token_(fused).transpose(1, 2)).to(torch::kFloat32) * scale +
      activity_bias_;  // [B, K, N]

  // [B, K, N, 4]: both halves of the first layer are small, their sum is not.
  const torch::Tensor frames =
      frame_out_(torch::relu(frame_slot_(slots).unsqueeze(2) + frame_token_(fused).unsqueeze(1))).to(torch::kFloat32);
  out.frame_direction_raw = frames.narrow(-1, 0, 3);
  out.frame_direction = Unit(out.frame_direction_raw);
  out.frame_log_distance = frames.select(-1, 3);

  // The activity only points here: classes are not to bend it.
  torch::Tensor weight = torch::sigmoid(out.activity_logits.detach());
  if (token_mask.defined()) weight = weight * token_mask.unsqueeze(1).to(weight.scalar_type());
  weight = weight / (weight.sum(-1, /*keepdim=*/true) + 1e-3);
  const torch::Tensor own_semantic = torch::matmul(weight, semantic);  // [B, K, D]
  out.class_logits = (class_slot_(hidden) + class_semantic_(own_semantic)).to(torch::kFloat32);
  return out;
}

}  // namespace auricle::model
