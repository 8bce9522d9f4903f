#include "sim/room/high_pass.h"

#include <cmath>
#include <numbers>

namespace auricle::sim {

void HighPass(double hz, int sample_rate, std::span<float> signal) {
  const double k = std::tan(std::numbers::pi * hz / sample_rate);
  const double norm = 1.0 / (1.0 + std::numbers::sqrt2 * k + k * k);
  const double a1 = 2.0 * (k * k - 1.0) * norm, a2 = (1.0 - std::numbers::sqrt2 * k + k * k) * norm;
  double s1 = 0.0, s2 = 0.0;  // transposed direct form II; b = norm * (1, -2, 1)
  for (float& sample : signal) {
    const double x = norm * sample, y = x + s1;
    s1 = -2.0 * x - a1 * y + s2;
    s2 = x - a2 * y;
    sample = static_cast<float>(y);
  }
}

}  // namespace auricle::sim
