// The high-pass that keeps DC out of what a room sends to the listener.
#pragma once

#include <span>

#include "model/audio/foa.h"

namespace auricle::sim {

// Second-order Butterworth high-pass by the bilinear transform (Oppenheim and Schafer, "Discrete-Time Signal
// Processing"), from rest, in place. hz in (0, sample_rate / 2).
void HighPass(double hz, int sample_rate, std::span<float> signal);
// Each channel of a clip, to the same bits and in less than half of the time of four signals.
void HighPass(double hz, audio::FoaClip& clip);

}  // namespace auricle::sim
