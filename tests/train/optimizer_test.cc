#include "model/train/optimizer.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "model/train/schedule.h"
#include "tests/train/seeded.h"

namespace auricle::train {
namespace {

TEST(Orthogonalize, BringsAllSingularValuesNearOne) {
  const torch::Tensor matrices = torch::randn({3, 24, 40}, Seeded(1), torch::TensorOptions(torch::kFloat64));
  for (const torch::Tensor& given : {matrices, matrices.transpose(1, 2).contiguous()}) {
    const torch::Tensor values = torch::linalg_svdvals(Orthogonalize(given, torch::kFloat64));
    EXPECT_GT(values.min().item<double>(), 0.6);
    EXPECT_LT(values.max().item<double>(), 1.3);
  }
}

TEST(Orthogonalize, KeepsTheSingularVectors) {
  // U f(S) V^T for a matrix U S V^T: the polar factor's inner product with the matrix is near the sum of its values.
  const torch::Tensor matrix = torch::randn({1, 20, 20}, Seeded(2), torch::TensorOptions(torch::kFloat64));
  const double inner = (Orthogonalize(matrix, torch::kFloat64) * matrix).sum().item<double>();
  const double nuclear = torch::linalg_svdvals(matrix).sum().item<double>();
  EXPECT_NEAR(inner / nuclear, 1.0, 0.2);
}

TEST(Optimizer, AdamWTakesTheStepsOfItsPublishedForm) {
  // D. Kingma and J. Ba, algorithm 1, with decoupled decay (I. Loshchilov and F. Hutter), by hand in double.
  OptimizerOptions options;
  options.muon = false;
  options.max_grad_norm = 0;
  options.beta2 = 0.99;
  options.weight_decay = 0.1;
  torch::Tensor x = torch::tensor({{0.5, -1.0}}, torch::kFloat64);
  Optimizer optimizer(options, {{"x", x}});
  double value[2] = {0.5, -1.0}, m[2] = {}, v[2] = {};
  for (int step = 1; step <= 5; ++step) {
    const double gradient[2] = {0.3 * step, -0.7 + 0.2 * step};
    optimizer.Step({torch::tensor({{gradient[0], gradient[1]}}, torch::kFloat64)}, 0.01);
    for (int i = 0; i < 2; ++i) {
      m[i] = 0.9 * m[i] + 0.1 * gradient[i];
      v[i] = 0.99 * v[i] + 0.01 * gradient[i] * gradient[i];
      value[i] -= 0.01 * 0.1 * value[i];
      value[i] -= 0.01 * (m[i] / (1 - std::pow(0.9, step))) / (std::sqrt(v[i] / (1 - std::pow(0.99, step))) + 1e-8);
    }
  }
  EXPECT_NEAR(x[0][0].item<double>(), value[0], 1e-12);
  EXPECT_NEAR(x[0][1].item<double>(), value[1], 1e-12);
}

TEST(Optimizer, MuonSolvesALeastSquaresProblem) {
  auto g = Seeded(3);
  const torch::Tensor inputs = torch::randn({64, 16}, g), target = torch::randn({16, 32}, g);
  torch::Tensor weight = torch::zeros({16, 32});
  Optimizer optimizer({}, {{"weight", weight}});
  auto loss = [&] { return (inputs.mm(weight - target)).pow(2).mean().item<double>(); };
  const double before = loss();
  for (int step = 0; step < 300; ++step) {
    const torch::Tensor gradient = inputs.t().mm(inputs.mm(weight - target)) / 64;
    optimizer.Step({gradient}, 0.05 * (1 - step / 300.0));
  }
  EXPECT_LT(loss(), before * 1e-2);
}

TEST(Optimizer, ClipsTheNormOfAllGradientsTogether) {
  OptimizerOptions options;
  options.muon = false;
  options.beta1 = 0;
  options.max_grad_norm = 1;
  options.weight_decay = 0;
  torch::Tensor a = torch::zeros({1}), b = torch::zeros({1});
  Optimizer clipped(options, {{"a", a}, {"b", b}});
  EXPECT_NEAR(clipped.Step({torch::tensor({3.f}), torch::tensor({4.f})}, 0.1), 5.0, 1e-6);
  EXPECT_NEAR(clipped.State().at("momentum.a").item<float>(), 0.6, 1e-6);
  EXPECT_NEAR(clipped.State().at("momentum.b").item<float>(), 0.8, 1e-6);
}

TEST(Optimizer, LeavesWeightsAloneWhenAGradientIsNotFinite) {
  torch::Tensor x = torch::ones({20, 20});
  Optimizer optimizer({}, {{"x", x}});
  torch::Tensor gradient = torch::ones({20, 20});
  gradient[3][4] = NAN;
  optimizer.Step({gradient}, 0.1);
  EXPECT_TRUE(x.eq(1).all().item<bool>());
  EXPECT_EQ(optimizer.steps(), 0);
}

TEST(Optimizer, GivesTheSameWeightsForAnyNumberOfParts) {
  auto run = [](int parts) {
    auto g = Seeded(4);
    std::vector<Parameter> parameters;
    for (int i = 0; i < 5; ++i) parameters.push_back({std::to_string(i), torch::randn({20 + i % 2, 24}, g)});
    parameters.push_back({"bias", torch::randn({24}, g)});
    Optimizer optimizer({}, parameters, parts);
    for (int step = 0; step < 3; ++step) {
      std::vector<torch::Tensor> gradients;
      for (const Parameter& p : parameters) gradients.push_back(torch::randn(p.value.sizes(), g));
      optimizer.Step(gradients, 0.01);
    }
    return parameters;
  };
  const auto one = run(1), three = run(3);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(torch::allclose(one[i].value, three[i].value, 1e-3, 1e-4)) << i;
}

TEST(Schedule, WarmsUpLinearlyAndEndsAtItsFloor) {
  const Schedule schedule{2.0, 10, 110, 0.1};
  EXPECT_DOUBLE_EQ(schedule.Rate(0), 0.2);
  EXPECT_DOUBLE_EQ(schedule.Rate(9), 2.0);
  EXPECT_NEAR(schedule.Rate(60), 2.0 * (0.1 + 0.9 * 0.5), 1e-12);
  EXPECT_NEAR(schedule.Rate(110), 0.2, 1e-12);
  EXPECT_NEAR(schedule.Rate(100000), 0.2, 1e-12);
}

}  // namespace
}  // namespace auricle::train
