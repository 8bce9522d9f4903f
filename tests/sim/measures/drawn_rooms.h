// Random rooms as scenes have them, and the energy of all their images, taken incoherently and one by one: what the
// hybrid's late field must decay like.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/room/shoebox.h"

namespace auricle::sim {

struct DrawnRoom {
  Shoebox room;
  Vec3 source, listener;
  double seconds = 0.0;  // Eyring's time
};

// Walls that differ, from dead to live (0.1 to 1 s).
DrawnRoom DrawOne(uint64_t index);

// Long enough for T30, short enough for ten million images.
double CountableSeconds(const DrawnRoom& drawn);

// Incoherent energy of all images of a room [times], one cell every `step` seconds, by the exact list.
std::vector<double> AllImages(const Shoebox& room, Vec3 source, Vec3 listener, double seconds, double step);

// A response whose square is the energy has the energy's decay.
std::vector<float> Roots(const std::vector<double>& energy);

// The hybrid's decay against that of all images. Three things are kept out: the pile-up of all-positive gains at low
// frequencies, which images summed as amplitudes have by nature, by listening about a quarter of the rate; the spread
// of one drawing of noise, by the mean over keys and over W and the three axes (X2 + Y2 + Z2 is W2 on average); and the
// single steps of flutter echoes, which are finer than the late field's frames of 16 ms.
struct DecayComparison {
  double t30_ratio = 0.0;  // hybrid over all images
  // Difference of the decay curves from 10 ms on, every 5 ms until all images have fallen by 35 dB.
  double worst_db = 0.0;
  double worst_at_seconds = 0.0;
  int compared = 0;
};
// Errors of RenderRoom, or of T30 where a decay is too short.
absl::StatusOr<DecayComparison> CompareWithAllImages(const DrawnRoom& drawn);

}  // namespace auricle::sim
