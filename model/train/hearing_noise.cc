#include "model/train/hearing_noise.h"

#include <torch/torch.h>

namespace auricle::train {

model::EarsOutput AddHearingNoise(model::EarsOutput heard, const HearingNoise& noise, at::Generator generator) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor strength =
      torch::rand({2, heard.class_logits.size(0), 1, 1}, generator).to(heard.class_logits.device());
  const auto like = [&](const torch::Tensor& value) {
    return torch::randn(value.sizes(), generator).to(value.device());
  };
  if (noise.class_logits > 0) {
    heard.class_logits = heard.class_logits + like(heard.class_logits) * strength[0] * noise.class_logits;
  }
  if (noise.embeddings > 0) {
    for (torch::Tensor* vectors : {&heard.slot_embeddings, &heard.semantic_tokens, &heard.fused_tokens}) {
      const torch::Tensor size = vectors->square().mean(-1, /*keepdim=*/true).sqrt();
      *vectors = *vectors + like(*vectors) * size * strength[1] * noise.embeddings;
    }
  }
  return heard;
}

}  // namespace auricle::train
