#include "tests/sim/measures/exact_response.h"

#include <cmath>
#include <numbers>

#include "model/audio/fft.h"

namespace auricle::sim {
namespace {

using Complex = std::complex<double>;

// Every so many bins of a response's transform are compared: some hundred frequencies tell as much as all.
constexpr size_t kBinStep = 16;

size_t TransformLength(size_t frames) { return audio::FastFftLength(frames); }

}  // namespace

double ComparisonStepHz(size_t frames, int rate) {
  return static_cast<double>(kBinStep) * rate / static_cast<double>(TransformLength(frames));
}

ExactSpectrum ExactSpectrumOf(const ImageList& images, double step_hz, double end_hz) {
  const size_t count = static_cast<size_t>(std::ceil(end_hz / step_hz));
  ExactSpectrum exact = {.step_hz = step_hz, .bins = {}};
  for (auto& channel : exact.bins) channel.resize(count);
  for (size_t i = 0; i < images.size(); ++i) {
    std::array<double, 4> gains = FoaGains(images.direction[i]);
    for (double& g : gains) g *= images.gain[i];
    const Complex turn = std::polar(1.0, -2.0 * std::numbers::pi * step_hz * images.delay_seconds[i]);
    Complex phasor = 1.0;
    for (size_t k = 0; k < count; ++k) {
      for (size_t c = 0; c < 4; ++c) exact.bins[c][k] += gains[c] * phasor;
      phasor = {phasor.real() * turn.real() - phasor.imag() * turn.imag(),
                phasor.real() * turn.imag() + phasor.imag() * turn.real()};
    }
  }
  return exact;
}

absl::StatusOr<double> ErrorToExactDb(const std::array<std::span<const float>, 4>& channels, int rate,
                                      double zero_sample, const ExactSpectrum& exact, bool fit_gain) {
  // A response may be longer than the one that the step was made for: each has a transform whose bins hold the step.
  size_t n = static_cast<size_t>(std::lround(kBinStep * rate / exact.step_hz));
  while (n < channels[0].size()) n *= 2;
  std::array<std::vector<Complex>, 4> got;
  for (size_t c = 0; c < 4; ++c) {
    const absl::StatusOr<std::vector<audio::Complex>> spectrum = audio::ForwardFft(channels[c], 1, n);
    if (!spectrum.ok()) return spectrum.status();
    for (size_t k = 0; k < exact.bins[c].size(); ++k) {
      const double hz = static_cast<double>(k) * exact.step_hz;
      const size_t bin = static_cast<size_t>(std::lround(hz / rate * static_cast<double>(n)));
      got[c].push_back(Complex((*spectrum)[bin]) * std::polar(1.0, 2.0 * std::numbers::pi * hz / rate * zero_sample));
    }
  }
  double gain = 1.0;
  if (fit_gain) {
    double product = 0.0, square = 0.0;
    for (size_t c = 0; c < 4; ++c) {
      for (size_t k = 0; k < got[c].size(); ++k) {
        product += std::real(std::conj(got[c][k]) * exact.bins[c][k]);
        square += std::norm(got[c][k]);
      }
    }
    gain = product / square;
  }
  double difference = 0.0, energy = 0.0;
  for (size_t c = 0; c < 4; ++c) {
    for (size_t k = 0; k < got[c].size(); ++k) {
      difference += std::norm(gain * got[c][k] - exact.bins[c][k]);
      energy += std::norm(exact.bins[c][k]);
    }
  }
  return 10.0 * std::log10(difference / energy);
}

}  // namespace auricle::sim
