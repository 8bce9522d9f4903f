#include "model/encoder/ears_network.h"

namespace auricle::model {
namespace {

// Sound-event logits start here: a given class is rarely heard in a given token.
constexpr double kSedPrior = -3.5;

}  // namespace

EarsNetworkImpl::EarsNetworkImpl(const EarsConfig& config) : config_(config) {
  semantic_ = register_module("semantic", ConvStack(1, config.mels, config.semantic, config.width));
  spatial_ = register_module("spatial", ConvStack(kFeatureChannels, config.mels, config.spatial, config.width));
  fusion_in_ = register_module("fusion_in", torch::nn::Linear(2 * config.width, config.width));
  fusion_ = register_module("fusion", FusionTransformer(config));
  slots_ = register_module("slots", SlotDecoder(config));
  if (config.beams) listener_ = register_module("listener", SourceListener(config));
  sed_semantic_ = register_module("sed_semantic", torch::nn::Linear(config.width, config.classes));
  sed_fused_ = register_module("sed_fused",
                               torch::nn::Linear(torch::nn::LinearOptions(config.width, config.classes).bias(false)));
  room_ = register_module("room", RoomHead(config));
  const torch::NoGradGuard no_grad;
  sed_semantic_->bias.fill_(kSedPrior);
}

EarsOutput EarsNetworkImpl::forward(const torch::Tensor& features, const torch::Tensor& token_counts) {
  TORCH_CHECK(features.dim() == 4 && features.size(1) == kFeatureChannels && features.size(3) == config_.mels,
              "features must be [batch, ", kFeatureChannels, ", frames, ", config_.mels, "]");
  const int64_t tokens = features.size(2) / kFramesPerToken;
  torch::Tensor mask;  // stays undefined when no clip is padded: masks cost time
  if (token_counts.defined()) {
    TORCH_CHECK(token_counts.dim() == 1 && token_counts.size(0) == features.size(0), "token_counts must be [batch]");
    const torch::Tensor counts = token_counts.to(torch::kCPU, torch::kInt64);
    TORCH_CHECK(counts.min().item<int64_t>() >= 1 && counts.max().item<int64_t>() <= tokens,
                "token_counts must lie in [1, ", tokens, "]");
    if (counts.min().item<int64_t>() < tokens) {
      mask = (torch::arange(tokens).unsqueeze(0) < counts.unsqueeze(1)).to(features.device());
    }
  }
  const LocalTokens local = EncodeLocal(features, mask);
  return Perceive(local, Fuse(local, mask), features, mask);
}

EarsNetworkImpl::LocalTokens EarsNetworkImpl::EncodeLocal(const torch::Tensor& features,
                                                          const torch::Tensor& token_mask) {
  return {.semantic = semantic_(features.narrow(1, 0, 1), token_mask), .spatial = spatial_(features, token_mask)};
}

torch::Tensor EarsNetworkImpl::Fuse(const LocalTokens& local, const torch::Tensor& token_mask, FusionCache* cache) {
  const torch::Tensor both = fusion_in_(torch::cat({local.semantic, local.spatial}, -1)).to(torch::kFloat32);
  return fusion_(both, token_mask, cache).to(torch::kFloat32);
}

EarsOutput EarsNetworkImpl::Perceive(const LocalTokens& local, const torch::Tensor& fused,
                                     const torch::Tensor& features, const torch::Tensor& token_mask) {
  EarsOutput out;
  out.token_mask = token_mask.defined() ? token_mask
                                        : torch::ones({fused.size(0), fused.size(1)},
                                                      torch::TensorOptions(fused.device()).dtype(torch::kBool));
  out.semantic_tokens = local.semantic;
  out.spatial_tokens = local.spatial;
  out.fused_tokens = fused;

  SlotOutput slots = slots_(fused, local.semantic, token_mask);
  if (!listener_.is_empty()) listener_(features, token_mask, slots);
  out.slot_embeddings = slots.embeddings;
  out.exist_logits = slots.exist_logits;
  out.class_logits = slots.class_logits;
  out.direction_raw = slots.direction_raw;
  out.direction = slots.direction;
  out.log_distance = slots.log_distance;
  out.motion_logits = slots.motion_logits;
  out.course = slots.course;
  out.activity_logits = slots.activity_logits;
  out.frame_direction_raw = slots.frame_direction_raw;
  out.frame_direction = slots.frame_direction;
  out.frame_log_distance = slots.frame_log_distance;

  out.sed_logits = (sed_semantic_(local.semantic) + sed_fused_(fused)).to(torch::kFloat32);

  const RoomOutput room = room_(fused, token_mask);
  out.log_t30 = room.log_t30;
  out.log_volume = room.log_volume;
  out.free_field_logit = room.free_field_logit;
  return out;
}

}  // namespace auricle::model
