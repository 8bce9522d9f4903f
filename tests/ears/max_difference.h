// How far two tensors of one shape lie apart.
#pragma once

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace auricle::model {

inline double MaxDifference(const torch::Tensor& a, const torch::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return (a.to(torch::kFloat64) - b.to(torch::kFloat64)).abs().max().item<double>();
}

}  // namespace auricle::model
