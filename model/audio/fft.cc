#include "model/audio/fft.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/fft_irfft.h>
#include <ATen/ops/fft_rfft.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"

// MKL's thread count of the calling thread (0: as the process has it); returns the former one. Weak: LibTorch without
// MKL (arm64) has PocketFFT, whose result does not depend on threads.
extern "C" __attribute__((weak)) int MKL_Set_Num_Threads_Local(int threads);

namespace auricle::audio {
namespace {

// MKL splits a long transform differently for each number of threads, and the last bits follow. Scenes must not: inside
// this scope the calling thread's transforms run on one thread. Scenes, not transforms, are what is spread over cores.
class OneMklThread {
 public:
  OneMklThread() : former_(MKL_Set_Num_Threads_Local != nullptr ? MKL_Set_Num_Threads_Local(1) : 0) {}
  ~OneMklThread() {
    if (MKL_Set_Num_Threads_Local != nullptr) MKL_Set_Num_Threads_Local(former_);
  }
  OneMklThread(const OneMklThread&) = delete;
  OneMklThread& operator=(const OneMklThread&) = delete;

 private:
  const int former_;
};

// ATen wants a mutable pointer; the tensors made here are only read.
at::Tensor View(const float* data, size_t rows, size_t columns) {
  return at::from_blob(const_cast<float*>(data), {static_cast<int64_t>(rows), static_cast<int64_t>(columns)},
                       at::TensorOptions().dtype(at::kFloat));
}

at::Tensor View(const Complex* data, size_t rows, size_t columns) {
  return at::from_blob(const_cast<Complex*>(data), {static_cast<int64_t>(rows), static_cast<int64_t>(columns)},
                       at::TensorOptions().dtype(at::kComplexFloat));
}

// Runs `body`, which calls ATen, and turns its exceptions into a Status.
template <typename Body>
absl::Status Guarded(Body body) {
  try {
    const c10::InferenceMode no_autograd;
    const OneMklThread same_bits;
    body();
    return absl::OkStatus();
  } catch (const std::exception& e) {
    return absl::InternalError(absl::StrCat("Fourier transform failed: ", e.what()));
  }
}

absl::Status CheckShape(size_t size, size_t batch, size_t n_fft) {
  if (n_fft < 2 || n_fft % 2 != 0) {
    return absl::InvalidArgumentError(absl::StrCat("n_fft: ", n_fft, "; must be even and at least 2"));
  }
  if (batch == 0 || size == 0 || size % batch != 0) {
    return absl::InvalidArgumentError(absl::StrCat("batch: ", size, " values are not ", batch, " equal rows"));
  }
  return absl::OkStatus();
}

}  // namespace

size_t FastFftLength(size_t n) {
  if (n <= 2) return 2;
  size_t best = 2;
  while (best < n) best *= 2;
  for (size_t five = 1; five < best; five *= 5) {
    for (size_t three = five; three < best; three *= 3) {
      size_t length = 2 * three;  // even: the real transform packs pairs
      while (length < n) length *= 2;
      if (length < best) best = length;
    }
  }
  return best;
}

absl::StatusOr<std::vector<Complex>> ForwardFft(std::span<const float> signals, size_t batch, size_t n_fft) {
  if (absl::Status status = CheckShape(signals.size(), batch, n_fft); !status.ok()) return status;
  const size_t length = signals.size() / batch;
  if (length > n_fft) {
    return absl::InvalidArgumentError(absl::StrCat("signals: rows of ", length, " samples; at most n_fft = ", n_fft));
  }
  std::vector<Complex> spectra(batch * FftBins(n_fft));
  absl::Status status = Guarded([&] {
    at::Tensor out = View(spectra.data(), batch, FftBins(n_fft));
    at::fft_rfft_out(out, View(signals.data(), batch, length), static_cast<int64_t>(n_fft));
  });
  if (!status.ok()) return status;
  return spectra;
}

absl::StatusOr<std::vector<float>> InverseFft(std::span<const Complex> spectra, size_t batch, size_t n_fft) {
  if (absl::Status status = CheckShape(spectra.size(), batch, n_fft); !status.ok()) return status;
  if (spectra.size() != batch * FftBins(n_fft)) {
    return absl::InvalidArgumentError(
        absl::StrCat("spectra: rows of ", spectra.size() / batch, " bins; must be n_fft / 2 + 1 = ", FftBins(n_fft)));
  }
  std::vector<float> signals(batch * n_fft);
  absl::Status status = Guarded([&] {
    at::Tensor out = View(signals.data(), batch, n_fft);
    at::fft_irfft_out(out, View(spectra.data(), batch, FftBins(n_fft)), static_cast<int64_t>(n_fft));
  });
  if (!status.ok()) return status;
  return signals;
}

absl::StatusOr<SignalSpectrum> PrepareSignal(std::span<const float> signal, size_t max_response_frames) {
  if (signal.empty()) return absl::InvalidArgumentError("signal: no samples; at least one is needed");
  if (max_response_frames == 0) return absl::InvalidArgumentError("max_response_frames: 0; must be at least 1");
  SignalSpectrum out{.signal_frames = signal.size(),
                     .max_response_frames = max_response_frames,
                     .n_fft = FastFftLength(signal.size() + max_response_frames - 1),
                     .bins = {}};
  absl::StatusOr<std::vector<Complex>> bins = ForwardFft(signal, 1, out.n_fft);
  if (!bins.ok()) return bins.status();
  out.bins = *std::move(bins);
  return out;
}

absl::StatusOr<std::vector<float>> Convolve(const SignalSpectrum& signal, std::span<const float> response,
                                            size_t channels) {
  if (channels == 0 || response.empty() || response.size() % channels != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("response: ", response.size(), " samples are not ", channels, " equal channels"));
  }
  const size_t taps = response.size() / channels;
  if (taps > signal.max_response_frames) {
    return absl::InvalidArgumentError(
        absl::StrCat("response: ", taps, " taps; the signal was prepared for at most ", signal.max_response_frames));
  }
  absl::StatusOr<std::vector<Complex>> spectra = ForwardFft(response, channels, signal.n_fft);
  if (!spectra.ok()) return spectra.status();
  const size_t bins = FftBins(signal.n_fft);
  for (size_t c = 0; c < channels; ++c) {
    Complex* row = spectra->data() + c * bins;
    for (size_t k = 0; k < bins; ++k) {
      // Written out: std::complex's operator* checks for NaN and does not vectorise.
      const Complex a = row[k], b = signal.bins[k];
      row[k] = Complex(a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real());
    }
  }
  absl::StatusOr<std::vector<float>> whole = InverseFft(*spectra, channels, signal.n_fft);
  if (!whole.ok()) return whole.status();
  const size_t frames = signal.signal_frames + taps - 1;
  std::vector<float> out(channels * frames);
  for (size_t c = 0; c < channels; ++c) {
    std::copy_n(whole->begin() + c * signal.n_fft, frames, out.begin() + c * frames);
  }
  return out;
}

absl::StatusOr<std::vector<float>> ConvolveOnce(std::span<const float> signal, std::span<const float> response,
                                                size_t channels) {
  absl::StatusOr<SignalSpectrum> prepared = PrepareSignal(signal, channels > 0 ? response.size() / channels : 0);
  if (!prepared.ok()) return prepared.status();
  return Convolve(*prepared, response, channels);
}

}  // namespace auricle::audio
