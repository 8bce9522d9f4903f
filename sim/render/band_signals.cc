#include "sim/render/band_signals.h"

#include <algorithm>
#include <bit>

#include "model/audio/fft.h"
#include "sim/room/band_arrivals.h"
#include "sim/room/bands.h"

namespace auricle::sim {

// By overlap and save, in blocks that the bands' filters reach into from either side.
absl::StatusOr<BandSignals> SplitIntoBands(std::span<const float> signal, int sample_rate) {
  const size_t reach = std::bit_ceil(static_cast<size_t>(kRingSeconds * sample_rate));
  const size_t n_fft = 16 * reach, bins = audio::FftBins(n_fft), hop = n_fft - 2 * reach;
  const size_t bands = static_cast<size_t>(BandsBelowNyquist(sample_rate)), length = signal.size() + 2 * reach;
  BandSignals split = {.frames = signal.size(), .lead = reach, .samples = {bands, std::vector<float>(length, 0.0f)}};
  // A block gives the frames [at, at + hop) of `length` for the signal's [at - 2 reach, at + hop).
  std::vector<float> rows;
  std::vector<size_t> starts;
  for (size_t at = 0; at < length; at += hop) {
    const size_t from = at < 2 * reach ? 0 : at - 2 * reach, to = std::min(signal.size(), at + hop);
    if (from >= to) break;
    const std::span<const float> in = signal.subspan(from, to - from);
    if (std::ranges::none_of(in, [](float v) { return v != 0.0f; })) continue;
    rows.resize(rows.size() + n_fft, 0.0f);
    std::ranges::copy(in, rows.end() - static_cast<ptrdiff_t>(n_fft) + static_cast<ptrdiff_t>(2 * reach + from - at));
    starts.push_back(at);
  }
  if (starts.empty()) return split;
  absl::StatusOr<std::vector<audio::Complex>> spectra = audio::ForwardFft(rows, starts.size(), n_fft);
  if (!spectra.ok()) return spectra.status();
  const std::vector<float> weights = BandWeights(n_fft, sample_rate);
  std::vector<audio::Complex> products(spectra->size());
  // The weights sum to one: the last band is what the others leave.
  std::vector<float>& last = split.samples.back();
  std::ranges::copy(signal, last.begin() + static_cast<ptrdiff_t>(reach));
  for (size_t band = 0; band + 1 < bands; ++band) {
    const float* weight = weights.data() + band * bins;
    for (size_t row = 0; row < starts.size(); ++row) {
      for (size_t k = 0; k < bins; ++k) products[row * bins + k] = weight[k] * (*spectra)[row * bins + k];
    }
    absl::StatusOr<std::vector<float>> pieces = audio::InverseFft(products, starts.size(), n_fft);
    if (!pieces.ok()) return pieces.status();
    for (size_t row = 0; row < starts.size(); ++row) {
      const size_t at = starts[row], n = std::min(hop, length - at);
      const float* piece = pieces->data() + row * n_fft + reach;
      std::copy_n(piece, n, split.samples[band].begin() + static_cast<ptrdiff_t>(at));
      for (size_t i = 0; i < n; ++i) last[at + i] -= piece[i];
    }
  }
  return split;
}

}  // namespace auricle::sim
