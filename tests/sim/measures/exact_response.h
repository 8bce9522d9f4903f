// A response without any filter: the transform of all images, image by image, in double. What every fractional delay
// approximates, and the truth that a rendering is held against below the transition band of its filter.
#pragma once

#include <array>
#include <complex>
#include <cstddef>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/room/image_sources.h"

namespace auricle::sim {

// Spectra of W, Y, Z, X at frequencies 0, step, 2 step, ... (below `end_hz`).
struct ExactSpectrum {
  double step_hz = 0.0;
  std::array<std::vector<std::complex<double>>, 4> bins;
};

// X(f) = the sum over images of gain exp(-2 pi i f delay) at the multiples of `step_hz`.
ExactSpectrum ExactSpectrumOf(const ImageList& images, double step_hz, double end_hz);

// How far a rendered response is from it at those frequencies, all four channels together, decibels. `channels` are W,
// Y, Z, X at `rate`, sample 0 at `zero_sample`, and begin and end in silence. `fit_gain`: after the one real factor
// that brings it closest, for simulators that have another gain at 1 m. INTERNAL when the transform fails.
absl::StatusOr<double> ErrorToExactDb(const std::array<std::span<const float>, 4>& channels, int rate,
                                      double zero_sample, const ExactSpectrum& exact, bool fit_gain);

// Frequencies at which a response of `frames` samples is compared: a step that falls on the bins of its transform.
double ComparisonStepHz(size_t frames, int rate);

}  // namespace auricle::sim
