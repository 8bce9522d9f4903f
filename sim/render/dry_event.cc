#include "sim/render/dry_event.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "absl/strings/str_format.h"
#include "sim/room/fractional_delay.h"
#include "sim/source/dry_signal.h"

namespace auricle::sim {
namespace {

constexpr double kFadeSeconds = 0.005;
constexpr double kTiltPivotHz = 1000.0;

size_t FrameLength(int sample_rate) {
  return std::max<size_t>(1, static_cast<size_t>(kLevelFrameSeconds * sample_rate));
}

// First-order shelf around kTiltPivotHz by the bilinear transform: bass at -tilt / 2, treble at +tilt / 2.
void Tilt(double tilt_db, int sample_rate, std::span<float> signal) {
  const double treble = std::pow(10.0, tilt_db / 40.0), bass = 1.0 / treble;
  const double k = std::tan(std::numbers::pi * kTiltPivotHz / sample_rate);
  const double b0 = (bass * k + treble) / (k + 1.0), b1 = (bass * k - treble) / (k + 1.0), a1 = (k - 1.0) / (k + 1.0);
  double state = 0.0;
  for (float& sample : signal) {
    const double y = b0 * sample + state;
    state = b1 * sample - a1 * y;
    sample = static_cast<float>(y);
  }
}

void FadeEnds(bool start, bool end, int sample_rate, std::span<float> signal) {
  const size_t n = std::min(signal.size() / 2, static_cast<size_t>(kFadeSeconds * sample_rate));
  for (size_t i = 0; i < n; ++i) {
    const float gain = static_cast<float>(
        0.5 - 0.5 * std::cos(std::numbers::pi * (static_cast<double>(i) + 0.5) / static_cast<double>(n)));
    if (start) signal[i] *= gain;
    if (end) signal[signal.size() - 1 - i] *= gain;
  }
}

}  // namespace

std::vector<double> FramePowers(std::span<const float> signal, int sample_rate) {
  const size_t frame = FrameLength(sample_rate);
  std::vector<double> powers;
  powers.reserve(signal.size() / frame + 1);
  for (size_t at = 0; at < signal.size(); at += frame) {
    const size_t n = std::min(frame, signal.size() - at);
    double sum = 0.0;
    for (size_t i = 0; i < n; ++i) sum += static_cast<double>(signal[at + i]) * signal[at + i];
    powers.push_back(sum / static_cast<double>(n));
  }
  return powers;
}

absl::StatusOr<std::vector<float>> MakeEvent(std::span<const float> recording, int sample_rate,
                                             const EventShape& shape) {
  if (!(shape.speed > 0.5 && shape.speed < 2.0)) {
    return absl::InvalidArgumentError(absl::StrFormat("speed = %g is out of range (0.5, 2)", shape.speed));
  }
  if (!(std::abs(shape.tilt_db) <= 24.0)) {
    return absl::InvalidArgumentError(absl::StrFormat("tilt_db = %g is out of range [-24, 24]", shape.tilt_db));
  }
  if (!(shape.max_seconds > 0.0)) {
    return absl::InvalidArgumentError(absl::StrFormat("max_seconds = %g is out of range (0, inf)", shape.max_seconds));
  }
  if (!(shape.excerpt >= 0.0 && shape.excerpt <= 1.0)) {
    return absl::InvalidArgumentError(absl::StrFormat("excerpt = %g is out of range [0, 1]", shape.excerpt));
  }
  if (!(ActiveRms(recording, sample_rate) > 0.0f)) return absl::InvalidArgumentError("recording is silent");

  // The excerpt, in samples of the recording.
  const size_t want =
      std::max<size_t>(FrameLength(sample_rate), static_cast<size_t>(shape.max_seconds * sample_rate * shape.speed));
  size_t from = 0, length = recording.size();
  if (want < recording.size()) {
    from = static_cast<size_t>(shape.excerpt * static_cast<double>(recording.size() - want));
    // Onwards to something that sounds, or back to the start if nothing follows.
    const std::vector<double> powers = FramePowers(recording, sample_rate);
    const double threshold = *std::ranges::max_element(powers) * std::pow(10.0, -kActiveRangeDb / 10.0);
    size_t frame = from / FrameLength(sample_rate);
    if (powers[frame] < threshold) {
      while (frame < powers.size() && powers[frame] < threshold) ++frame;
      if (frame == powers.size()) frame = 0;
      from = frame * FrameLength(sample_rate);
    }
    length = std::min(want, recording.size() - from);
  }
  const std::span<const float> cut = recording.subspan(from, length);

  std::vector<float> event;
  if (shape.speed == 1.0) {
    event.assign(cut.begin(), cut.end());
  } else {
    event = PlayAtSpeed(cut, shape.speed);
  }
  if (shape.tilt_db != 0.0) Tilt(shape.tilt_db, sample_rate, event);
  FadeEnds(from > 0, from + length < recording.size(), sample_rate, event);
  const float rms = ActiveRms(event, sample_rate);
  if (!(rms > 0.0f)) return absl::InvalidArgumentError("recording is silent");
  const float gain = kDryRms / rms;
  for (float& sample : event) sample *= gain;
  return event;
}

}  // namespace auricle::sim
