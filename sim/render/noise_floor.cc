#include "sim/render/noise_floor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>

#include "sim/scene/random.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/render/noise_floor.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"

#ifndef SIM_RENDER_NOISE_FLOOR_SECTION_
#define SIM_RENDER_NOISE_FLOOR_SECTION_
namespace auricle::sim {

// A fractional slope from alternating poles and zeros of first order, evenly spaced in log frequency: with a pole every
// two octaves and its zero `slope / 6` of the way to the next pole, the magnitude falls by `slope` decibels an octave
// on average (Oustaloup 1991; Smith, "Spectral tilt filters", 2010).
inline constexpr int kSections = 4;

struct Section {
  float b0, b1, a1;
};

struct FilterState {
  alignas(16) std::array<std::array<float, audio::kFoaChannels>, kSections> sections{};
  std::array<float, audio::kFoaChannels>& operator[](size_t section) { return sections[section]; }
};

}  // namespace auricle::sim
#endif

HWY_BEFORE_NAMESPACE();
namespace auricle::sim {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Filters [frames, 4] in place, the four channels in the lanes of one vector: a recursion waits for itself, so four at
// once cost as much as one. `state` is carried from call to call.
void FilterTogetherKernel(const std::array<Section, kSections>& sections, FilterState& state, size_t frames,
                          float* interleaved) {
  const hn::CappedTag<float, audio::kFoaChannels> d;
  using Vector = hn::Vec<decltype(d)>;
  const size_t together = hn::Lanes(d);  // 4, but 1 where there are no vectors
  for (size_t first = 0; first < audio::kFoaChannels; first += together) {
    Vector s0 = hn::Load(d, &state[0][first]), s1 = hn::Load(d, &state[1][first]);
    Vector s2 = hn::Load(d, &state[2][first]), s3 = hn::Load(d, &state[3][first]);
    const auto step = [&d](const Section& f, Vector x, Vector& s) HWY_ATTR {
      const Vector y = hn::MulAdd(hn::Set(d, f.b0), x, s);
      s = hn::NegMulAdd(hn::Set(d, f.a1), y, hn::Mul(hn::Set(d, f.b1), x));
      return y;
    };
    float* at = interleaved + first;
    for (size_t i = 0; i < frames; ++i, at += audio::kFoaChannels) {
      Vector x = hn::LoadU(d, at);
      x = step(sections[0], x, s0);
      x = step(sections[1], x, s1);
      x = step(sections[2], x, s2);
      x = step(sections[3], x, s3);
      hn::StoreU(x, d, at);
    }
    hn::Store(s0, d, &state[0][first]);
    hn::Store(s1, d, &state[1][first]);
    hn::Store(s2, d, &state[2][first]);
    hn::Store(s3, d, &state[3][first]);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace auricle::sim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace auricle::sim {
namespace {

constexpr double kLowestPoleHz = 100.0, kOctavesApart = 2.0;
constexpr size_t kPiece = 512;  // frames

std::array<Section, kSections> SlopeFilter(double slope_db, int sample_rate) {
  std::array<Section, kSections> sections;
  for (int i = 0; i < kSections; ++i) {
    const double pole_hz = kLowestPoleHz * std::exp2(kOctavesApart * i);
    const double zero_hz = pole_hz * std::exp2(kOctavesApart * slope_db / 6.0206);
    const auto radius = [&](double hz) {
      return std::exp(-2.0 * std::numbers::pi * std::min(hz, 0.49 * sample_rate) / sample_rate);
    };
    const double p = radius(pole_hz), z = radius(zero_hz);
    // Unit gain at DC.
    const double gain = (1.0 - p) / (1.0 - z);
    sections[i] = {static_cast<float>(gain), static_cast<float>(-gain * z), static_cast<float>(-p)};
  }
  return sections;
}

HWY_EXPORT(FilterTogetherKernel);

// RMS of white noise of variance 1 after the filter: the root of the energy of its impulse response.
double FilteredRms(const std::array<Section, kSections>& sections) {
  std::array<double, kSections> state{};
  double energy = 0.0;
  for (int i = 0; i < 4000; ++i) {  // the lowest pole, 100 Hz, is 400 dB down by then at 16 kHz, 30 at 192 kHz
    double x = i == 0 ? 1.0 : 0.0;
    for (int s = 0; s < kSections; ++s) {
      const double y = sections[s].b0 * x + state[s];
      state[s] = sections[s].b1 * x - sections[s].a1 * y;
      x = y;
    }
    energy += x * x;
  }
  return std::sqrt(energy);
}

}  // namespace

void AddNoiseFloor(double level_dbfs, double slope_db, uint64_t key, audio::FoaClip& clip) {
  const std::array<Section, kSections> sections = SlopeFilter(slope_db, clip.sample_rate);
  const double gain = std::pow(10.0, level_dbfs / 20.0) / (slope_db > 0.0 ? FilteredRms(sections) : 1.0);
  const size_t frames = clip.frames();
  // Piece by piece: the noise never leaves the first-level cache.
  std::array<float, kPiece * audio::kFoaChannels> piece;
  std::array<float, kPiece> one;
  FilterState state;
  const Random streams(key);
  for (size_t at = 0, number = 0; at < frames; at += kPiece, ++number) {
    const size_t n = std::min(kPiece, frames - at);
    for (size_t c = 0; c < audio::kFoaChannels; ++c) {
      FillNoise(streams.Fork(number * audio::kFoaChannels + c).Bits(), std::span<float>(one).first(n));
      for (size_t i = 0; i < n; ++i) piece[i * audio::kFoaChannels + c] = one[i];
    }
    if (slope_db > 0.0) HWY_DYNAMIC_DISPATCH(FilterTogetherKernel)(sections, state, n, piece.data());
    for (size_t c = 0; c < audio::kFoaChannels; ++c) {
      // Variances 1 : 1/3 : 1/3 : 1/3 of a diffuse field.
      const float scale = static_cast<float>(c == 0 ? gain : gain / std::numbers::sqrt3);
      float* out = clip.channel(static_cast<int>(c)).data() + at;
      for (size_t i = 0; i < n; ++i) out[i] += scale * piece[i * audio::kFoaChannels + c];
    }
  }
}

}  // namespace auricle::sim
#endif  // HWY_ONCE
