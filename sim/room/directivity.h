// How a source radiates: first-order patterns around the direction that it faces, one for each octave band.
//
// Gain towards the angle theta off that direction is a + (1 - a) cos(theta), one on the axis; a = 1 is omnidirectional,
// 0.75 a wide cardioid, 0.5 a cardioid, 0 a figure of eight. Its energy averaged over the sphere is
// a^2 + (1 - a)^2 / 3: what the diffuse field of a room gets (Kuttruff, "Room Acoustics" (2009), section 5.1, with the
// pattern's directivity factor its inverse).
//
// "talker": the band's `a` follows from the level behind a talker relative to the level in front,
// 20 log10(2 a - 1): -2, -4, -6, -8, -12, -15, -18 dB from 125 Hz to 8 kHz, rounded after the measurements of forty
// talkers by Chu and Warnock 2002, "Detailed directivity of sound fields around human talkers" (NRC Canada,
// IRC-RR-104). A monotone first-order approximation: it has neither the lobes of the mouth's diffraction nor the slight
// downward tilt that they report.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"
#include "sim/room/bands.h"
#include "sim/room/geometry.h"

namespace auricle::sim {

struct Directivity {
  std::string_view name = "omni";
  // a of each band, in [0, 1].
  std::array<double, kBands> omni_share = {1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0};
};

// "omni", "wide_cardioid", "cardioid", "talker". Immutable; lives as long as the program.
std::span<const Directivity> Directivities();
// INVALID_ARGUMENT for an unknown name, with the names there are.
absl::StatusOr<Directivity> FindDirectivity(std::string_view name);

// INVALID_ARGUMENT: directivity.omni_share[band] outside [0, 1], or `facing` not of unit length (to 1e-3).
absl::Status Validate(const Directivity& directivity, Vec3 facing);

// Amplitude towards a direction whose cosine with the facing is `cosine`.
inline double DirectivityGain(double omni_share, double cosine) { return omni_share + (1.0 - omni_share) * cosine; }
// Energy averaged over the sphere, in [1/4, 1].
inline double DiffuseEnergy(double omni_share) {
  return omni_share * omni_share + (1.0 - omni_share) * (1.0 - omni_share) / 3.0;
}

}  // namespace auricle::sim
