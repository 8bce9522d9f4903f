#include "model/decoder/rms_norm.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

namespace auricle::model {
namespace {

constexpr double kEps = 1e-5;

at::Tensor Random(at::IntArrayRef shape, uint64_t seed) {
  return at::empty(shape, at::kFloat).normal_(0, 1, at::detail::createCPUGenerator(seed));
}

// The formula in float64, differentiated by LibTorch.
at::Tensor Truth(const at::Tensor& x, const at::Tensor& weight) {
  return x * (x.square().mean(-1, true) + kEps).rsqrt() * weight;
}

struct Result {
  at::Tensor out, grad_x, grad_weight;
};

template <typename Norm>
Result Differentiate(const Norm& norm, at::Tensor x, at::Tensor weight, const at::Tensor& grad) {
  x = x.detach().clone().requires_grad_(true);
  weight = weight.detach().clone().requires_grad_(true);
  const at::Tensor out = norm(x, weight);
  out.backward(grad.to(out.scalar_type()));
  return {out.detach(), x.grad(), weight.grad()};
}

double Distance(const at::Tensor& a, const at::Tensor& b) {
  return ((a.to(at::kDouble) - b).norm() / b.norm()).item<double>();
}

const auto kOurs = [](const at::Tensor& x, const at::Tensor& w) { return RmsNorm(x, w, kEps); };

TEST(RmsNormTest, AgreesWithTheFormulaAndItsDerivativeInFloat64) {
  // Widths that are no multiple of the lanes, one row, many rows, a transposed (strided) input.
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{1, 1, 3}, {2, 5, 16}, {3, 200, 37}, {1000, 64}}) {
    const at::Tensor x = Random(shape, 1) * 3, weight = Random({shape.back()}, 2) + 1, grad = Random(shape, 3);
    const Result truth = Differentiate(Truth, x.to(at::kDouble), weight.to(at::kDouble), grad);
    const Result ours = Differentiate(kOurs, x, weight, grad);
    EXPECT_LE(Distance(ours.out, truth.out), 1e-6);
    EXPECT_LE(Distance(ours.grad_x, truth.grad_x), 2e-6);
    EXPECT_LE(Distance(ours.grad_weight, truth.grad_weight), 2e-6);
  }
  const at::Tensor strided = Random({8, 20}, 4).t();
  EXPECT_LE(Distance(RmsNorm(strided, at::ones({8}), kEps), Truth(strided.to(at::kDouble), at::ones({8}, at::kDouble))),
            1e-6);
}

TEST(RmsNormTest, GivesAutocastsTypeForwardAndFloatGradientsBackward) {
  const at::Tensor x = Random({50, 48}, 1), weight = Random({48}, 2), grad = Random({50, 48}, 3);
  const Result truth = Differentiate(Truth, x.to(at::kDouble), weight.to(at::kDouble), grad);
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const Result ours = Differentiate(kOurs, x, weight, grad);
  at::autocast::set_autocast_enabled(at::kCPU, false);
  EXPECT_EQ(ours.out.scalar_type(), at::kBFloat16);
  EXPECT_EQ(ours.grad_x.scalar_type(), at::kFloat);
  EXPECT_LE(Distance(ours.out, truth.out), 4e-3);  // half a unit of bf16's eighth bit
  EXPECT_LE(Distance(ours.grad_x, truth.grad_x), 4e-3);
  EXPECT_LE(Distance(ours.grad_weight, truth.grad_weight), 4e-3);
}

TEST(RmsNormTest, SumsBf16InFloat32) {
  at::NoGradGuard no_grad;
  const at::Tensor x = (Random({4, 4096}, 5) + 30).to(at::kBFloat16), weight = at::ones({4096}, at::kBFloat16);
  const at::Tensor out = RmsNorm(x, weight, kEps);
  EXPECT_EQ(out.scalar_type(), at::kBFloat16);
  EXPECT_LE(Distance(out, Truth(x.to(at::kDouble), weight.to(at::kDouble))), 3e-3);
}

TEST(RmsNormTest, TheNumberOfThreadsChangesNothing) {
  const at::Tensor x = Random({777, 40}, 1), weight = Random({40}, 2), grad = Random({777, 40}, 3);
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const Result one = Differentiate(kOurs, x, weight, grad);
  at::set_num_threads(3);
  const Result three = Differentiate(kOurs, x, weight, grad);
  at::set_num_threads(before);
  EXPECT_TRUE(one.out.equal(three.out));
  EXPECT_TRUE(one.grad_x.equal(three.grad_x));
  EXPECT_TRUE(one.grad_weight.equal(three.grad_weight));
}

TEST(RmsNormTest, SilenceStaysFinite) {
  const Result ours = Differentiate(kOurs, at::zeros({2, 8}), at::ones({8}), at::ones({2, 8}));
  EXPECT_TRUE(ours.out.eq(0).all().item<bool>());
  EXPECT_TRUE(ours.grad_x.isfinite().all().item<bool>());
}

}  // namespace
}  // namespace auricle::model
