// Real Fourier transforms and FFT convolution, float, through ATen (MKL or PocketFFT inside); no LibTorch in this
// header.
//
// Forward is unscaled, X[k] = sum_n x[n] exp(-2 pi i k n / N); inverse is scaled by 1 / N, so that the pair is the
// identity. A call costs about 5 us beside the transform itself. Thread-safe. Each call runs on the calling thread
// alone and gives the same bits whatever at::set_num_threads says (which is left alone): callers spread work over
// threads.
#pragma once

#include <complex>
#include <cstddef>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace auricle::audio {

using Complex = std::complex<float>;

// The smallest even 2^a 3^b 5^c >= n: lengths at which the transform is fast. At least 2.
size_t FastFftLength(size_t n);

// Bins of a real transform of length n_fft.
inline constexpr size_t FftBins(size_t n_fft) { return n_fft / 2 + 1; }

// signals [batch, length] -> spectra [batch, n_fft / 2 + 1]; each row is zero-padded to n_fft (length <= n_fft).
// INVALID_ARGUMENT: sizes that do not fit each other; INTERNAL: LibTorch failed.
absl::StatusOr<std::vector<Complex>> ForwardFft(std::span<const float> signals, size_t batch, size_t n_fft);

// spectra [batch, n_fft / 2 + 1] -> signals [batch, n_fft].
absl::StatusOr<std::vector<float>> InverseFft(std::span<const Complex> spectra, size_t batch, size_t n_fft);

// A signal's spectrum, kept so that many responses can be convolved with it for one transform each.
// Plain data; concurrent reads are safe.
struct SignalSpectrum {
  size_t signal_frames = 0;
  size_t max_response_frames = 0;  // the longest response that n_fft has room for
  size_t n_fft = 0;
  std::vector<Complex> bins;  // [n_fft / 2 + 1]
};

// INVALID_ARGUMENT when either length is 0.
absl::StatusOr<SignalSpectrum> PrepareSignal(std::span<const float> signal, size_t max_response_frames);

// Linear convolution of the signal with each channel of `response` ([channels, taps], planar):
// [channels, signal_frames + taps - 1], exact to float rounding (about -135 dB of the output's peak).
// INVALID_ARGUMENT when taps is 0 or more than signal.max_response_frames, or the response is not [channels, taps].
absl::StatusOr<std::vector<float>> Convolve(const SignalSpectrum& signal, std::span<const float> response,
                                            size_t channels);

// Convolve for one use: a signal with a response of `channels` channels.
absl::StatusOr<std::vector<float>> ConvolveOnce(std::span<const float> signal, std::span<const float> response,
                                                size_t channels);

}  // namespace auricle::audio
