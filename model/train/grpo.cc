#include "model/train/grpo.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>

namespace auricle::train {

std::vector<double> GroupAdvantages(std::span<const double> rewards) {
  std::vector<double> advantages(rewards.size(), 0.0);
  if (!HasSpread(rewards)) return advantages;
  double mean = 0, variance = 0;
  for (const double reward : rewards) mean += reward / static_cast<double>(rewards.size());
  for (const double reward : rewards) variance += (reward - mean) * (reward - mean) / static_cast<double>(rewards.size());
  for (size_t i = 0; i < rewards.size(); ++i) advantages[i] = (rewards[i] - mean) / (std::sqrt(variance) + 1e-6);
  return advantages;
}

bool HasSpread(std::span<const double> rewards) {
  if (rewards.empty()) return false;
  const auto [low, high] = std::minmax_element(rewards.begin(), rewards.end());
  return *high - *low > 1e-9;
}

GrpoLoss GrpoObjective(const GrpoTokens& tokens, const GrpoOptions& options) {
  const at::Tensor& advantages = tokens.advantages;
  const at::Tensor ratio = (tokens.log_probs - tokens.proximal_log_probs.detach()).exp();
  const at::Tensor clipped = ratio.clamp(1 - options.clip_low, 1 + options.clip_high);
  const at::Tensor gain = at::minimum(ratio * advantages, clipped * advantages);
  // What the drawing policy saw more rarely than the one that is improved weighs more, up to the cap.
  const at::Tensor weight = (tokens.proximal_log_probs - tokens.behaviour_log_probs).detach().exp().clamp_max(options.importance_cap);

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
