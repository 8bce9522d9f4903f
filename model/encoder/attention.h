// Softmax attention over short sequences (at most a few hundred tokens).
#pragma once

#include <torch/torch.h>

namespace auricle::model {

// q [B, heads, n, d]; k, v [B, heads, m, d]; mask bool, broadcast to [B, heads, n, m], true where attention may look
// (every row must see something), or undefined. Returns [B, n, heads * d].
// Written out and not torch's fused kernel: at 50 tokens the fused CPU kernel's backward costs more than the products.
torch::Tensor Attend(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v, const torch::Tensor& mask);

}  // namespace auricle::model
