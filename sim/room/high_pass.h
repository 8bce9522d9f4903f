// The high-pass that keeps DC out of what a room sends to the listener.
#pragma once

#include <span>

namespace auricle::sim {

// Second-order Butterworth high-pass by the bilinear transform (Oppenheim and Schafer, "Discrete-Time Signal
// Processing"), from rest, in place. hz in (0, sample_rate / 2).
void HighPass(double hz, int sample_rate, std::span<float> signal);

}  // namespace auricle::sim
