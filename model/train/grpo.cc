#include "model/train/grpo.h"

#include <torch/torch.h>

namespace auricle::train {

GrpoLoss GrpoObjective(const GrpoTokens& tokens, const GrpoOptions& options) {
  const at::Tensor& advantages = tokens.advantages;
  const at::Tensor ratio = (tokens.log_probs - tokens.proximal_log_probs.detach()).exp();
  const at::Tensor clipped = ratio.clamp(1 - options.clip_low, 1 + options.clip_high);
  const at::Tensor gain = at::minimum(ratio * advantages, clipped * advantages);
  // What the drawing policy saw more rarely than the one that is improved weighs more, up to the cap.
  const at::Tensor weight =
      (tokens.proximal_log_probs - tokens.behaviour_log_probs).detach().exp().clamp_max(options.importance_cap);

  GrpoLoss result;
  at::Tensor per_token = -weight * gain;
  if (tokens.reference_log_probs.defined()) {
    // k3 of Schulman, "Approximating KL divergence": unbiased and never negative.
    const at::Tensor log_ratio = tokens.reference_log_probs.detach() - tokens.log_probs;
    const at::Tensor k3 = log_ratio.exp() - log_ratio - 1;
    per_token = per_token + options.kl_weight * k3;
    result.kl = k3.mean().item<double>();
  }
  result.loss = per_token.mean();
  const at::Tensor low = (ratio < 1 - options.clip_low) & (advantages < 0);
  const at::Tensor high = (ratio > 1 + options.clip_high) & (advantages > 0);
  result.clip_fraction_low = low.to(at::kDouble).mean().item<double>();
  result.clip_fraction_high = high.to(at::kDouble).mean().item<double>();
  return result;
}

}  // namespace auricle::train
