// How energy dies away in a response: Schroeder's backward integral and the times read from it (ISO 3382-1:2009, annex
// A).
#pragma once

#include <span>
#include <vector>

#include "absl/status/statusor.h"

namespace auricle::sim {

// Energy still to come after each sample over all energy, decibels: starts at 0 and never rises. -inf after the last
// sample that is not zero. Empty for an empty or silent response.
std::vector<double> EnergyDecayDb(std::span<const float> response);

// Time for 60 dB by the straight line fitted (least squares) to the decay between two levels, seconds.
// T30 is [-5, -35], T20 [-5, -25], EDT [0, -10].
// INVALID_ARGUMENT: to_db not below from_db, from_db above 0; FAILED_PRECONDITION: silent, or the decay does not reach
// to_db.
absl::StatusOr<double> DecaySeconds(std::span<const float> response, int sample_rate, double from_db, double to_db);
absl::StatusOr<double> T30(std::span<const float> response, int sample_rate);
absl::StatusOr<double> EarlyDecayTime(std::span<const float> response, int sample_rate);

// T30 in octaves around `centres_hz`, by filters with the magnitude of third-order Butterworth band-passes (IEC
// 61260-1, edges at centre / sqrt 2 and centre * sqrt 2) without phase. 0 where the decay does not reach -35 dB.
// INVALID_ARGUMENT: a centre outside (0, sample_rate / 2).
absl::StatusOr<std::vector<double>> OctaveT30(std::span<const float> response, int sample_rate,
                                              std::span<const double> centres_hz);

}  // namespace auricle::sim
