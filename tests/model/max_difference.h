// How far two tensors of one shape lie apart.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace auricle::model {

inline double MaxDifference(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

}  // namespace auricle::model
