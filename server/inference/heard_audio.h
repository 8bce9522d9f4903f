// Audio that one or several questions are about. It is decoded and encoded once, by the first question that is served;
// the others pay nothing for it.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "server/inference/audio_intake.h"
#include "server/inference/engine_model.h"

namespace auricle::server {

// Shared by requests. Made on any thread; Hear and what tells its outcome are called by the engine's thread only.
class HeardAudio {
 public:
  // `max_seconds` bounds what a file may unfold to.
  HeardAudio(AudioPayload payload, double max_seconds);

  double start_seconds() const { return start_seconds_; }
  double end_seconds() const { return end_seconds_; }
  double seconds() const { return end_seconds_ - start_seconds_; }

  // What `model` heard, and whether that was known already. All requests that share this name the same model.
  // The raw bytes are freed once they are encoded; an error stays.
  struct Result {
    std::shared_ptr<const EncodedAudio> encoded;
    bool reused = false;
  };
  absl::StatusOr<Result> Hear(InferenceModel& model);
  // Heard, with or without success; before Hear, neither. The engine's thread only.
  bool heard_well() const { return heard_ && encoded_.ok(); }
  bool unhearable() const { return heard_ && !encoded_.ok(); }

 private:
  absl::StatusOr<std::shared_ptr<const EncodedAudio>> DecodeAndEncode(InferenceModel& model) const;

  const double start_seconds_, end_seconds_, max_seconds_;
  AudioPayload payload_;
  bool heard_ = false;
  absl::StatusOr<std::shared_ptr<const EncodedAudio>> encoded_;
};

}  // namespace auricle::server
