#include "model/train/encoder_step.h"

#include <torch/torch.h>

#include "model/train/mixed_precision.h"

namespace auricle::train {

EncoderPredictions ToPredictions(const model::EarsOutput& heard) {
  EncoderPredictions predictions;
  predictions.exist_logit = heard.exist_logits;
  predictions.class_logits = heard.class_logits;
  predictions.direction = heard.direction_raw;
  predictions.log_distance = heard.log_distance;
  predictions.motion_logits = heard.motion_logits;
  predictions.activity_logit = heard.activity_logits;
  predictions.frame_direction = heard.frame_direction_raw;
  predictions.frame_log_distance = heard.frame_log_distance;
  predictions.tag_logits = heard.sed_logits;
  predictions.log_t30 = heard.log_t30;
  predictions.log_volume = heard.log_volume;
  predictions.free_field_logit = heard.free_field_logit;
  return predictions;
}

EncoderLoss EncoderForwardBackward(model::EarsNetwork& network, const torch::Tensor& features,
                                   const SceneTargets& targets, const EncoderLossWeights& weights, bool bf16) {
  model::EarsOutput heard;
  {
    const MixedPrecision scope(features.device().type(), bf16);
    heard = network->forward(features);
  }
  EncoderLoss loss = ComputeEncoderLoss(ToPredictions(heard), targets, weights);
  loss.total.backward();
  return loss;
}

std::vector<Parameter> ModuleParameters(const torch::nn::Module& module, const std::string& prefix) {
  std::vector<Parameter> out;
  for (const auto& item : module.named_parameters()) {
    if (item.value().requires_grad()) out.push_back({prefix + item.key(), item.value()});
  }
  return out;
}

std::vector<Parameter> ModuleBuffers(const torch::nn::Module& module, const std::string& prefix) {
  std::vector<Parameter> out;
  for (const auto& item : module.named_buffers()) out.push_back({prefix + item.key(), item.value()});
  return out;
}

}  // namespace auricle::train
