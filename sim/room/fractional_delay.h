// Arrivals at fractional times, written into a multichannel response (the inner loop of all image-source rendering),
// and the other way round: a signal read at fractional times (that of everything that moves).
//
// Each arrival adds gain[c] * h(n - delay) to channel c, where h is a sinc of 32 taps under a Kaiser window (beta 7).
// The filter comes from a polyphase table of 128 phases with linear interpolation between them; below half of the
// Nyquist frequency it differs from an ideal fractional delay by less than -75 dB. The loop over taps runs on the
// widest vectors that the processor has (Highway, chosen at run time).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace auricle::sim {

inline constexpr int kDelayTaps = 32;

// [channels, lead + frames + kDelayTaps] samples, planar; time 0 is at index `lead` of each channel.
struct ArrivalBuffer {
  ArrivalBuffer(int channels, size_t frames, size_t lead = kDelayTaps);

  int channels;
  size_t frames;
  size_t lead;    // >= kDelayTaps / 2: room for the filter's onset before time 0
  size_t stride;  // samples from one channel to the next
  std::vector<float> samples;

  // Channel c from time 0 on, [frames].
  std::span<const float> channel(int c) const { return {samples.data() + c * stride + lead, frames}; }
  float* whole_channel(int c) { return samples.data() + c * stride; }
};

// Adds arrivals: delays in samples, >= 0; gains [delays.size(), buffer.channels]. Arrivals past the end are left out.
void AddArrivals(std::span<const double> delays, std::span<const float> gains, ArrivalBuffer& buffer);

// out[i] is the signal at positions[i], in samples: the sum over t of h(t - position) signal[t] with the same h.
// Every sample from floor(position) - kDelayTaps / 2 + 1 to floor(position) + kDelayTaps / 2 must exist: pad the signal
// with zeros. `out` has positions.size() samples.
void ReadAt(std::span<const float> signal, std::span<const double> positions, std::span<float> out);

// The signal read at positions 0, speed, 2 speed, ...: played faster (speed > 1) or slower, pitch follows. Silence
// beyond its ends. What a speed above 1 would push past the Nyquist frequency folds back; for the few per cent that
// this serves, that is the filter's own transition band. speed > 0.
std::vector<float> PlayAtSpeed(std::span<const float> signal, double speed);

}  // namespace auricle::sim
