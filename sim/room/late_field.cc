#include "sim/room/late_field.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "model/audio/fft.h"
#include "sim/room/bands.h"
#include "sim/scene/random.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/room/late_field.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace auricle::sim {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// values *= scale * gain: `count` complex numbers, parts interleaved, and as many real gains.
void ShapeKernel(const float* gain, float scale, float* values, size_t count) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  const auto all = hn::Set(d, scale);
  size_t k = 0;
  for (; k + lanes <= count; k += lanes) {
    hn::Vec<decltype(d)> re, im;
    hn::LoadInterleaved2(d, values + 2 * k, re, im);
    const auto g = hn::Mul(all, hn::LoadU(d, gain + k));
    hn::StoreInterleaved2(hn::Mul(g, re), hn::Mul(g, im), d, values + 2 * k);
  }
  for (; k < count; ++k) {
    values[2 * k] *= scale * gain[k];
    values[2 * k + 1] *= scale * gain[k];
  }
}

// out += a * wa + b * wb.
void CrossOverKernel(const float* a, const float* wa, const float* b, const float* wb, float* out, size_t count) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto sum = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, wa + i), hn::LoadU(d, out + i));
    hn::StoreU(hn::MulAdd(hn::LoadU(d, b + i), hn::LoadU(d, wb + i), sum), d, out + i);
  }
  for (; i < count; ++i) out[i] += a[i] * wa[i] + b[i] * wb[i];
}

}  // namespace HWY_NAMESPACE
}  // namespace auricle::sim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace auricle::sim {
namespace {

HWY_EXPORT(ShapeKernel);
HWY_EXPORT(CrossOverKernel);

constexpr int kChannels = audio::kFoaChannels;

}  // namespace

size_t LateFieldHop(int sample_rate) {
  return audio::FastFftLength(static_cast<size_t>(std::lround(0.016 * sample_rate))) / 2;
}

absl::Status AddLateField(std::span<const std::vector<double>> energies, FadeIn fade, uint64_t key,
                          audio::FoaClip& clip) {
  const double rate = clip.sample_rate;
  const size_t frames = clip.frames(), hop = LateFieldHop(clip.sample_rate), n_fft = 2 * hop, bins = hop + 1;
  const size_t start = static_cast<size_t>(fade.start_seconds * rate);
  if (start >= frames) return absl::OkStatus();
  // Frame n is centred on sample n * hop: from the last centre before the start to the first one past the end.
  const size_t first = start / hop, count = (frames - 1) / hop + 2 - first;
  const std::span<const std::vector<double>> heard =
      energies.first(std::min(energies.size(), static_cast<size_t>(BandsBelowNyquist(clip.sample_rate))));
  const std::vector<float> weights = BandWeights(n_fft, clip.sample_rate);

  std::vector<audio::Complex> spectra(count * kChannels * bins);
  FillNoise(key, {reinterpret_cast<float*>(spectra.data()), 2 * spectra.size()});
  std::vector<float> gains(bins);
  for (size_t n = 0; n < count; ++n) {
    std::ranges::fill(gains, 0.0f);
    for (size_t band = 0; band < heard.size(); ++band) {
      // White noise of variance v has n_fft v / 2 in either part of a bin, and v is energy a second over the rate.
      const double energy = first + n < heard[band].size() ? heard[band][first + n] : 0.0;
      const float amplitude = static_cast<float>(std::sqrt(energy * static_cast<double>(n_fft) / (2.0 * rate)));
      const float* weight = weights.data() + band * bins;
      for (size_t k = 0; k < bins; ++k) gains[k] += amplitude * weight[k];
    }
    // The outermost bins are real: all of their energy is in one part.
    gains.front() *= std::numbers::sqrt2_v<float>;
    gains.back() *= std::numbers::sqrt2_v<float>;
    for (int c = 0; c < kChannels; ++c) {
      const float scale = c == audio::kW ? 1.0f : std::numbers::inv_sqrt3_v<float>;
      audio::Complex* values = spectra.data() + (n * kChannels + static_cast<size_t>(c)) * bins;
      HWY_DYNAMIC_DISPATCH(ShapeKernel)(gains.data(), scale, reinterpret_cast<float*>(values), bins);
    }
  }
  absl::StatusOr<std::vector<float>> noise = audio::InverseFft(spectra, count * kChannels, n_fft);
  if (!noise.ok()) return noise.status();

  std::vector<float> rising(hop), falling(hop), faded_rising(hop), faded_falling(hop);
  for (size_t i = 0; i < hop; ++i) {
    const double angle = std::numbers::pi * static_cast<double>(i) / static_cast<double>(n_fft);
    rising[i] = static_cast<float>(std::sin(angle));
    falling[i] = static_cast<float>(std::cos(angle));
  }
  const double fade_seconds = std::max(fade.end_seconds - fade.start_seconds, 1e-9);
  for (size_t n = 0; n + 1 < count; ++n) {
    const size_t at = (first + n) * hop, length = std::min(hop, frames - at);
    const bool whole = static_cast<double>(at) / rate >= fade.end_seconds;
    for (size_t i = 0; !whole && i < length; ++i) {
      const double part = (static_cast<double>(at + i) / rate - fade.start_seconds) / fade_seconds;
      const float weight = static_cast<float>(std::sin(0.5 * std::numbers::pi * std::clamp(part, 0.0, 1.0)));
      faded_rising[i] = weight * rising[i];
      faded_falling[i] = weight * falling[i];
    }
    for (int c = 0; c < kChannels; ++c) {
      const float* ending = noise->data() + (n * kChannels + static_cast<size_t>(c)) * n_fft + hop;
      const float* beginning = noise->data() + ((n + 1) * kChannels + static_cast<size_t>(c)) * n_fft;
      HWY_DYNAMIC_DISPATCH(CrossOverKernel)
      (ending, (whole ? falling : faded_falling).data(), beginning, (whole ? rising : faded_rising).data(),
       clip.channel(c).data() + at, length);
    }
  }
  return absl::OkStatus();
}

}  // namespace auricle::sim
#endif  // HWY_ONCE
