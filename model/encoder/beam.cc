#include "model/encoder/beam.h"

#include <torch/torch.h>

#include "model/encoder/ears_config.h"
#include "model/feature/foa_features.h"

namespace auricle::model {
namespace {

// Of beam and of W, relative to the energy density: 24 dB below what the beam leaves of a diffuse field.
constexpr double kLeastShare = 1e-3;
constexpr double kOmniShare = kBeamOmni * kBeamOmni;

// |a W + b d.V|^2 / E = a^2 |W|^2 / E + 2 a b d.I + b^2 d C d, and |W|^2 / E = 2 - XX - YY - ZZ: the factors of the
// nine channels behind the first, beside the constant 2 a^2. d [..., 3] -> [..., 9].
torch::Tensor BeamWeights(const torch::Tensor& d) {
  const torch::Tensor x = d.select(-1, 0), y = d.select(-1, 1), z = d.select(-1, 2);
  constexpr double kEightShare = kBeamFigureEight * kBeamFigureEight;
  return torch::cat({2 * kBeamOmni * kBeamFigureEight * d, kEightShare * d.square() - kOmniShare,
                     2 * kEightShare * torch::stack({x * y, x * z, y * z}, -1)},
                    -1);
}

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
  const torch::Tensor weights = BeamWeights(directions.to(torch::kFloat32).transpose(1, 2));  // [B, N, K, 9]
  const torch::Tensor beam = (torch::matmul(weights, moments) + 2 * kOmniShare)
                                 .view({batch, tokens, slots, kFramesPerToken, mels})
                                 .permute({0, 2, 1, 3, 4})
                                 .reshape({batch, slots, frames, mels});
  const torch::Tensor omni = 2 - whole.narrow(1, 4, 3).sum(1, /*keepdim=*/true);  // [B, 1, F, mels]
  const torch::Tensor gain =
      (beam.clamp_min(kLeastShare).log() - omni.clamp_min(kLeastShare).log()) * FoaFeatures::kPowerScale;
  return torch::stack({(whole.narrow(1, 0, 1) + gain).clamp_min(0), gain}, 2);
}

BeamTrack TrackInBeams(const torch::Tensor& features, const torch::Tensor& directions) {
  TORCH_CHECK(features.dim() == 4 && features.size(1) == kFeatureChannels && features.size(2) % kFramesPerToken == 0,
              "features must be [batch, 10, frames, mels] of whole tokens");
  TORCH_CHECK(directions.dim() == 3 && directions.size(0) == features.size(0) && directions.size(2) == 3,
              "directions must be [batch, slots, 3]");
  const torch::NoGradGuard no_grad;
  const int64_t batch = features.size(0), tokens = features.size(2) / kFramesPerToken;
  const torch::Tensor whole = features.to(torch::kFloat32);
  const torch::Tensor moments = whole.narrow(1, 1, kFeatureChannels - 1).flatten(2);  // [B, 9, F mels]
  const torch::Tensor omni = (2 - moments.narrow(1, 3, 3).sum(1, /*keepdim=*/true)).clamp_min(kLeastShare);
  const torch::Tensor omni_power =
      FoaFeatures::kPowerFloor * torch::expm1(whole.narrow(1, 0, 1).flatten(2) / FoaFeatures::kPowerScale);
  const torch::Tensor energy = omni_power.clamp_min(0) / omni;  // [B, 1, F mels]
  const torch::Tensor share = (torch::matmul(BeamWeights(directions.to(torch::kFloat32)), moments) + 2 * kOmniShare)
                                  .clamp_min(0);  // [B, K, ...]

  const auto by_token = [&](const torch::Tensor& cells) { return cells.view({batch, cells.size(1), tokens, -1}); };
  const torch::Tensor weight = by_token(share.square().square() * energy.sqrt());  // [B, K, N, 10 mels]
  const torch::Tensor intensity = by_token(moments.narrow(1, 0, 3));               // [B, 3, N, 10 mels]
  const torch::Tensor sum =
      torch::matmul(weight.transpose(1, 2), intensity.permute({0, 2, 3, 1})).transpose(1, 2);  // [B, K, N, 3]
  BeamTrack track;
  track.direction = sum / (sum.square().sum(-1, /*keepdim=*/true).sqrt() + 1e-6);
  track.level = 0.5 * (by_token(share * energy).sum(-1) + FoaFeatures::kPowerFloor).log();
  return track;
}

}  // namespace auricle::model
