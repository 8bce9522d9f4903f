// Frequency dependence of a room in seven octave bands: what walls, air and the source itself do around 125 Hz ... 8
// kHz. The bands' amplitude weights sum to one at every frequency, so equal bands change nothing.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "sim/room/shoebox.h"

namespace auricle::sim {

inline constexpr int kBands = 7;
// Centres of the octaves (IEC 61260-1, nominal). The first band also holds everything below its centre, the last one
// everything above.
inline constexpr std::array<double, kBands> kBandCentreHz = {125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0};
// The two octaves whose mean reverberation time is a room's: 500 Hz and 1 kHz (ISO 3382-2, T30,mid).
inline constexpr std::array<int, 2> kMidBands = {2, 3};

struct BandedRoom {
  Vec3 size_m = {6.0, 5.0, 3.0};
  // Energy absorption [band][wall], each in (0, 1].
  std::array<std::array<double, 6>, kBands> absorption{};
  // Decibels a metre, each in [0, 1].
  std::array<double, kBands> air_db_per_m{};
  // What each wall is made of: names in materials.tsv, for the record only, `absorption` is what is heard. Empty where
  // nobody said.
  std::array<std::string_view, 6> materials{};

  Shoebox Band(int band) const { return {size_m, absorption[band]}; }
};

// Attenuation of sound in air at 101.325 kPa, decibels a metre: ISO 9613-1:1993, equations 3 to 5.
// frequency > 0, temperature in [-20, 50] degrees Celsius, relative humidity in [10, 100] per cent.
double AirAttenuationDbPerMetre(double frequency_hz, double celsius = 20.0, double relative_humidity = 50.0);
// The same at every band's centre.
std::array<double, kBands> BandAirAttenuation(double celsius = 20.0, double relative_humidity = 50.0);

// As Validate(Shoebox): names absorption[band].wall, or air_db_per_m[band] outside [0, 1].
absl::Status Validate(const BandedRoom& room);
absl::Status Validate(const BandedRoom& room, Vec3 source_m, Vec3 listener_m);

// What walls can take in a room that is scaled to a reverberation time.
inline constexpr double kLeastAbsorption = 0.005, kMostAbsorption = 0.99;

// Eyring's reverberation time, mean of the two middle bands, seconds; air is left out.
double MidEyringSeconds(const BandedRoom& room);

// Reverberation times that a room of this size can have with every wall's absorption between the bounds above.
struct ReverberationRange {
  double min_seconds = 0.0;
  double max_seconds = 0.0;
};
ReverberationRange PossibleReverberation(Vec3 size_m);

// Scales all walls and bands by one factor in Eyring's exponent -ln(1 - a), so that MidEyringSeconds(room) is `seconds`
// (to 1e-6 of it) and the walls keep their differences as far as the bounds above let them.
// INVALID_ARGUMENT: the room as Validate says, or "reverberation_seconds" with the range that the room's size allows.
absl::Status ScaleToReverberation(double seconds, BandedRoom& room);

// The two neighbouring bands that share a frequency: `lower` has 1 - upper_share of the amplitude, `lower` + 1 has
// upper_share. Raised cosine in log frequency from one centre to the next. lower in [0, kBands - 2].
struct BandShare {
  int lower = 0;
  double upper_share = 0.0;
};
BandShare BandShareAt(double hz);

// How many bands have a part below half of the sample rate; the bands above it do not matter. In [1, kBands].
int BandsBelowNyquist(int sample_rate);

// Amplitude weights of the bands at the bins k sample_rate / n_fft, k = 0 .. n_fft / 2: [kBands, bins].
std::vector<float> BandWeights(size_t n_fft, int sample_rate);

}  // namespace auricle::sim
