// Mel filterbanks and log-mel spectrograms in the two dialects that models are trained with.
#pragma once

#include <torch/torch.h>

namespace auricle::model {

enum class MelScale {
  kHtk,     // 2595 log10(1 + f / 700)
  kSlaney,  // linear below 1 kHz, logarithmic above (Slaney, Auditory Toolbox 1998)
};
enum class MelNorm {
  kPeak,  // triangles of height 1
  kArea,  // Slaney's 2 / (upper - lower edge in Hz)
};

// Triangular filters [mels, fft_size / 2 + 1], float64, centres equally spaced in mel between low_hz and high_hz.
torch::Tensor MelFilters(int mels, int fft_size, double sample_rate, double low_hz, double high_hz, MelScale scale,
                         MelNorm norm);

// ln(max(filters @ power, 1e-10)): power [..., frames, bins], filters [mels, bins] -> [..., frames, mels].
torch::Tensor LogMel(const torch::Tensor& power, const torch::Tensor& filters);

// Whisper's features (Radford et al. 2022): 16 kHz, FFT and window of 400, hop 160, reflected edges, 80 Slaney mels of
// equal area, log10 floored at 8 decades under the clip's maximum, (x + 4) / 4. audio [T] -> [mels, T / 160].
torch::Tensor WhisperLogMel(const torch::Tensor& audio, int mels = 80);

}  // namespace auricle::model
