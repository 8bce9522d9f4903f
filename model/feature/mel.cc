#include "model/feature/mel.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "model/feature/stft.h"

namespace auricle::model {
namespace {

// Slaney's scale: 200/3 Hz per mel up to 1 kHz, then 27 mels per factor of 6.4.
constexpr double kSlaneyLinearHz = 200.0 / 3.0;
constexpr double kSlaneyBreakHz = 1000.0;
constexpr double kSlaneyBreakMel = kSlaneyBreakHz / kSlaneyLinearHz;
const double kSlaneyLogStep = std::log(6.4) / 27.0;

double HzToMel(double hz, MelScale scale) {
  if (scale == MelScale::kHtk) return 2595.0 * std::log10(1.0 + hz / 700.0);
  if (hz < kSlaneyBreakHz) return hz / kSlaneyLinearHz;
  return kSlaneyBreakMel + std::log(hz / kSlaneyBreakHz) / kSlaneyLogStep;
}

double MelToHz(double mel, MelScale scale) {
  if (scale == MelScale::kHtk) return 700.0 * (std::pow(10.0, mel / 2595.0) - 1.0);
  if (mel < kSlaneyBreakMel) return mel * kSlaneyLinearHz;
  return kSlaneyBreakHz * std::exp((mel - kSlaneyBreakMel) * kSlaneyLogStep);
}

}  // namespace

torch::Tensor MelFilters(int mels, int fft_size, double sample_rate, double low_hz, double high_hz, MelScale scale,
                         MelNorm norm) {
  TORCH_CHECK(mels >= 1 && fft_size >= 2, "mels and fft_size must be positive");
  TORCH_CHECK(low_hz >= 0 && low_hz < high_hz && high_hz <= sample_rate / 2, "need 0 <= low < high <= rate / 2");
  std::vector<double> edges(mels + 2);
  const double low = HzToMel(low_hz, scale);
  const double high = HzToMel(high_hz, scale);
  for (int i = 0; i < mels + 2; ++i) edges[i] = MelToHz(low + (high - low) * i / (mels + 1), scale);

  const int bins = fft_size / 2 + 1;
  torch::Tensor filters = torch::zeros({mels, bins}, torch::kFloat64);
  auto values = filters.accessor<double, 2>();
  for (int m = 0; m < mels; ++m) {
    const double gain = norm == MelNorm::kArea ? 2.0 / (edges[m + 2] - edges[m]) : 1.0;
    for (int k = 0; k < bins; ++k) {
      const double hz = k * sample_rate / fft_size;
      const double rising = (hz - edges[m]) / (edges[m + 1] - edges[m]);
      const double falling = (edges[m + 2] - hz) / (edges[m + 2] - edges[m + 1]);
      values[m][k] = gain * std::max(0.0, std::min(rising, falling));
    }
  }
  return filters;
}

torch::Tensor LogMel(const torch::Tensor& power, const torch::Tensor& filters) {
  return torch::matmul(power, filters.to(power.scalar_type()).t()).clamp_min(1e-10).log();
}

torch::Tensor WhisperLogMel(const torch::Tensor& audio, int mels) {
  TORCH_CHECK(audio.dim() == 1, "audio must be [samples]");
  const Stft stft({.fft_size = 400, .window = 400, .hop = 160, .padding = EdgePadding::kReflect});
  const torch::Tensor spectrum =
      stft.Transform(stft.Pad(audio.unsqueeze(0)), 0, audio.size(0) / 160).squeeze(0);  // [frames, bins]
  const torch::Tensor power = torch::real(spectrum).square() + torch::imag(spectrum).square();
  const torch::Tensor filters = MelFilters(mels, 400, 16000, 0, 8000, MelScale::kSlaney, MelNorm::kArea);
  const torch::Tensor decades =
      torch::matmul(filters.to(power.scalar_type()), power.t()).clamp_min(1e-10).log10();  // [mels, frames]
  return (torch::maximum(decades, decades.max() - 8.0) + 4.0) / 4.0;
}

}  // namespace auricle::model
