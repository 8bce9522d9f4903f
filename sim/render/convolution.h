// Convolution of a dry event with a four-channel response, tuned for what scenes are made of: seconds of signal, tenths
// of seconds to seconds of response.
//
// Uniformly partitioned overlap-add (Stockham 1966; Wefers 2015, "Partitioned convolution algorithms", section 5):
// blocks of 4096 samples of both, transforms of 8192 in batches. One transform of everything costs more than twice as
// much: a long transform leaves the cache and cannot be batched.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "model/audio/foa.h"

namespace auricle::sim {

// [4, frames], planar: the first `frames` samples of each channel of the linear convolution, zeros past its end.
// INVALID_ARGUMENT: an empty signal or response; INTERNAL: the transform failed. Thread-safe.
absl::StatusOr<std::vector<float>> ConvolveFoa(std::span<const float> signal, const audio::FoaClip& response,
                                               size_t frames);

// One of several convolutions that are added up.
struct FoaConvolution {
  std::span<const float> signal;
  size_t start = 0;  // frame of the sum at which the signal's first sample lies
  const audio::FoaClip* response = nullptr;
};

// [4, frames] as above: the sum of all `parts`, for little more than the price of one, as the way back from spectra to
// samples is gone once. Errors as above, and INVALID_ARGUMENT for no parts at all.
absl::StatusOr<std::vector<float>> ConvolveFoaSum(std::span<const FoaConvolution> parts, size_t frames);

}  // namespace auricle::sim
