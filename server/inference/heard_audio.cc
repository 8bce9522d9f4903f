#include "server/inference/heard_audio.h"

#include <utility>

namespace auricle::server {

HeardAudio::HeardAudio(AudioPayload payload, double max_seconds)
    : start_seconds_(payload.start_seconds),
      end_seconds_(payload.end_seconds),
      max_seconds_(max_seconds),
      payload_(std::move(payload)) {}

absl::StatusOr<HeardAudio::Result> HeardAudio::Hear(InferenceModel& model) {
  const bool reused = heard_;
  if (!heard_) {
    heard_ = true;
    const absl::StatusOr<audio::FoaClip> clip =
        DecodePayload(payload_, static_cast<int>(model.Info().sample_rate_hz()), max_seconds_);
    if (clip.ok()) {
      encoded_ = model.Encode(*clip);
    } else {
      encoded_ = clip.status();
    }
    payload_.pieces.clear();
  }
  if (!encoded_.ok()) return encoded_.status();
  return Result{.encoded = *encoded_, .reused = reused};
}

}  // namespace auricle::server
