// Group-relative policy optimisation (GRPO): several answers to one question are drawn, each is graded, and the policy
// moves towards those that were better than their group.
//
// Shao et al., "DeepSeekMath" (arXiv 2402.03300), eq. 3 and 4; asymmetric clipping, the token mean and dropping groups
// without spread after Yu et al., "DAPO" (arXiv 2503.14476); truncated importance weights for answers that an older
// policy drew after Yao et al. (2025). Tensor-level: wrong shapes throw c10::Error.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/train/group_statistics.h"

namespace auricle::train {

struct GrpoOptions {
  double clip_low = 0.2;      // the ratio is kept above 1 - clip_low where the advantage is negative
  double clip_high = 0.28;    // and below 1 + clip_high where it is positive
  double kl_weight = 0;       // of the k3 estimate of KL(policy || reference)
  double importance_cap = 2;  // largest weight of an answer that an older policy drew
};

// All tokens of all answers of one update in one row of N.
struct GrpoTokens {
  at::Tensor log_probs;            // [N] under the policy being trained; carries the gradient
  at::Tensor proximal_log_probs;   // [N] under the policy when the update began
  at::Tensor behaviour_log_probs;  // [N] under the policy that drew the answer
  at::Tensor advantages;           // [N] its answer's advantage
  at::Tensor reference_log_probs;  // [N], or undefined: no KL term
};

struct GrpoLoss {
  at::Tensor loss;               // scalar, to be minimised: mean over tokens
  double kl = 0;                 // mean k3 estimate to the reference, 0 without one
  double clip_fraction_low = 0;  // of the tokens, those whose gradient the bound cuts
  double clip_fraction_high = 0;
};

GrpoLoss GrpoObjective(const GrpoTokens& tokens, const GrpoOptions& options);

}  // namespace auricle::train
