// Arrivals whose strength differs from octave to octave, summed to one four-channel response.
//
// Each arrival is written once for every band, all bands with the same fractional delay, and each band then goes
// through its share of the spectrum (bands.h) without phase. The bands' buffers are only as long as the arrivals need,
// so that their transforms are short whatever is added to the response afterwards.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/audio/foa.h"
#include "sim/room/bands.h"
#include "sim/room/fractional_delay.h"
#include "sim/room/geometry.h"

namespace auricle::sim {

// Not thread-safe: one for each response, or for one response after the other.
class BandArrivals {
 public:
  // For arrivals before `frames` samples after emission; later ones are left out.
  BandArrivals(int sample_rate, size_t frames);

  // A sound from the unit direction, `delay` >= 0 samples after emission, with an amplitude for each band.
  void Add(double delay, Vec3 unit, const std::array<float, kBands>& gains);

  // Adds the sum over bands to `clip` (the same sample rate). What the bands' filters ring beyond its ends is left out:
  // at most kRingSeconds on either side, and nothing where the bands are equal. INTERNAL when the transform fails.
  // Afterwards nothing has arrived yet: what is kept is what every response of this length needs.
  absl::Status AddTo(audio::FoaClip& clip);

 private:
  void Flush();

  const int sample_rate_;
  const int bands_;       // those below half of the sample rate
  ArrivalBuffer buffer_;  // [bands_ * 4, frames]: W, Y, Z, X of the first band, then of the next
  std::vector<double> delays_;
  std::vector<float> gains_;  // [delays_.size(), bands_ * 4]
  const size_t n_fft_;
  const std::vector<float> weights_;  // BandWeights(n_fft_, sample_rate_)
};

// To either side of an arrival the filters' ringing has fallen below -80 dB of it after this time.
inline constexpr double kRingSeconds = 0.032;

// One arrival alone in an omnidirectional channel, as BandArrivals would render it: [frames] samples from emission.
// INTERNAL when the transform fails.
absl::StatusOr<std::vector<float>> BandArrival(int sample_rate, size_t frames, double delay,
                                               const std::array<float, kBands>& gains);

}  // namespace auricle::sim
