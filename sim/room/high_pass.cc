#include "sim/room/high_pass.h"

#include <array>
#include <cmath>
#include <numbers>

namespace auricle::sim {
namespace {

// `samples` is [kSignals, n], planar. The signals go side by side: each waits for its own last sample only.
template <size_t kSignals>
void Filter(double hz, int sample_rate, std::span<float> samples) {
  const double k = std::tan(std::numbers::pi * hz / sample_rate);
  const double norm = 1.0 / (1.0 + std::numbers::sqrt2 * k + k * k);
  const double a1 = 2.0 * (k * k - 1.0) * norm, a2 = (1.0 - std::numbers::sqrt2 * k + k * k) * norm;
  std::array<double, kSignals> s1{}, s2{};  // transposed direct form II; b = norm * (1, -2, 1)
  const size_t frames = samples.size() / kSignals;
  for (size_t i = 0; i < frames; ++i) {
    for (size_t c = 0; c < kSignals; ++c) {
      float& sample = samples[c * frames + i];
      const double x = norm * sample, y = x + s1[c];
      s1[c] = -2.0 * x - a1 * y + s2[c];
      s2[c] = x - a2 * y;
      sample = static_cast<float>(y);
    }
  }
}

}  // namespace

void HighPass(double hz, int sample_rate, std::span<float> signal) { Filter<1>(hz, sample_rate, signal); }

void HighPass(double hz, audio::FoaClip& clip) { Filter<audio::kFoaChannels>(hz, clip.sample_rate, clip.samples); }

}  // namespace auricle::sim
