#include "model/feature/stft.h"

#include <cmath>
#include <numbers>

namespace auricle::model {

Stft::Stft(StftConfig config) : config_(config) {
  TORCH_CHECK(config_.window >= 1 && config_.window <= config_.fft_size, "window must lie in [1, fft_size]");
  TORCH_CHECK(config_.hop >= 1, "hop must be at least 1");
  // Periodic Hann, 0.5 - 0.5 cos(2 pi i / window), in the middle of the frame.
  window_ = torch::zeros({config_.fft_size}, torch::kFloat64);
  double* values = window_.data_ptr<double>() + (config_.fft_size - config_.window) / 2;
  for (int i = 0; i < config_.window; ++i) {
    values[i] = 0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * i / config_.window);
  }
}

torch::Tensor Stft::operator()(const torch::Tensor& audio) const {
  return Transform(Pad(audio), 0, audio.size(-1) / config_.hop + 1);
}

torch::Tensor Stft::Pad(const torch::Tensor& audio) const {
  TORCH_CHECK(audio.dim() == 2, "audio must be [rows, samples]");
  const int64_t half = config_.fft_size / 2;
  return config_.padding == EdgePadding::kReflect ? torch::reflection_pad1d(audio, {half, half})
                                                  : torch::constant_pad_nd(audio, {half, half}, 0);
}

torch::Tensor Stft::Transform(const torch::Tensor& padded, int64_t first, int64_t count) const {
  const torch::Tensor samples = padded.slice(1, first * config_.hop);
  return torch::fft::rfft(samples.unfold(1, config_.fft_size, config_.hop).narrow(1, 0, count) *
                          window_.to(padded.scalar_type()));
}

}  // namespace auricle::model
