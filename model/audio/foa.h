// First-order ambisonics inside Auricle: one convention (AmbiX), planar, float.
//
// Everything past this header speaks AmbiX: ACN order W, Y, Z, X with SN3D gains,
//   W = s, Y = s cos(el) sin(az), Z = s sin(el), X = s cos(el) cos(az),
// azimuth positive to the left, elevation positive upwards. Other conventions are converted where audio enters and
// are always named by the sender, never guessed: a guess turns left into up.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace auricle::audio {

inline constexpr int kFoaChannels = 4;

// The largest sample that is taken from outside, 120 dB over full scale: any microphone's scaling fits below it, and
// squares and sums of squares of it stay far from float's end, past which features would be NaN.
inline constexpr float kMaxSample = 1e6f;

// Index of each channel in a FoaClip (ACN).
inline constexpr int kW = 0, kY = 1, kZ = 2, kX = 3;

enum class FoaFormat {
  kAmbiX,  // W, Y, Z, X; SN3D
  kFuMa,   // W, X, Y, Z; W = s / sqrt(2) (Malham, "Higher order ambisonic systems", 2003)
  kN3D,    // W, Y, Z, X; directional channels sqrt(3) above SN3D
};

// Four channels W, Y, Z, X (AmbiX), planar. Full scale is +-1; larger values, up to about kMaxSample, are legal and are
// not clipped.
// Plain data: copy it, move it; concurrent reads are safe.
struct FoaClip {
  int sample_rate = 16000;     // Hz
  std::vector<float> samples;  // [4, frames]: samples[c * frames() + i]

  size_t frames() const { return samples.size() / kFoaChannels; }
  double seconds() const { return static_cast<double>(frames()) / sample_rate; }
  std::span<float> channel(int c) { return std::span<float>(samples).subspan(c * frames(), frames()); }
  std::span<const float> channel(int c) const {
    return std::span<const float>(samples).subspan(c * frames(), frames());
  }
};

// A silent clip of `frames` frames.
FoaClip MakeSilentClip(size_t frames, int sample_rate);

// Converts `interleaved` ([frames, channels]) from `format` to AmbiX.
// INVALID_ARGUMENT, with the field in the message: `channels` other than 4, `sample_rate_hz` outside 8000-192000, no
// frames, a length that is not a multiple of 4, NaN or infinity (`data`), a sample past kMaxSample (`level`).
absl::StatusOr<FoaClip> FromInterleaved(std::span<const float> interleaved, int channels, int sample_rate,
                                        FoaFormat format);

// AmbiX frames W, Y, Z, X one after another: [frames, 4].
std::vector<float> ToInterleaved(const FoaClip& clip);

}  // namespace auricle::audio
