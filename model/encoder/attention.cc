#include "model/encoder/attention.h"

#include <cmath>

namespace auricle::model {

torch::Tensor Attend(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                     const torch::Tensor& mask) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(q.size(3)));
  torch::Tensor scores = torch::matmul(q * scale, k.transpose(2, 3)).to(torch::kFloat32);
  if (mask.defined()) scores = scores.masked_fill(mask.logical_not(), -1e9);
  return torch::matmul(torch::softmax(scores, -1), v).transpose(1, 2).flatten(2);
}

}  // namespace auricle::model
