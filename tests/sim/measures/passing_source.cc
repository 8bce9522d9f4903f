#include "tests/sim/measures/passing_source.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "sim/render/moving_path.h"

namespace auricle::sim {
namespace {

constexpr double kTwoPi = 2.0 * std::numbers::pi;

}  // namespace

Trajectory Still(Vec3 place) { return {.points = {place}}; }

Trajectory PassBy(double speed, double gap_m, double middle) {
  const double half = 40.0;
  return {.shape = PathShape::kLine,
          .points = {kEars + Vec3{-half * speed, gap_m, 0}, kEars + Vec3{half * speed, gap_m, 0}},
          .start_seconds = middle - half - 0.5,
          .speed_m_per_s = speed,
          .ramp_seconds = 1.0};
}

double EmissionOfPassBy(double t, double speed, double gap_m, double middle) {
  const double s = t - middle, b = gap_m / kSpeedOfSound, m = speed / kSpeedOfSound, q = 1 - m * m;
  return middle + (s - std::sqrt(s * s - q * (s * s - b * b))) / q;
}

double FrequencyAt(std::span<const float> x, int rate, double at_seconds, double near_hz) {
  const int half = static_cast<int>(0.008 * rate), apart = half;
  const int at = static_cast<int>(std::lround(at_seconds * rate));
  const auto phasor = [&](int centre) {
    std::complex<double> sum = 0;
    for (int i = -half; i <= half; ++i) {
      const double window = 0.5 + 0.5 * std::cos(std::numbers::pi * i / half);
      sum += window * x[static_cast<size_t>(centre + i)] * std::polar(1.0, -kTwoPi * near_hz * (centre + i) / rate);
    }
    return sum;
  };
  const double advance = std::arg(phasor(at + apart / 2) / phasor(at - apart / 2));
  return near_hz + advance / kTwoPi * rate / apart;
}

double Cents(double hz, double of_hz) { return 1200.0 * std::log2(hz / of_hz); }

DopplerError MeasureDoppler(double speed) {
  const int rate = 16000;
  const double hz = 2000.0, middle = 1.5, gap = 6.0, seconds = 3.0;
  std::vector<float> sine(static_cast<size_t>(seconds * rate));
  for (size_t i = 0; i < sine.size(); ++i)
    sine[i] = static_cast<float>(std::sin(kTwoPi * hz * static_cast<double>(i) / rate));
  audio::FoaClip out = audio::MakeSilentClip(sine.size(), rate);
  AddMovingPath(sine, SampledPath(Path(PassBy(speed, gap, middle)), 0, seconds),
                SampledPath(Path(Still(kEars)), 0, seconds), {}, out);
  DopplerError error;
  for (double t = 0.6; t < 2.9; t += 0.05) {
    const double e = EmissionOfPassBy(t, speed, gap, middle), x = speed * (e - middle);
    const double away = speed * x / std::hypot(x, gap);  // radial velocity at emission
    const double want = hz / (1.0 + away / kSpeedOfSound);
    const double cents = std::abs(Cents(FrequencyAt(out.channel(audio::kW), rate, t, want), want));
    if (cents > error.worst_cents) error = {cents, t, error.most_shift_cents};
    error.most_shift_cents = std::max(error.most_shift_cents, std::abs(Cents(want, hz)));
  }
  return error;
}

}  // namespace auricle::sim
