#include "model/encoder/beam.h"

#include <torch/torch.h>

#include "model/encoder/ears_config.h"
#include "model/feature/foa_features.h"

namespace auricle::model {
namespace {

// Of beam and of W, relative to the energy density: 24 dB below what the beam leaves of a diffuse field.
constexpr double kLeastShare = 1e-3;

}  // namespace

torch::Tensor BeamFeatures(const torch::Tensor& features, const torch::Tensor& directions) {
  TORCH_CHECK(features.dim() == 4 && features.size(1) == kFeatureChannels,
              "features must be [batch, 10, frames, mels]");
  TORCH_CHECK(directions.dim() == 4 && directions.size(0) == features.size(0) && directions.size(3) == 3 &&
                  directions.size(2) * kFramesPerToken == features.size(2),
              "directions must be [batch, slots, frames / 10, 3]");
  const int64_t batch = features.size(0), frames = features.size(2), mels = features.size(3);
  const int64_t slots = directions.size(1), tokens = directions.size(2);
  const torch::Tensor whole = features.to(torch::kFloat32);
  // [B, N, 9, 10 mels]: intensity and covariance over energy, grouped by the token whose direction they meet.
  const torch::Tensor moments = whole.narrow(1, 1, kFeatureChannels - 1)
                                    .view({batch, kFeatureChannels - 1, tokens, kFramesPerToken * mels})
                                    .transpose(1, 2);
  // |a W + b d.V|^2 / E = a^2 |W|^2 / E + 2 a b d.I + b^2 d C d, and |W|^2 / E = 2 - XX - YY - ZZ.
  const torch::Tensor d = directions.to(torch::kFloat32).transpose(1, 2);  // [B, N, K, 3]
  const torch::Tensor x = d.select(-1, 0), y = d.select(-1, 1), z = d.select(-1, 2);
  constexpr double kOmniPower = kBeamOmni * kBeamOmni, kEightPower = kBeamFigureEight * kBeamFigureEight;
  const torch::Tensor weights = torch::cat({2 * kBeamOmni * kBeamFigureEight * d, kEightPower * d.square() - kOmniPower,
                                            2 * kEightPower * torch::stack({x * y, x * z, y * z}, -1)},
                                           -1);  // [B, N, K, 9]
  const torch::Tensor beam = (torch::matmul(weights, moments) + 2 * kOmniPower)
                                 .view({batch, tokens, slots, kFramesPerToken, mels})
                                 .permute({0, 2, 1, 3, 4})
                                 .reshape({batch, slots, frames, mels});
  const torch::Tensor omni = 2 - whole.narrow(1, 4, 3).sum(1, /*keepdim=*/true);  // [B, 1, F, mels]
  const torch::Tensor gain =
      (beam.clamp_min(kLeastShare).log() - omni.clamp_min(kLeastShare).log()) * FoaFeatures::kPowerScale;
  return torch::stack({(whole.narrow(1, 0, 1) + gain).clamp_min(0), gain}, 2);
}

}  // namespace auricle::model
