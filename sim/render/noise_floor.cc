#include "sim/render/noise_floor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>
#include <vector>

#include "sim/room/late_field.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/render/noise_floor.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"

#ifndef SIM_RENDER_NOISE_FLOOR_SECTION_
#define SIM_RENDER_NOISE_FLOOR_SECTION_
namespace auricle::sim {

// A fractional slope from alternating poles and zeros of first order, evenly spaced in log frequency: with a pole every two
// octaves and its zero `slope / 6` of the way to the next pole, the magnitude falls by `slope` decibels an octave on average
// (Oustaloup 1991; Smith, "Spectral tilt filters", 2010).
inline constexpr int kSections = 4;

struct Section {
  float b0, b1, a1;
};

}  // namespace auricle::sim
#endif

HWY_BEFORE_NAMESPACE();
namespace auricle::sim {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The four channels in the lanes of one vector: a recursion waits for itself, so four at once cost as much as one.
void FilterTogetherKernel(const std::array<Section, kSections>& sections, size_t frames, float* planar) {
  const hn::CappedTag<float, audio::kFoaChannels> d;
  using Vector = hn::Vec<decltype(d)>;
  const size_t together = hn::Lanes(d);  // 4, but 1 where there are no vectors
  alignas(16) float lanes[audio::kFoaChannels];
  for (size_t first = 0; first < audio::kFoaChannels; first += together) {
    float* channels = planar + first * frames;
    Vector state0 = hn::Zero(d), state1 = state0, state2 = state0, state3 = state0;
    const auto step = [&d](const Section& f, Vector x, Vector& state) HWY_ATTR {
      const Vector y = hn::MulAdd(hn::Set(d, f.b0), x, state);
      state = hn::NegMulAdd(hn::Set(d, f.a1), y, hn::Mul(hn::Set(d, f.b1), x));
      return y;
    };
    for (size_t i = 0; i < frames; ++i) {
      for (size_t c = 0; c < together; ++c) lanes[c] = channels[c * frames + i];
      Vector x = hn::Load(d, lanes);
      x = step(sections[0], x, state0);
      x = step(sections[1], x, state1);
      x = step(sections[2], x, state2);
      x = step(sections[3], x, state3);
      hn::Store(x, d, lanes);
      for (size_t c = 0; c < together; ++c) channels[c * frames + i] = lanes[c];
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace auricle::sim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace auricle::sim {
namespace {

constexpr double kLowestPoleHz = 100.0, kOctavesApart = 2.0;

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

HWY_EXPORT(FilterTogetherKernel);

}  // namespace

void AddNoiseFloor(double level_dbfs, double slope_db, uint64_t key, audio::FoaClip& clip) {
  const size_t frames = clip.frames();
  if (frames == 0) return;
  std::vector<float> noise = DiffuseNoise(key, frames);
  if (slope_db > 0.0) {
    HWY_DYNAMIC_DISPATCH(FilterTogetherKernel)(SlopeFilter(slope_db, clip.sample_rate), frames, noise.data());
  }
  double energy = 0.0;
  for (size_t i = 0; i < frames; ++i) energy += static_cast<double>(noise[i]) * noise[i];
  const float gain = static_cast<float>(std::pow(10.0, level_dbfs / 20.0) / std::sqrt(std::max(energy / static_cast<double>(frames), 1e-30)));
  for (size_t i = 0; i < noise.size(); ++i) clip.samples[i] += gain * noise[i];
}

}  // namespace auricle::sim
#endif  // HWY_ONCE
