// First-order beams in the feature domain: what a directional microphone would hear of features already computed.
#pragma once

#include "torch/types.h"

namespace auricle::model {

// A beam is kOmni W + kFigureEight (d . (X, Y, Z)) for a unit vector d: gain 1 towards d and, of all first-order
// beams, the least power of diffuse sound, 6 dB below that of W (hypercardioid; Rafaely, Fundamentals of Spherical
// Array Processing, 2015, section 6.2).
inline constexpr double kBeamOmni = 0.25, kBeamFigureEight = 0.75;

// features [B, 10, F, mels] of FoaFeatures, F = 10 N; directions [B, K, N, 3] unit vectors, one per token.
// Returns [B, K, 2, F, mels] float32: [0] log power of the beam on the scale of features' channel 0, not below silence;
// [1] the same less channel 0, on the same scale: 0 where all sound comes from d, lower where it does not.
// The ten channels hold all second moments of W, X, Y, Z, so the beam's power follows from them without the waveform:
// its value in a band is exact up to the power floor. Throws c10::Error on wrong shapes. No gradient into directions is
// needed.
torch::Tensor BeamFeatures(const torch::Tensor& features, const torch::Tensor& directions);

struct BeamTrack {
  torch::Tensor direction;  // [B, K, N, 3] unit vectors; shorter, down to zero, in silence
  torch::Tensor level;      // [B, K, N] ln of the beam's amplitude
};

// Where sound comes from, token by token, in resting beams: the mean intensity of what each beam lets through. Cells
// count by the fourth power of the beam's share of their energy, so that only what lies near the beam's direction moves
// the mean; it follows a source some 30 degrees to either side. directions [B, K, 3] unit vectors. No gradient.
BeamTrack TrackInBeams(const torch::Tensor& features, const torch::Tensor& directions);

}  // namespace auricle::model
