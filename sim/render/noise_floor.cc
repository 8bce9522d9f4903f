#include "sim/render/noise_floor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>
#include <vector>

#include "sim/room/late_field.h"

namespace auricle::sim {
namespace {

// A fractional slope from alternating poles and zeros of first order, evenly spaced in log frequency: with a pole every two
// octaves and its zero `slope / 6` of the way to the next pole, the magnitude falls by `slope` decibels an octave on average
// (Oustaloup 1991; Smith, "Spectral tilt filters", 2010).
constexpr int kSections = 4;
constexpr double kLowestPoleHz = 100.0, kOctavesApart = 2.0;

struct Section {
  float b0, b1, a1;
};

std::array<Section, kSections> SlopeFilter(double slope_db, int sample_rate) {
  std::array<Section, kSections> sections;
  for (int i = 0; i < kSections; ++i) {
    const double pole_hz = kLowestPoleHz * std::exp2(kOctavesApart * i);
    const double zero_hz = pole_hz * std::exp2(kOctavesApart * slope_db / 6.0206);
    const auto radius = [&](double hz) { return std::exp(-2.0 * std::numbers::pi * std::min(hz, 0.49 * sample_rate) / sample_rate); };
    const double p = radius(pole_hz), z = radius(zero_hz);
    // Unit gain at DC.
    const double gain = (1.0 - p) / (1.0 - z);
    sections[i] = {static_cast<float>(gain), static_cast<float>(-gain * z), static_cast<float>(-p)};
  }
  return sections;
}

}  // namespace

void AddNoiseFloor(double level_dbfs, double slope_db, uint64_t key, audio::FoaClip& clip) {
  const size_t frames = clip.frames();
  if (frames == 0) return;
  std::vector<float> noise = DiffuseNoise(key, frames);
  if (slope_db > 0.0) {
    const std::array<Section, kSections> sections = SlopeFilter(slope_db, clip.sample_rate);
    // All channels and sections in one pass: sixteen independent recursions hide each other's latency.
    std::array<std::array<float, audio::kFoaChannels>, kSections> state{};
    for (size_t i = 0; i < frames; ++i) {
      std::array<float, audio::kFoaChannels> x;
      for (int c = 0; c < audio::kFoaChannels; ++c) x[c] = noise[c * frames + i];
      for (int s = 0; s < kSections; ++s) {
        const Section f = sections[s];
        for (int c = 0; c < audio::kFoaChannels; ++c) {
          const float y = f.b0 * x[c] + state[s][c];
          state[s][c] = f.b1 * x[c] - f.a1 * y;
          x[c] = y;
        }
      }
      for (int c = 0; c < audio::kFoaChannels; ++c) noise[c * frames + i] = x[c];
    }
  }
  double energy = 0.0;
  for (size_t i = 0; i < frames; ++i) energy += static_cast<double>(noise[i]) * noise[i];
  const float gain = static_cast<float>(std::pow(10.0, level_dbfs / 20.0) / std::sqrt(std::max(energy / static_cast<double>(frames), 1e-30)));
  for (size_t i = 0; i < noise.size(); ++i) clip.samples[i] += gain * noise[i];
}

}  // namespace auricle::sim
