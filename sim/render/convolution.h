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

}  // namespace auricle::sim
