// What the ears' network sees of the sound: ten channels of 64 mel bands, 100 frames a second.
//
//   0      log W:  ln(mel(|W|^2) + 1e-8) shifted and scaled so that silence is 0 and 4 nepers of power are 1. Absolute:
//          no normalisation by the clip, level carries distance.
//   1..3   Ix, Iy, Iz:  mel(Re(conj(W) X)) / mel(E), the active intensity; a plane wave gives its unit direction.
//   4..9   XX, YY, ZZ, XY, XZ, YZ:  mel(Re(conj(X) Y)) / mel(E), ...; a plane wave gives products of its direction.
//   E = (|W|^2 + |X|^2 + |Y|^2 + |Z|^2) / 2.  1e-8 is added to mel(E), so silence gives 0 in all ten.
//
// Bounded: |I| <= 1, covariances within [-2, 2]. The set is closed under rotation: see RotateFeatures.
// Frames: frame f is centred on sample 160 f; zeros stand before the first sample and after the last; T samples give
// floor(T / 160) frames. Frame f is final once sample 160 f + 200 is known: streamable.
// Runs on CPU in float32; one clip of 5 s takes a few milliseconds on one thread.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "model/feature/stft.h"

namespace auricle::model {

class FoaFeatures {
 public:
  explicit FoaFeatures(int mels = 64);

  // audio [4, T] or [B, 4, T] float32, AmbiX order W, Y, Z, X, 16 kHz, T >= 160.
  // Returns [10, T / 160, mels] or [B, 10, T / 160, mels]. Thread-safe. Throws c10::Error on other shapes.
  torch::Tensor operator()(const torch::Tensor& audio) const;

  // Sample of silence in channel 0 and the scale; for those who augment by gain: adding
  // kPowerScale * 2 * ln(gain) to channel 0 is the same as scaling loud audio.
  static constexpr double kPowerFloor = 1e-8;
  static constexpr double kPowerScale = 0.25;

  int mels() const { return mels_; }

 private:
  // One mel band: a triangle over consecutive bins.
  struct Band {
    int first_bin = 0;
    std::vector<float> weights;
  };

  // spectra [4, frames, bins] -> out[channel * plane + frame * mels + band].
  void Fill(const torch::Tensor& spectra, float* out, int64_t plane) const;

  int mels_;
  Stft stft_;
  std::vector<Band> bands_;  // [mels]
};

// Features of the same sound field seen after an orthogonal map of space (rotation or reflection): exact.
// features [..., 10, F, mels]; map [3, 3] acts on direction vectors (x front, y left, z up): v' = map v.
torch::Tensor RotateFeatures(const torch::Tensor& features, const torch::Tensor& map);

// The 10 x 10 matrix behind RotateFeatures, float32.
torch::Tensor FeatureRotation(const torch::Tensor& map);

// The 3 x 3 map of a turn by yaw_deg about z (positive turns front to left), after mirroring y and z where asked.
torch::Tensor YawReflectionMap(double yaw_deg, bool mirror_y, bool mirror_z);

}  // namespace auricle::model
