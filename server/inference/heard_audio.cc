#include "server/inference/heard_audio.h"

#include <new>
#include <utility>

#include "server/runtime/error_details.h"

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
    encoded_ = DecodeAndEncode(model);
    payload_.pieces.clear();
  }
  if (!encoded_.ok()) return encoded_.status();
  return Result{.encoded = *encoded_, .reused = reused};
}

absl::StatusOr<std::shared_ptr<const EncodedAudio>> HeardAudio::DecodeAndEncode(InferenceModel& model) const {
  try {
    const absl::StatusOr<audio::FoaClip> clip =
        DecodePayload(payload_, static_cast<int>(model.Info().sample_rate_hz()), max_seconds_);
    if (!clip.ok()) return clip.status();
    return model.Encode(*clip);
  } catch (const std::bad_alloc&) {
    // One long clip at a high rate must not take the server down with it.
    return ErrorWithReason(absl::StatusCode::kResourceExhausted, "OUT_OF_MEMORY", "no memory for the audio");
  }
}

}  // namespace auricle::server
