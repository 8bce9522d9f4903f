#include "sim/room/late_field.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

#include "sim/scene/random.h"

namespace auricle::sim {

std::vector<double> EnergyEnvelope(const Shoebox& room, double step, size_t count) {
  // Directions of one octant, on a Fibonacci lattice of equal areas: the integrand is even in every axis.
  constexpr int kDirections = 256;
  // Nepers of energy a metre of path along each axis.
  std::array<double, 3> loss;
  const std::array<double, 3> length = {room.size_m.x, room.size_m.y, room.size_m.z};
  for (int axis = 0; axis < 3; ++axis) {
    double sum = 0.0;
    // A wall that takes everything leaves 1e-12.
    for (int side = 0; side < 2; ++side) sum -= std::log(std::max(1.0 - room.absorption[2 * axis + side], 1e-12));
    loss[axis] = 0.5 * sum / length[axis];
  }
  const double scale = kSpeedOfSound / (4.0 * std::numbers::pi * Volume(room)) / kDirections;
  std::vector<double> energy(count, 0.0);
  for (int i = 0; i < kDirections; ++i) {
    const double z = (i + 0.5) / kDirections;
    const double turn = i * (std::numbers::phi - 1.0);
    const double azimuth = 0.5 * std::numbers::pi * (turn - std::floor(turn));
    const double r = std::sqrt(1.0 - z * z);
    const double rate = r * std::cos(azimuth) * loss[0] + r * std::sin(azimuth) * loss[1] + z * loss[2];
    const double factor = std::exp(-kSpeedOfSound * step * rate);
    double value = scale;
    for (size_t n = 0; n < count; ++n) {
      energy[n] += value;
      value *= factor;
    }
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
