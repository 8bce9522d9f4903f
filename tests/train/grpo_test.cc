#include "model/train/grpo.h"

#include <torch/torch.h>

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace auricle::train {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

torch::Tensor Row(std::vector<double> values, bool gradient = false) {
  return torch::tensor(values, torch::kDouble).requires_grad_(gradient);
}

TEST(GroupAdvantages, AreStandardScoresOfTheGroup) {
  // Rewards 1, 0, 0, 1: mean 1/2, population deviation 1/2.
  EXPECT_THAT(GroupAdvantages(std::vector<double>{1, 0, 0, 1}),
              ElementsAre(DoubleNear(1, 1e-5), DoubleNear(-1, 1e-5), DoubleNear(-1, 1e-5), DoubleNear(1, 1e-5)));
}

TEST(GroupAdvantages, AreZeroWithoutSpread) {
  EXPECT_THAT(GroupAdvantages(std::vector<double>{0.3, 0.3, 0.3}), ElementsAre(0, 0, 0));
  EXPECT_FALSE(HasSpread(std::vector<double>{}));
  EXPECT_TRUE(HasSpread(std::vector<double>{0, 0.1}));
}

TEST(GrpoObjective, IsThePolicyGradientWhereThePolicyHasNotMoved) {
  // With equal log-probabilities everywhere the gradient of the loss is -advantage / N at each token.
  const auto log_probs = Row({-1.0, -2.0, -0.5}, true);
  const auto frozen = log_probs.detach();
  const GrpoLoss loss = GrpoObjective({log_probs, frozen, frozen, Row({1.0, -2.0, 0.5}), {}}, {});
  loss.loss.backward();
  const auto gradient = log_probs.grad();
  EXPECT_NEAR(gradient[0].item<double>(), -1.0 / 3, 1e-12);
  EXPECT_NEAR(gradient[1].item<double>(), 2.0 / 3, 1e-12);
  EXPECT_NEAR(gradient[2].item<double>(), -0.5 / 3, 1e-12);
}

TEST(GrpoObjective, StopsPushingBeyondTheBoundsOnEitherSide) {
  // Ratios 1.5, 1.5, 0.5, 0.5 with advantages +, -, +, -: the first and the last are cut.
  const auto log_probs = Row({std::log(1.5), std::log(1.5), std::log(0.5), std::log(0.5)}, true);
  const auto zero = Row({0, 0, 0, 0});
  const GrpoLoss loss =
      GrpoObjective({log_probs, zero, zero, Row({1, -1, 1, -1}), {}}, {.clip_low = 0.2, .clip_high = 0.28});
  EXPECT_NEAR(loss.loss.item<double>(), -(1.28 - 1.5 + 0.5 - 0.8) / 4, 1e-12);
  loss.loss.backward();
  EXPECT_EQ(log_probs.grad()[0].item<double>(), 0);
  EXPECT_NE(log_probs.grad()[1].item<double>(), 0);
  EXPECT_NE(log_probs.grad()[2].item<double>(), 0);
  EXPECT_EQ(log_probs.grad()[3].item<double>(), 0);
  EXPECT_EQ(loss.clip_fraction_high, 0.25);
  EXPECT_EQ(loss.clip_fraction_low, 0.25);
}

TEST(GrpoObjective, WeighsAnOlderPolicysAnswersUpToTheCap) {
  const auto log_probs = Row({0.0, 0.0, 0.0}, true);
  const auto proximal = Row({0.0, 0.0, 0.0});
  const auto behaviour = Row({std::log(2.0), -std::log(1.5), -std::log(100.0)});  // weights 1/2, 1.5, 100 -> 2
  GrpoObjective({log_probs, proximal, behaviour, Row({1, 1, 1}), {}}, {.importance_cap = 2}).loss.backward();
  EXPECT_NEAR(log_probs.grad()[0].item<double>(), -0.5 / 3, 1e-12);
  EXPECT_NEAR(log_probs.grad()[1].item<double>(), -1.5 / 3, 1e-12);
  EXPECT_NEAR(log_probs.grad()[2].item<double>(), -2.0 / 3, 1e-12);
}

TEST(GrpoObjective, AddsTheK3EstimateOfTheDivergence) {
  const auto log_probs = Row({std::log(0.5)}, true);
  const auto frozen = log_probs.detach();
  const GrpoLoss loss = GrpoObjective({log_probs, frozen, frozen, Row({0}), Row({std::log(0.25)})}, {.kl_weight = 0.1});
  const double k3 = 0.5 - std::log(0.5) - 1;  // reference / policy = 1/2
  EXPECT_NEAR(loss.kl, k3, 1e-12);
  EXPECT_NEAR(loss.loss.item<double>(), 0.1 * k3, 1e-12);
}

}  // namespace
}  // namespace auricle::train
