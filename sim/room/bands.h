// Frequency dependence of a room in three broad bands: what walls and air take away below 350 Hz, in the middle, and
// above 2 kHz. The bands' amplitude weights sum to one at every frequency, so equal bands change nothing.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "sim/room/shoebox.h"

namespace auricle::sim {

inline constexpr int kBands = 3;
// Where one band hands over to the next: raised cosine in log frequency, one octave to each side.
inline constexpr std::array<double, kBands - 1> kCrossoverHz = {350.0, 2000.0};
// The frequency at which each band's air absorption is taken.
inline constexpr std::array<double, kBands> kBandCentreHz = {175.0, 850.0, 4000.0};

struct BandedRoom {
  Vec3 size_m = {6.0, 5.0, 3.0};
  // Energy absorption [band][wall], each in (0, 1].
  std::array<std::array<double, 6>, kBands> absorption{};
  // Decibels a metre.
  std::array<double, kBands> air_db_per_m{};

  Shoebox Band(int band) const { return {size_m, absorption[band]}; }
};

// Attenuation of sound in air at 101.325 kPa, decibels a metre: ISO 9613-1:1993, equations 3 to 5.
// frequency > 0, temperature in [-20, 50] degrees Celsius, relative humidity in [10, 100] per cent.
double AirAttenuationDbPerMetre(double frequency_hz, double celsius = 20.0, double relative_humidity = 50.0);

// As Validate(Shoebox): names absorption[band].wall, or air_db_per_m[band] outside [0, 1].
absl::Status Validate(const BandedRoom& room);
absl::Status Validate(const BandedRoom& room, Vec3 source_m, Vec3 listener_m);

// Amplitude weights of the bands at the bins k sample_rate / n_fft, k = 0 .. n_fft / 2: [band, bins].
std::vector<float> BandWeights(size_t n_fft, int sample_rate);

}  // namespace auricle::sim
