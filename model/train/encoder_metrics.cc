#include "model/train/encoder_metrics.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace auricle::train {
namespace {

double Median(std::vector<double> values) {
  if (values.empty()) return std::nan("");
  auto middle = values.begin() + static_cast<int64_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double Share(int64_t part, int64_t whole) {
  return whole == 0 ? std::nan("") : static_cast<double>(part) / static_cast<double>(whole);
}

double Degrees(double radians) { return radians * 180 / std::numbers::pi; }

}  // namespace

void EncoderMetrics::Add(const EncoderPredictions& predictions, const SceneTargets& targets) {
  torch::NoGradGuard no_grad;
  auto cpu = [](const torch::Tensor& t) { return t.detach().to(torch::kCPU, torch::kFloat32).contiguous(); };
  const SceneTargets truth = targets.To(torch::kCPU);
  const torch::Tensor exist_t = cpu(predictions.exist_logit), classes_t = cpu(predictions.class_logits);
  const torch::Tensor heard_t = torch::nn::functional::normalize(
      cpu(predictions.direction), torch::nn::functional::NormalizeFuncOptions().dim(-1).eps(1e-6));
  const torch::Tensor distance_t = cpu(predictions.log_distance), activity_t = cpu(predictions.activity_logit);
  const torch::Tensor cosine_t = torch::bmm(heard_t, truth.direction.transpose(1, 2));  // [B, K, N]
  // Slots that do not exist cost a little more, so that of two slots in one place the confident one is matched.
  const torch::Tensor cost = torch::acos(cosine_t.clamp(-1, 1)) + 0.5 * torch::sigmoid(-exist_t).unsqueeze(2);
  const torch::Tensor assignment = BestAssignment(cost * truth.exists.unsqueeze(1));

  const auto exist = exist_t.accessor<float, 2>();
  const auto heard = heard_t.accessor<float, 3>();
  const auto cosine = cosine_t.accessor<float, 3>();
  const auto exists = truth.exists.accessor<float, 2>();
  const auto direction = truth.direction.accessor<float, 3>();
  const auto chosen = assignment.accessor<int64_t, 2>();
  const int64_t slots = exist_t.size(1), classes = classes_t.size(2);

  for (int64_t b = 0; b < exist_t.size(0); ++b) {
    int64_t count = 0, confident = 0, best = 0;
    for (int64_t n = 0; n < slots; ++n) count += exists[b][n] > 0.5f;
    for (int64_t k = 0; k < slots; ++k) {
      confident += exist[b][k] > 0;
      if (exist[b][k] > exist[b][best]) best = k;
    }
    ++scenes_;
    count_right_ += count == confident;
    slots_ += slots;
    slots_right_ += slots - std::abs(count - confident);
    sources_ += count;
    for (int64_t n = 0; n < slots; ++n) {
      if (exists[b][n] < 0.5f) continue;
      const int64_t k = chosen[b][n];
      const double angle = Degrees(std::acos(std::clamp<double>(cosine[b][k][n], -1, 1)));
      if (exist[b][k] > 0 && angle < 20) ++located_;
      if (angle > 30) continue;
      ++matched_;
      const torch::Tensor scores = classes_t[b][k];
      const int64_t right = truth.class_index[b][n].item<int64_t>();
      const float own = scores[right].item<float>();
      top1_ += scores.argmax().item<int64_t>() == right;
      bool first = true;
      for (int64_t other = 1; other <= 3; ++other)
        first = first && own > scores[(right + other) % classes].item<float>();
      top_of_4_ += first;
      const torch::Tensor agree = activity_t[b][k].gt(0).eq(truth.activity[b][n].gt(0.5));
      activity_right_ += agree.sum().item<double>();
      activity_ += static_cast<double>(agree.numel());
    }
    if (count == 1) {
      const double x = heard[b][best][0], y = heard[b][best][1], z = heard[b][best][2];
      const double tx = direction[b][0][0], ty = direction[b][0][1], tz = direction[b][0][2];
      double difference = std::abs(Degrees(std::atan2(y, x) - std::atan2(ty, tx)));
      if (difference > 180) difference = 360 - difference;
      azimuth_.push_back(difference);
      elevation_.push_back(
          std::abs(Degrees(std::asin(std::clamp(z, -1.0, 1.0)) - std::asin(std::clamp(tz, -1.0, 1.0)))));
      const double metres = std::exp(truth.log_distance[b][0].item<double>());
      distance_.push_back(std::abs(std::exp(distance_t[b][best].item<double>()) - metres) / metres);
      const double border = std::sin(15 * std::numbers::pi / 180);
      if (std::abs(tx) > border) {
        ++front_back_;
        front_back_right_ += (tx > 0) == (x > 0);
      }
      if (std::abs(ty) > border) {
        ++left_right_;
        left_right_right_ += (ty > 0) == (y > 0);
      }
    }
    if (predictions.log_t30.defined() && truth.t30_known[b][0].item<float>() > 0.5f) {
      t30_.push_back(std::abs(predictions.log_t30[b][0].item<double>() - truth.log_t30[b][0].item<double>()));
    }
  }
}

std::vector<std::pair<std::string, double>> EncoderMetrics::Values() const {
  return {{"azimuth_median_deg", Median(azimuth_)},
          {"elevation_median_deg", Median(elevation_)},
          {"distance_median_error", Median(distance_)},
          {"front_back", Share(front_back_right_, front_back_)},
          {"left_right", Share(left_right_right_, left_right_)},
          {"located", Share(located_, sources_)},
          {"class_top1", Share(top1_, matched_)},
          {"class_4", Share(top_of_4_, matched_)},
          {"count", Share(count_right_, scenes_)},
          {"exist", Share(slots_right_, slots_)},
          {"activity", activity_ > 0 ? activity_right_ / activity_ : std::nan("")},
          {"t30_error", Median(t30_)}};
}

}  // namespace auricle::train
