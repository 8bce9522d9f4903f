// What a shoebox sounds like after its echoes have become too dense to tell apart: Gaussian noise in four channels
// under the energy of the room's own images (echogram.h).
//
// Channels: a field with equal energy from everywhere has covariance diag(1, 1/3, 1/3, 1/3) in W, Y, Z, X (SN3D), and
// all four are drawn jointly: giving each its own decay or copying one to all would be a direction that is not there.
//
// Shaping: the noise is drawn as short-time spectra, one frame of stationary noise for every 8 ms under a root-Hann
// window of 16 ms, so the energies of neighbouring frames cross over along a Hann window and a frame has no edges to
// fold. The bands' amplitudes, square roots of their envelopes, are blended over frequency as those of the early images
// are (bands.h). One drawing serves all bands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "model/audio/foa.h"

namespace auricle::sim {

// Samples from one frame of the late field to the next: about 8 ms. Envelopes are given at multiples of it.
size_t LateFieldHop(int sample_rate);

// Where the late field begins: nothing before `start`, all from `end` on, sin^2 of the energy between. Seconds.
struct FadeIn {
  double start_seconds = 0.0;
  double end_seconds = 0.0;
};

// Adds the late field to a clip: `energies` [bands][times] are those of CrossOverEnergies at a step of
// LateFieldHop(clip.sample_rate), 0 past their end; bands above half of the rate are not looked at. The stream is named
// by `key`. INTERNAL when the transform fails.
absl::Status AddLateField(std::span<const std::vector<double>> energies, FadeIn fade, uint64_t key,
                          audio::FoaClip& clip);

}  // namespace auricle::sim
