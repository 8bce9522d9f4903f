#include "sim/room/bands.h"

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

std::vector<float> BandWeights(size_t n_fft, int sample_rate) {
  const size_t bins = n_fft / 2 + 1;
  std::vector<float> weights(kBands * bins);
  for (size_t k = 0; k < bins; ++k) {
    const double hz = static_cast<double>(k) * sample_rate / static_cast<double>(n_fft);
    // below[i]: share of amplitude under crossover i.
    std::array<double, kBands - 1> below;
    for (int i = 0; i < kBands - 1; ++i) {
      const double ratio = hz / kCrossoverHz[i];
      below[i] = ratio <= 0.5   ? 1.0
                 : ratio >= 2.0 ? 0.0
                                : 0.5 - 0.5 * std::sin(0.5 * std::numbers::pi * std::log2(ratio));
    }
    double taken = 0.0;
    for (int band = 0; band < kBands; ++band) {
      const double upto = band < kBands - 1 ? below[band] : 1.0;
      weights[band * bins + k] = static_cast<float>(upto - taken);
      taken = upto;
    }
  }
  return weights;
}

}  // namespace auricle::sim
