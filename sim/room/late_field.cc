#include "sim/room/late_field.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

#include "sim/scene/random.h"

namespace auricle::sim {
namespace {

constexpr int kNodes = 12;
struct Quadrature {
  std::array<double, kNodes> node, weight;  // on [0, 1]
};

// Roots of the Legendre polynomial by Newton's method (Abramowitz and Stegun, 25.4.29).
Quadrature GaussLegendre() {
  Quadrature rule;
  for (int i = 0; i < kNodes; ++i) {
    double x = std::cos(std::numbers::pi * (i + 0.75) / (kNodes + 0.5)), slope = 1.0;
    for (int iteration = 0; iteration < 20; ++iteration) {
      double p = 1.0, before = 0.0;
      for (int n = 1; n <= kNodes; ++n) {
        const double next = ((2 * n - 1) * x * p - (n - 1) * before) / n;
        before = p;
        p = next;
      }
      slope = kNodes * (x * p - before) / (x * x - 1.0);
      x -= p / slope;
    }
    rule.node[i] = 0.5 + 0.5 * x;
    rule.weight[i] = 1.0 / ((1.0 - x * x) * slope * slope);
  }
  return rule;
}

}  // namespace

std::vector<double> EnergyEnvelope(const Shoebox& room, double step, size_t count) {
  // Nepers of energy a metre of path along each axis.
  std::array<double, 3> loss;
  const std::array<double, 3> length = {room.size_m.x, room.size_m.y, room.size_m.z};
  for (int axis = 0; axis < 3; ++axis) {
    double sum = 0.0;
    // A wall that takes everything leaves 1e-12.
    for (int side = 0; side < 2; ++side) sum -= std::log(std::max(1.0 - room.absorption[2 * axis + side], 1e-12));
    loss[axis] = 0.5 * sum / length[axis];
  }
  // One octant, the integrand is even in every axis. Gauss and Legendre in elevation and azimuth: after 60 dB only a
  // narrow cone about the axis of least loss is left, which points spread evenly over the sphere would miss or
  // overstate.
  const Quadrature rule = GaussLegendre();
  const double half_pi = 0.5 * std::numbers::pi;
  const double scale = kSpeedOfSound / (4.0 * std::numbers::pi * Volume(room));
  constexpr int kDirections = kNodes * kNodes;
  std::array<double, kDirections> value, factor;
  for (int i = 0; i < kNodes; ++i) {
    const double elevation = half_pi * rule.node[i], level = std::cos(elevation);
    for (int j = 0; j < kNodes; ++j) {
      const double azimuth = half_pi * rule.node[j];
      const double rate =
          level * std::cos(azimuth) * loss[0] + level * std::sin(azimuth) * loss[1] + std::sin(elevation) * loss[2];
      factor[i * kNodes + j] = std::exp(-kSpeedOfSound * step * rate);
      // The octant's area in (elevation, azimuth) is pi / 2.
      value[i * kNodes + j] = scale * rule.weight[i] * half_pi * level * rule.weight[j];
    }
  }
  std::vector<double> energy(count, 0.0);
  for (size_t n = 0; n < count; ++n) {
    // Four sums side by side: one would wait for itself.
    std::array<double, 4> sum{};
    for (int k = 0; k < kDirections; k += 4) {
      for (int lane = 0; lane < 4; ++lane) {
        sum[lane] += value[k + lane];
        value[k + lane] *= factor[k + lane];
      }
    }
    energy[n] = sum[0] + sum[1] + sum[2] + sum[3];
    // 140 dB down nothing is left to hear.
    if (energy[n] < 1e-14 * energy[0]) break;
  }
  return energy;
}

double TimeOfImages(const Shoebox& room, double count) {
  return std::cbrt(3.0 * count * Volume(room) / (4.0 * std::numbers::pi)) / kSpeedOfSound;
}

std::vector<float> DiffuseNoise(uint64_t key, size_t frames) {
  std::vector<float> noise(4 * frames);
  const Random streams(key);
  for (uint64_t c = 0; c < 4; ++c) {
    const std::span<float> channel(noise.data() + c * frames, frames);
    FillNoise(streams.Fork(c).Bits(), channel);
    if (c == 0) continue;
    const float scale = static_cast<float>(1.0 / std::numbers::sqrt3);
    for (float& sample : channel) sample *= scale;
  }
  return noise;
}

}  // namespace auricle::sim
