// A signal in the octave bands of bands.h, so that each can be given a gain that changes over time: what walls, air and
// the source's own pattern do to a path whose ends move.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

namespace auricle::sim {

// The bands below half of the sample rate. Their filters have no phase and ring to either side: what a signal gives
// begins before it and ends after it.
struct BandSignals {
  size_t frames = 0;                        // of the signal
  size_t lead = 0;                          // frames of ringing before it and after it
  std::vector<std::vector<float>> samples;  // [bands][lead + frames + lead]
};

// `signal` through the weight of every band; the sum of them all is the signal. Stretches without sound cost nothing
// and stay 0. INTERNAL when the transform fails.
absl::StatusOr<BandSignals> SplitIntoBands(std::span<const float> signal, int sample_rate);

}  // namespace auricle::sim
