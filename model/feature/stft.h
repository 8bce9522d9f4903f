// Short-time Fourier transform: 512-point FFT, 400-sample periodic Hann window centred in the frame, hop 160.
#pragma once

#include <torch/torch.h>

namespace auricle::model {

// What stands beyond the ends of the signal. kZero is what the model uses (causal up to the window); kReflect is what
// torch.stft and librosa do by default.
enum class EdgePadding { kZero, kReflect };

struct StftConfig {
  int fft_size = 512;
  int window = 400;  // <= fft_size
  int hop = 160;
  EdgePadding padding = EdgePadding::kZero;
};

class Stft {
 public:
  explicit Stft(StftConfig config = {});

  // audio [rows, T] float32 or float64. Returns complex [rows, T / hop + 1, fft_size / 2 + 1], frame f centred on
  // sample hop * f. kReflect needs T > fft_size / 2. Thread-safe.
  torch::Tensor operator()(const torch::Tensor& audio) const;

  // The two halves of it, for those who want few frames at a time: audio with its edges, [rows, T + fft_size] ...
  torch::Tensor Pad(const torch::Tensor& audio) const;
  // ... and frames [first, first + count) of what Pad gave.
  torch::Tensor Transform(const torch::Tensor& padded, int64_t first, int64_t count) const;

  int bins() const { return config_.fft_size / 2 + 1; }
  const StftConfig& config() const { return config_; }
  const torch::Tensor& window() const { return window_; }  // [fft_size] float64

 private:
  StftConfig config_;
  torch::Tensor window_;
};

}  // namespace auricle::model
