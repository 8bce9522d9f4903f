// A source that passes the listener at constant speed: the one motion whose sound has a closed form.
#pragma once

#include <span>

#include "sim/scene/trajectory.h"

namespace auricle::sim {

inline constexpr Vec3 kEars = {0, 0, 1.5};

Trajectory Still(Vec3 place);

// At constant speed along x from before the clip until after it, `gap_m` to the left of kEars: at x = 0 when t =
// `middle`, seconds.
Trajectory PassBy(double speed, double gap_m, double middle);

// Emission time of what arrives at t, for PassBy: the root of a quadratic.
double EmissionOfPassBy(double t, double speed, double gap_m, double middle);

// Frequency around a time: the advance of phase against `near_hz` between two windows of 16 ms, 8 ms apart.
double FrequencyAt(std::span<const float> x, int rate, double at_seconds, double near_hz);

double Cents(double hz, double of_hz);

// A sine of 2 kHz at 16 kHz that passes at 6 m, against the closed form of its pitch, every 50 ms for over two seconds.
struct DopplerError {
  double worst_cents = 0.0;
  double worst_at_seconds = 0.0;
  double most_shift_cents = 0.0;  // what there is to hear
};
DopplerError MeasureDoppler(double speed);

}  // namespace auricle::sim
