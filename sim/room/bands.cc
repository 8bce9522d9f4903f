#include "sim/room/bands.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "absl/strings/str_format.h"

namespace auricle::sim {

double AirAttenuationDbPerMetre(double frequency_hz, double celsius, double relative_humidity) {
  const double kelvin = celsius + 273.15, ratio = kelvin / 293.15;
  // Molar concentration of water vapour, per cent (annex B).
  const double saturation = std::pow(10.0, -6.8346 * std::pow(273.16 / kelvin, 1.261) + 4.6151);
  const double h = relative_humidity * saturation;
  // Relaxation frequencies of oxygen and nitrogen.
  const double oxygen = 24.0 + 4.04e4 * h * (0.02 + h) / (0.391 + h);
  const double nitrogen =
      std::pow(ratio, -0.5) * (9.0 + 280.0 * h * std::exp(-4.170 * (std::pow(ratio, -1.0 / 3.0) - 1.0)));
  const double f2 = frequency_hz * frequency_hz;
  return 8.686 * f2 *
         (1.84e-11 * std::sqrt(ratio) +
          std::pow(ratio, -2.5) * (0.01275 * std::exp(-2239.1 / kelvin) / (oxygen + f2 / oxygen) +
                                   0.1068 * std::exp(-3352.0 / kelvin) / (nitrogen + f2 / nitrogen)));
}

std::array<double, kBands> BandAirAttenuation(double celsius, double relative_humidity) {
  std::array<double, kBands> attenuation;
  for (int band = 0; band < kBands; ++band) {
    attenuation[band] = AirAttenuationDbPerMetre(kBandCentreHz[band], celsius, relative_humidity);
  }
  return attenuation;
}

absl::Status Validate(const BandedRoom& room) {
  for (int band = 0; band < kBands; ++band) {
    if (absl::Status s = Validate(room.Band(band)); !s.ok()) {
      return absl::InvalidArgumentError(absl::StrFormat("band %d: %s", band, std::string(s.message())));
    }
    if (!(room.air_db_per_m[band] >= 0.0 && room.air_db_per_m[band] <= 1.0)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("air_db_per_m[%d] = %g is out of range [0, 1]", band, room.air_db_per_m[band]));
    }
  }
  return absl::OkStatus();
}

absl::Status Validate(const BandedRoom& room, Vec3 source_m, Vec3 listener_m) {
  if (absl::Status s = Validate(room); !s.ok()) return s;
  return Validate(room.Band(0), source_m, listener_m);
}

double MidEyringSeconds(const BandedRoom& room) {
  double sum = 0.0;
  for (int band : kMidBands) sum += EyringSeconds(room.Band(band));
  return sum / kMidBands.size();
}

ReverberationRange PossibleReverberation(Vec3 size_m) {
  Shoebox room = {.size_m = size_m, .absorption = {}};
  room.absorption.fill(kMostAbsorption);
  const double least = EyringSeconds(room);
  room.absorption.fill(kLeastAbsorption);
  return {least, EyringSeconds(room)};
}

absl::Status ScaleToReverberation(double seconds, BandedRoom& room) {
  if (absl::Status s = Validate(room); !s.ok()) return s;
  const ReverberationRange range = PossibleReverberation(room.size_m);
  if (!(seconds >= range.min_seconds && seconds <= range.max_seconds)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("reverberation_seconds = %g is out of range [%.3g, %.3g] for a room of %g x %g x %g m", seconds,
                        range.min_seconds, range.max_seconds, room.size_m.x, room.size_m.y, room.size_m.z));
  }
  std::array<std::array<double, 6>, kBands> exponents;
  for (int band = 0; band < kBands; ++band) {
    for (int wall = 0; wall < 6; ++wall) {
      // A wall that takes everything has no finite exponent.
      exponents[band][wall] = -std::log1p(-std::min(room.absorption[band][wall], 1.0 - 1e-12));
    }
  }
  const auto scale_band = [&](int band, double log_factor) {
    for (int wall = 0; wall < 6; ++wall) {
      room.absorption[band][wall] =
          std::clamp(-std::expm1(-std::exp(log_factor) * exponents[band][wall]), kLeastAbsorption, kMostAbsorption);
    }
  };
  // The time falls as the factor grows; at the ends every wall is at its bound.
  double low = -30.0, high = 30.0;
  for (int i = 0; i < 45; ++i) {
    const double middle = 0.5 * (low + high);
    for (int band : kMidBands) scale_band(band, middle);
    (MidEyringSeconds(room) > seconds ? low : high) = middle;
  }
  for (int band = 0; band < kBands; ++band) scale_band(band, high);
  return absl::OkStatus();
}

BandShare BandShareAt(double hz) {
  if (hz <= kBandCentreHz.front()) return {0, 0.0};
  if (hz >= kBandCentreHz.back()) return {kBands - 2, 1.0};
  const double octave = std::log2(hz / kBandCentreHz.front());
  const int lower = std::min(static_cast<int>(octave), kBands - 2);
  return {lower, 0.5 - 0.5 * std::cos(std::numbers::pi * (octave - lower))};
}

int BandsBelowNyquist(int sample_rate) {
  int bands = 1;
  while (bands < kBands && kBandCentreHz[bands - 1] < 0.5 * sample_rate) ++bands;
  return bands;
}

std::vector<float> BandWeights(size_t n_fft, int sample_rate) {
  const size_t bins = n_fft / 2 + 1;
  std::vector<float> weights(kBands * bins, 0.0f);
  for (size_t k = 0; k < bins; ++k) {
    const BandShare share = BandShareAt(static_cast<double>(k) * sample_rate / static_cast<double>(n_fft));
    weights[share.lower * bins + k] = static_cast<float>(1.0 - share.upper_share);
    weights[(share.lower + 1) * bins + k] = static_cast<float>(share.upper_share);
  }
  return weights;
}

}  // namespace auricle::sim
