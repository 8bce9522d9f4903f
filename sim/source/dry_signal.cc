#include "sim/source/dry_signal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "model/audio/resample.h"

namespace auricle::sim {
namespace {

constexpr double kFrameSeconds = 0.02;
constexpr double kFadeSeconds = 0.005;
constexpr double kActiveRangeDb = 20.0;
constexpr double kNearSilenceDb = 50.0;
constexpr double kLowestHz = 20.0;  // below hearing: DC and handling rumble of old files
constexpr double kSilence = 1e-7;   // RMS; below the last bit of 16-bit audio by 50 dB

size_t FrameLength(int sample_rate) {
  return std::max<size_t>(1, static_cast<size_t>(std::lround(kFrameSeconds * sample_rate)));
}

// Energy of each frame of 20 ms; the last may be shorter.
std::vector<double> FrameEnergies(std::span<const float> signal, size_t frame) {
  std::vector<double> energies((signal.size() + frame - 1) / frame, 0.0);
  for (size_t i = 0; i < signal.size(); ++i) energies[i / frame] += static_cast<double>(signal[i]) * signal[i];
  return energies;
}

// The mean of the channels, over frames [begin, end).
std::vector<float> MixToMono(const audio::AudioBuffer& recording, size_t begin, size_t end) {
  const size_t channels = static_cast<size_t>(recording.channels);
  std::vector<float> mono(end - begin);
  for (size_t i = 0; i < mono.size(); ++i) {
    double sum = 0;
    for (size_t c = 0; c < channels; ++c) sum += recording.interleaved[(begin + i) * channels + c];
    mono[i] = static_cast<float>(sum / static_cast<double>(channels));
  }
  return mono;
}

// Butterworth high-pass of 4th order in place, as two second-order sections (bilinear transform; Zoelzer, "DAFX"
// (2011), table 2.2). The filter starts at rest on the signal's mean, so that a constant offset does not ring.
void HighPass(std::vector<float>& signal, int sample_rate, double cutoff_hz) {
  if (signal.empty()) return;
  double mean = 0;
  for (const float x : signal) mean += x;
  mean /= static_cast<double>(signal.size());
  const double k = std::tan(std::numbers::pi * std::min(cutoff_hz / sample_rate, 0.45));
  constexpr std::array<double, 2> kQualities = {0.54119610014619712,
                                                1.3065629648763764};  // 1 / (2 cos(pi/8)), (3 pi/8)
  for (size_t section = 0; section < kQualities.size(); ++section) {
    const double q = kQualities[section];
    const double norm = k * k * q + k + q;
    const double b0 = q / norm, b1 = -2 * b0, a1 = 2 * q * (k * k - 1) / norm, a2 = (k * k * q - k + q) / norm;
    const double offset = section == 0 ? mean : 0.0;
    double s1 = 0, s2 = 0;  // transposed direct form II
    for (float& sample : signal) {
      const double x = sample - offset;
      const double y = b0 * x + s1;
      s1 = b1 * x - a1 * y + s2;
      s2 = b0 * x - a2 * y;
      sample = static_cast<float>(y);
    }
  }
}

// [begin, end) of what is left without near-silence at both ends.
std::pair<size_t, size_t> AudibleRange(std::span<const float> signal, size_t frame) {
  const std::vector<double> energies = FrameEnergies(signal, frame);
  const double loudest = *std::max_element(energies.begin(), energies.end());
  const double floor = loudest * std::pow(10.0, -kNearSilenceDb / 10);
  const auto audible = [floor](double energy) { return energy > floor; };
  const size_t first = std::find_if(energies.begin(), energies.end(), audible) - energies.begin();
  const size_t last = std::find_if(energies.rbegin(), energies.rend(), audible).base() - energies.begin();
  return {first * frame, std::min(signal.size(), last * frame)};
}

// Start of the `length` samples with the most energy, on a grid of frames.
size_t LoudestStretch(std::span<const float> signal, size_t length, size_t frame) {
  const std::vector<double> energies = FrameEnergies(signal, frame);
  const size_t window = length / frame;
  double sum = 0;
  for (size_t i = 0; i < window; ++i) sum += energies[i];
  double best = sum;
  size_t start = 0;
  for (size_t i = 1; (i + window) * frame <= signal.size(); ++i) {
    sum += energies[i + window - 1] - energies[i - 1];
    if (sum > best * (1 + 1e-9)) {  // the first of equals
      best = sum;
      start = i;
    }
  }
  return start * frame;
}

void FadeEnds(std::vector<float>& signal, int sample_rate, bool at_start, bool at_end) {
  const size_t fade = std::min(signal.size() / 2, static_cast<size_t>(kFadeSeconds * sample_rate));
  for (size_t i = 0; i < fade; ++i) {
    const double gain =
        0.5 - 0.5 * std::cos(std::numbers::pi * (static_cast<double>(i) + 0.5) / static_cast<double>(fade));
    if (at_start) signal[i] *= static_cast<float>(gain);
    if (at_end) signal[signal.size() - 1 - i] *= static_cast<float>(gain);
  }
}

}  // namespace

float ActiveRms(std::span<const float> signal, int sample_rate) {
  if (signal.empty() || sample_rate <= 0) return 0.0f;
  const size_t frame = FrameLength(sample_rate);
  const std::vector<double> energies = FrameEnergies(signal, frame);
  const auto samples_in = [&](size_t i) { return std::min(frame, signal.size() - i * frame); };
  double loudest = 0;
  for (size_t i = 0; i < energies.size(); ++i)
    loudest = std::max(loudest, energies[i] / static_cast<double>(samples_in(i)));
  const double floor = loudest * std::pow(10.0, -kActiveRangeDb / 10);
  double energy = 0;
  size_t samples = 0;
  for (size_t i = 0; i < energies.size(); ++i) {
    if (energies[i] / static_cast<double>(samples_in(i)) < floor) continue;
    energy += energies[i];
    samples += samples_in(i);
  }
  return samples == 0 ? 0.0f : static_cast<float>(std::sqrt(energy / static_cast<double>(samples)));
}

absl::StatusOr<std::vector<float>> MakeDrySignal(const audio::AudioBuffer& recording, const DrySignalOptions& options) {
  const int rate = recording.sample_rate;
  const double frames = static_cast<double>(recording.frames());
  const size_t first = static_cast<size_t>(std::clamp(options.start_seconds * rate, 0.0, frames));
  const size_t last = options.end_seconds > 0 ? static_cast<size_t>(std::clamp(options.end_seconds * rate, 0.0, frames))
                                              : recording.frames();
  if (first >= last) return absl::FailedPreconditionError("the recording, or the part asked for, is empty");
  std::vector<float> mono = MixToMono(recording, first, last);
  HighPass(mono, rate, std::max(kLowestHz, options.highpass_hz));
  if (ActiveRms(mono, rate) < kSilence) return absl::FailedPreconditionError("the recording is silent");

  const size_t frame = FrameLength(rate);
  auto [begin, end] = AudibleRange(mono, frame);
  const size_t longest = std::max<size_t>(frame, static_cast<size_t>(options.max_seconds * rate));
  if (end - begin > longest) {
    begin += LoudestStretch(std::span<const float>(mono).subspan(begin, end - begin), longest, frame);
    end = std::min(end, begin + longest);
  }
  const bool cut_start = begin > 0, cut_end = end < mono.size();
  const std::span<const float> kept = std::span<const float>(mono).subspan(begin, end - begin);
  absl::StatusOr<std::vector<float>> dry = audio::Resample(kept, rate, options.sample_rate);
  if (!dry.ok()) return dry.status();
  FadeEnds(*dry, options.sample_rate, cut_start, cut_end);
  const float rms = ActiveRms(*dry, options.sample_rate);
  if (rms < kSilence) return absl::FailedPreconditionError("the recording is silent in the band that is kept");
  for (float& x : *dry) x *= kDryRms / rms;
  return dry;
}

}  // namespace auricle::sim
