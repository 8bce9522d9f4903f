#include "model/train/augment.h"

#include <torch/torch.h>

#include <cmath>
#include <numbers>

#include "model/feature/foa_features.h"

namespace auricle::train {
namespace {

// bool [B, size]: true inside `count` random stretches of each row, none in rows where `apply` [B] is 0.
torch::Tensor RandomStretches(int64_t rows, int64_t size, int count, int longest, const torch::Tensor& apply,
                              at::Generator generator) {
  torch::Tensor masked = torch::zeros({rows, size}, torch::kBool);
  const torch::Tensor position = torch::arange(size, torch::kFloat32).unsqueeze(0);
  for (int i = 0; i < count; ++i) {
    const torch::Tensor length = torch::rand({rows, 1}, generator) * longest * apply.unsqueeze(1);
    const torch::Tensor start = torch::rand({rows, 1}, generator) * (static_cast<double>(size) - length);
    masked.logical_or_((position >= start).logical_and_(position < start + length.floor()));
  }
  return masked;
}

}  // namespace

torch::Tensor Augment(const torch::Tensor& features, SceneTargets& targets, const AugmentOptions& options,
                      double power_scale, at::Generator generator) {
  torch::NoGradGuard no_grad;
  const int64_t rows = features.size(0), channels = features.size(1), frames = features.size(2),
                mels = features.size(3);
  torch::Tensor out = features;
  if (options.rotate) {
    const torch::Tensor yaw = torch::rand({rows}, generator) * (2 * std::numbers::pi);
    const torch::Tensor flips = torch::rand({2, rows}, generator).lt(0.5).to(torch::kFloat32);
    const torch::Tensor maps = YawAndMirror(yaw, flips[0], flips[1]);  // [B, 3, 3]
    std::vector<torch::Tensor> matrices;
    for (int64_t b = 0; b < rows; ++b) matrices.push_back(model::FeatureRotation(maps[b]));
    const torch::Tensor rotation = torch::stack(matrices).to(out.device());  // [B, 10, 10]
    out = torch::bmm(rotation, out.reshape({rows, channels, frames * mels})).view({rows, channels, frames, mels});
    RotateTargets(targets, maps.to(out.device()));
  }
  if (options.gain_db > 0) {
    // Power in nepers: ln(10) / 10 for each decibel. Silence (0) stays silence.
    const torch::Tensor gain =
        (torch::rand({rows, 1, 1}, generator) * 2 - 1) * (options.gain_db * std::numbers::ln10 / 10 * power_scale);
    const torch::Tensor level = out.select(1, 0);
    level.copy_(torch::where(level > 0, (level + gain.to(out.device())).clamp_min(0), level));
  }
  if (options.mask_probability > 0) {
    const torch::Tensor apply = torch::rand({rows}, generator).lt(options.mask_probability).to(torch::kFloat32);
    const torch::Tensor time =
        RandomStretches(rows, frames, options.time_masks, options.max_time_frames, apply, generator);
    const torch::Tensor mel = RandomStretches(rows, mels, options.mel_masks, options.max_mel_bands, apply, generator);
    const torch::Tensor keep = torch::logical_not(time.unsqueeze(2).logical_or(mel.unsqueeze(1))).to(torch::kFloat32);
    out.mul_(keep.unsqueeze(1).to(out.device()));
  }
  return out;
}

}  // namespace auricle::train
