#include "model/encoder/room_head.h"

namespace auricle::model {
namespace {

// Where the head starts: T30 0.4 s, 60 cubic metres, one clip in ten without walls.
constexpr double kLogT30Prior = -0.92;
constexpr double kLogVolumePrior = 4.1;
constexpr double kFreeFieldPrior = -2.2;

}  // namespace

RoomHeadImpl::RoomHeadImpl(const EarsConfig& config) {
  score_ = register_module("score", torch::nn::Linear(config.width, config.heads));
  value_ = register_module("value", torch::nn::Linear(config.width, config.width));
  hidden_ = register_module("hidden", torch::nn::Linear(config.width, config.width));
  out_ = register_module("out", torch::nn::Linear(config.width, kReverberationBands + 2));
  const torch::NoGradGuard no_grad;
  out_->bias.fill_(kLogT30Prior);
  out_->bias[kReverberationBands] = kLogVolumePrior;
  out_->bias[kReverberationBands + 1] = kFreeFieldPrior;
}

RoomOutput RoomHeadImpl::forward(const torch::Tensor& tokens, const torch::Tensor& token_mask) {
  const int64_t batch = tokens.size(0), n = tokens.size(1), width = tokens.size(2);
  torch::Tensor score = score_(tokens).to(torch::kFloat32);  // [B, N, heads]
  if (token_mask.defined()) score = score.masked_fill(token_mask.logical_not().unsqueeze(2), -1e9);
  const int64_t heads = score.size(2);
  const torch::Tensor weight = torch::softmax(score, 1).transpose(1, 2).unsqueeze(2);  // [B, heads, 1, N]
  const torch::Tensor value =
      value_(tokens).to(torch::kFloat32).view({batch, n, heads, width / heads}).transpose(1, 2);  // [B, heads, N, d]
  const torch::Tensor pooled = torch::matmul(weight, value).reshape({batch, width});
  const torch::Tensor out = out_(torch::relu(hidden_(pooled))).to(torch::kFloat32);
  return {.log_t30 = out.narrow(1, 0, kReverberationBands),
          .log_volume = out.select(1, kReverberationBands),
          .free_field_logit = out.select(1, kReverberationBands + 1)};
}

}  // namespace auricle::model
