#include "model/encoder/course.h"

#include <torch/torch.h>

#include "model/encoder/ears_config.h"

namespace auricle::model {
namespace {

constexpr double kMostChange = 3.0;
// A uniform spread of times with standard deviation s is sqrt(12) s long.
constexpr double kSqrtTwelve = 3.4641016151377544;
constexpr double kTensOfSeconds = 0.1;
// Seconds squared: shorter than a token, no line has a slope.
constexpr double kLeastVariance = 0.01;

}  // namespace

torch::Tensor CourseOf(const torch::Tensor& weights, const torch::Tensor& directions, const torch::Tensor& log_distance,
                       const torch::Tensor& level) {
  const torch::Tensor share = weights / (weights.sum(-1, /*keepdim=*/true) + 1e-3);  // [B, K, N]
  const auto mean = [&](const torch::Tensor& values) { return (share * values).sum(-1, /*keepdim=*/true); };
  const torch::Tensor seconds =
      torch::arange(weights.size(2), weights.options()).view({1, 1, -1}) / static_cast<double>(kTokensPerSecond);
  const torch::Tensor time = seconds - mean(seconds);
  const torch::Tensor variance = mean(time.square());
  const torch::Tensor spread = (variance + 1e-6).sqrt() * kSqrtTwelve;  // [B, K, 1]
  const auto slope = [&](const torch::Tensor& values) {
    return mean(time * (values - mean(values))) / (variance + kLeastVariance);
  };
  const auto change = [&](const torch::Tensor& of_slope) {
    return (of_slope * spread).clamp(-kMostChange, kMostChange);
  };

  const torch::Tensor x = directions.select(-1, 0), y = directions.select(-1, 1), z = directions.select(-1, 2);
  const torch::Tensor front_x = mean(x), front_y = mean(y);
  // 1e-6 keeps the angle's gradient finite straight above.
  const torch::Tensor azimuth =
      torch::atan2(front_x * y - front_y * x, front_x * x + front_y * y + 1e-6);  // from the mean, to the left
  const torch::Tensor elevation = torch::asin(z.clamp(-0.999, 0.999));
  const torch::Tensor turn = slope(azimuth);
  const torch::Tensor rest = azimuth - mean(azimuth) - turn * time;
  return torch::cat({change(turn), change(slope(elevation)), change(slope(log_distance)), change(slope(level)),
                     spread * kTensOfSeconds, (mean(rest.square()) + 1e-6).sqrt(), mean(elevation).cos()},
                    -1);
}

}  // namespace auricle::model
