// Numbers read off responses: how far one is from another, when a sound arrives, and from where.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "model/audio/foa.h"
#include "sim/room/bands.h"
#include "sim/room/geometry.h"
#include "sim/room/shoebox.h"

namespace auricle::sim {

// Energy of the difference over energy of the reference between two frequencies, decibels. `got` is cut to the length
// of `want`.
double BandErrorDb(std::span<const float> got, std::span<const float> want, int rate, double low_hz, double high_hz);

// Energy of the difference over that of the reference in the first `frames` frames of all four channels, decibels.
double ErrorDb(const audio::FoaClip& got, const audio::FoaClip& want, size_t frames);

// The delay of one arrival, in samples, from the slope of its phase between 200 Hz and 4 kHz. `near` is the delay to
// within a few samples.
double DelayByPhaseSlope(std::span<const float> x, int rate, double near);

// A response that holds one arrival: (X2 + Y2 + Z2) / W2 of its energies, and the direction of its mean intensity,
// (W X, W Y, W Z) / W2, whose length is one for a plane wave.
struct PlaneWave {
  double energy_ratio = 0.0;
  Vec3 intensity;
};
PlaneWave MeasurePlaneWave(const audio::FoaClip& response);

// The room whose every band is this one, without air.
BandedRoom SameInEveryBand(const Shoebox& room);

// Covariances of W, Y, Z, X in the late field alone, summed over `keys` drawings of a room that rings long.
absl::StatusOr<std::array<std::array<double, 4>, 4>> LateFieldCovariance(uint64_t keys);

}  // namespace auricle::sim
