// From a published recording to a dry source signal: mono, tidy ends, a level that means the same for every recording.
#pragma once

#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/audio/audio_file.h"

namespace auricle::sim {

// Level of every dry signal: active RMS.
inline constexpr float kDryRms = 0.25f;
inline constexpr double kMaxDrySeconds = 12.0;

// Root mean square over the active frames of 20 ms: those within 20 dB of the loudest. A last, shorter frame counts by
// its own length. 0 for silence and for an empty signal.
float ActiveRms(std::span<const float> signal, int sample_rate);

struct DrySignalOptions {
  int sample_rate = 16000;  // Hz, 8000-192000: rate of the result
  double highpass_hz = 0;   // rumble below it is taken away (4th-order Butterworth); at least 20 Hz is always used
  double max_seconds = kMaxDrySeconds;
  double start_seconds = 0, end_seconds = 0;  // the part of the recording to use; end 0: to its end
};

// Takes the part asked for, mixes to mono (mean of the channels), high-passes, cuts leading and trailing near-silence
// (50 dB below the loudest frame), keeps the loudest `max_seconds`, resamples, fades the cut ends over 5 ms and scales
// to an active RMS of kDryRms. Peaks may go past 1: nothing is clipped.
//
// FAILED_PRECONDITION: the recording, or the part asked for, is empty or silent. INVALID_ARGUMENT: a sample rate
// outside 8-192 kHz.
absl::StatusOr<std::vector<float>> MakeDrySignal(const audio::AudioBuffer& recording, const DrySignalOptions& options);

}  // namespace auricle::sim
