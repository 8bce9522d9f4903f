// RMSNorm (Zhang and Sennrich 2019, eq. 4): x / sqrt(mean(x^2) + eps) * weight, over the last dimension.
#pragma once

#include <ATen/core/Tensor.h>

namespace auricle::model {

// x [..., d], weight [d]. Sums in float32 whatever the dtype of x: a sum of squares in bf16 loses three digits.
// Returns the dtype of x; float32 x under autocast gives autocast's dtype, since a matrix product is what follows.
// Differentiable in both. Float32 on the CPU takes one pass over memory, forward and backward, instead of seven and a
// dozen: the norms were a third of a training step.
at::Tensor RmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps);

}  // namespace auricle::model
