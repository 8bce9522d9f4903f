#include "model/train/encoder_loss.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "tests/train/seeded.h"

namespace auricle::train {
namespace {

constexpr int64_t kScenes = 3, kSlots = 4, kFrames = 6, kClasses = 7, kBands = 7;

torch::Tensor Unit(const torch::Tensor& x) { return x / x.norm(2, -1, true); }

// Scenes of 1, 2 and 4 sources with random truth.
SceneTargets RandomTargets(uint64_t seed) {
  auto g = Seeded(seed);
  SceneTargets t = SceneTargets::Zeros(kScenes, kSlots, kFrames, kBands, torch::kCPU);
  t.exists = torch::tensor({1.f, 0.f, 0.f, 0.f, 1.f, 1.f, 0.f, 0.f, 1.f, 1.f, 1.f, 1.f}).view({kScenes, kSlots});
  const torch::Tensor e = t.exists;
  t.class_index = torch::randint(kClasses, {kScenes, kSlots}, g, torch::kInt64) * e.to(torch::kInt64);
  t.direction = Unit(torch::randn({kScenes, kSlots, 3}, g)) * e.unsqueeze(-1);
  t.log_distance = torch::randn({kScenes, kSlots}, g) * e;
  t.motion = torch::randint(5, {kScenes, kSlots}, g, torch::kInt64);
  t.activity = torch::rand({kScenes, kSlots, kFrames}, g).gt(0.4).to(torch::kFloat32) * e.unsqueeze(-1);
  t.frame_direction = Unit(torch::randn({kScenes, kSlots, kFrames, 3}, g)) * e.unsqueeze(-1).unsqueeze(-1);
  t.frame_log_distance = torch::randn({kScenes, kSlots, kFrames}, g) * e.unsqueeze(-1);
  t.log_t30 = torch::randn({kScenes, kBands}, g);
  t.t30_known = torch::ones({kScenes, kBands});
  t.log_volume = torch::randn({kScenes}, g);
  t.free_field = torch::tensor({0.f, 1.f, 0.f});
  return t;
}

EncoderPredictions RandomPredictions(uint64_t seed, torch::ScalarType type = torch::kFloat32) {
  auto g = Seeded(seed);
  auto randn = [&](at::IntArrayRef shape) {
    return torch::randn(shape, g, torch::TensorOptions(torch::kFloat64)).to(type);
  };
  EncoderPredictions p;
  p.exist_logit = randn({kScenes, kSlots});
  p.class_logits = randn({kScenes, kSlots, kClasses});
  p.direction = randn({kScenes, kSlots, 3});
  p.log_distance = randn({kScenes, kSlots});
  p.motion_logits = randn({kScenes, kSlots, 5});
  p.activity_logit = randn({kScenes, kSlots, kFrames});
  p.frame_direction = randn({kScenes, kSlots, kFrames, 3});
  p.frame_log_distance = randn({kScenes, kSlots, kFrames});
  p.tag_logits = randn({kScenes, kFrames, kClasses});
  p.log_t30 = randn({kScenes, kBands});
  p.log_volume = randn({kScenes});
  p.free_field_logit = randn({kScenes});
  return p;
}

double Total(const EncoderPredictions& p, const SceneTargets& t) {
  return ComputeEncoderLoss(p, t, {}).total.item<double>();
}

// Cheapest assignment by depth-first search over columns, with no list of permutations.
double CheapestBySearch(const torch::Tensor& cost) {
  const auto c = cost.accessor<float, 2>();
  const int64_t n = cost.size(0);
  double best = 1e30;
  std::vector<bool> used(n, false);
  std::function<void(int64_t, double)> descend = [&](int64_t column, double sum) {
    if (column == n) {
      best = std::min(best, sum);
      return;
    }
    for (int64_t row = 0; row < n; ++row) {
      if (used[row]) continue;
      used[row] = true;
      descend(column + 1, sum + c[row][column]);
      used[row] = false;
    }
  };
  descend(0, 0);
  return best;
}

TEST(BestAssignment, IsAsCheapAsAnExhaustiveSearch) {
  const torch::Tensor cost = torch::randn({200, 4, 4}, Seeded(7));
  const torch::Tensor chosen = BestAssignment(cost);
  for (int64_t b = 0; b < cost.size(0); ++b) {
    double sum = 0;
    std::vector<int64_t> rows;
    for (int64_t n = 0; n < 4; ++n) {
      rows.push_back(chosen[b][n].item<int64_t>());
      sum += cost[b][rows.back()][n].item<double>();
    }
    std::sort(rows.begin(), rows.end());
    EXPECT_EQ(rows, (std::vector<int64_t>{0, 1, 2, 3}));
    EXPECT_NEAR(sum, CheapestBySearch(cost[b]), 1e-5);
  }
}

TEST(EncoderLoss, DoesNotDependOnTheOrderOfSlots) {
  const SceneTargets t = RandomTargets(1);
  EncoderPredictions p = RandomPredictions(2);
  const double before = Total(p, t);
  const torch::Tensor order = torch::tensor({2, 0, 3, 1}, torch::kInt64);
  for (torch::Tensor* slot : {&p.exist_logit, &p.class_logits, &p.direction, &p.log_distance, &p.motion_logits,
                              &p.activity_logit, &p.frame_direction, &p.frame_log_distance}) {
    *slot = slot->index_select(1, order);
  }
  EXPECT_NEAR(Total(p, t), before, 1e-5);
}

TEST(EncoderLoss, DoesNotDependOnTheOrderOfSources) {
  SceneTargets t = RandomTargets(1);
  const EncoderPredictions p = RandomPredictions(2);
  const double before = Total(p, t);
  const torch::Tensor order = torch::tensor({3, 1, 0, 2}, torch::kInt64);
  for (torch::Tensor* source : {&t.exists, &t.class_index, &t.direction, &t.log_distance, &t.motion, &t.activity,
                                &t.frame_direction, &t.frame_log_distance}) {
    *source = source->index_select(1, order);
  }
  EXPECT_NEAR(Total(p, t), before, 1e-5);
}

TEST(EncoderLoss, ReachesItsFloorWhenEverythingIsPredicted) {
  const SceneTargets t = RandomTargets(3);
  EncoderPredictions p;
  const float sure = 40;
  auto logit = [&](const torch::Tensor& yes) { return (yes * 2 - 1) * sure; };
  p.exist_logit = logit(t.exists);
  p.class_logits = torch::zeros({kScenes, kSlots, kClasses}).scatter_(2, t.class_index.unsqueeze(-1), sure);
  // A slot without a source may point anywhere.
  p.direction = t.direction + (1 - t.exists).unsqueeze(-1);
  p.log_distance = t.log_distance;
  p.motion_logits = torch::zeros({kScenes, kSlots, 5}).scatter_(2, t.motion.unsqueeze(-1), sure);
  p.activity_logit = logit(t.activity);
  p.frame_direction = t.frame_direction + (1 - t.exists).unsqueeze(-1).unsqueeze(-1);
  p.frame_log_distance = t.frame_log_distance;
  torch::Tensor tags = torch::zeros({kScenes, kFrames, kClasses});
  for (int64_t b = 0; b < kScenes; ++b) {
    for (int64_t n = 0; n < kSlots; ++n) {
      for (int64_t f = 0; f < kFrames; ++f) {
        if (t.activity[b][n][f].item<float>() > 0) tags[b][f][t.class_index[b][n].item<int64_t>()] = 1;
      }
    }
  }
  p.tag_logits = logit(tags);
  p.log_t30 = t.log_t30;
  p.log_volume = t.log_volume;
  p.free_field_logit = logit(t.free_field);
  // Closed form: chords end at sqrt(1e-3), and smoothing keeps (C - 1) / C * eps of a sure class's log-odds.
  EncoderLossWeights w;
  const double chord = std::sqrt(1e-3);
  const double smoothing = w.class_smoothing * sure * (kClasses - 1) / kClasses;
  double frames = 0, sources = 0;  // sources without any active frame have no frame chord
  for (int64_t b = 0; b < kScenes; ++b) {
    for (int64_t n = 0; n < kSlots; ++n) {
      if (t.exists[b][n].item<float>() == 0) continue;
      sources += 1;
      frames += t.activity[b][n].sum().item<float>() > 0;
    }
  }
  const double floor = w.direction * chord + w.frame_direction * chord * frames / sources + w.class_name * smoothing;
  EXPECT_NEAR(Total(p, t), floor, 1e-3);
}

TEST(EncoderLoss, HasTheGradientOfItsDifferences) {
  const SceneTargets t = RandomTargets(4);
  EncoderPredictions p = RandomPredictions(5, torch::kFloat64);
  std::vector<torch::Tensor*> inputs = {&p.exist_logit,   &p.class_logits,   &p.direction,       &p.log_distance,
                                        &p.motion_logits, &p.activity_logit, &p.frame_direction, &p.frame_log_distance,
                                        &p.tag_logits,    &p.log_t30,        &p.log_volume,      &p.free_field_logit};
  for (torch::Tensor* x : inputs) x->set_requires_grad(true);
  ComputeEncoderLoss(p, t, {}).total.backward();
  const torch::NoGradGuard no_grad;
  constexpr double kStep = 1e-6;
  auto g = Seeded(6);
  for (torch::Tensor* x : inputs) {
    const torch::Tensor direction = torch::randn(x->sizes(), g, torch::TensorOptions(torch::kFloat64));
    const double slope = (x->grad() * direction).sum().item<double>();
    x->add_(direction, kStep);
    const double up = Total(p, t);
    x->add_(direction, -2 * kStep);
    const double down = Total(p, t);
    x->add_(direction, kStep);
    EXPECT_NEAR(slope, (up - down) / (2 * kStep), 1e-6 * std::max(1.0, std::abs(slope)));
  }
}

TEST(EncoderLoss, IgnoresRoomsWhereThereIsNone) {
  SceneTargets t = RandomTargets(8);
  EncoderPredictions p = RandomPredictions(9);
  const double before = Total(p, t);
  p.log_volume[1] += 5;  // scene 1 is in free field
  EXPECT_NEAR(Total(p, t), before, 1e-6);
  p.log_volume[0] += 5;
  EXPECT_GT(std::abs(Total(p, t) - before), 1e-3);
}

}  // namespace
}  // namespace auricle::train
