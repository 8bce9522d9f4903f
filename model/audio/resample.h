// Change of sample rate (libsoxr, "high quality": 20 bits, linear phase, pass band to 0.913 of Nyquist).
//
// Output has round(frames * to / from) samples, starts at the same instant as the input and has unit gain in the pass
// band; what lies above the new Nyquist frequency is suppressed. Thread-safe; equal input gives equal output.
#pragma once

#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/audio/foa.h"

namespace auricle::audio {

inline constexpr int kMinSampleRate = 8000;
inline constexpr int kMaxSampleRate = 192000;

// OK, or INVALID_ARGUMENT naming `sample_rate_hz` and the range 8000-192000.
absl::Status ValidateSampleRate(double sample_rate_hz);

// INVALID_ARGUMENT when a rate is outside 8-192 kHz. Equal rates return the input as it is.
absl::StatusOr<std::vector<float>> Resample(std::span<const float> mono, double from_hz, double to_hz);

// All four channels alike, so directions are kept.
absl::StatusOr<FoaClip> ResampleFoa(const FoaClip& clip, int to_hz);

}  // namespace auricle::audio
