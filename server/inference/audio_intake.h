// Where audio from strangers enters: every check on it is here, in two steps.
//
//   1. Inspect: from sizes and headers alone. Cheap enough for a network thread, and done before a request is admitted.
//   2. Decode: bytes to a FOA clip at the model's rate, on the engine's thread once the request's turn has come.
//
// Clips and streams share step 2: the same bytes give the same clip, however they arrived.
// Errors are INVALID_ARGUMENT (or RESOURCE_EXHAUSTED for too much audio) with the field named, see error_details.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "auricle/v1/audio.pb.h"
#include "auricle/v1/inference.pb.h"
#include "model/audio/foa.h"

namespace auricle::server {

// Shorter audio than this has nothing that could be heard on a grid of 10 Hz.
inline constexpr double kMinAudioSeconds = 0.1;

// Bytes and what keeps them alive.
struct Bytes {
  std::shared_ptr<const void> owner;
  absl::string_view view;
};

// How PCM is laid out. A frame is one sample of each of the four channels.
struct PcmLayout {
  audio::FoaFormat format = audio::FoaFormat::kAmbiX;
  v1::AudioEncoding encoding = v1::AUDIO_ENCODING_PCM_F32LE;
  int sample_rate = 16000;  // Hz

  size_t frame_bytes() const { return encoding == v1::AUDIO_ENCODING_PCM_S16LE ? 8 : 16; }
};

// Audio that is known to be acceptable as far as can be told without decoding it.
struct AudioPayload {
  PcmLayout layout;           // encoding FILE: sample_rate is the file's
  std::vector<Bytes> pieces;  // PCM: whole frames together, in order; FILE: one piece, the file
  double start_seconds = 0;   // where the audio that was asked about lies, on the clip's or stream's clock
  double end_seconds = 0;
  std::string field;  // "audio.data": named by errors

  double seconds() const { return end_seconds - start_seconds; }
};

// Takes the bytes out of `clip`. `span`: null, or the part that is asked about. max_seconds:
// ServerLimits.max_clip_seconds.
absl::StatusOr<AudioPayload> InspectClip(v1::AudioClip&& clip, const v1::TimeSpan* span, double max_seconds);

// The audio of a stream, as its StreamConfig declares it.
absl::StatusOr<PcmLayout> InspectStreamConfig(const v1::StreamConfig& config);

// A chunk: whole frames, no NaN, no infinity, nothing past audio::kMaxSample. `first_frame` is its place on the
// stream's clock, for the message.
absl::Status InspectChunk(absl::string_view data, const PcmLayout& layout, uint64_t first_frame);

// A span in audio that reaches from `available_start` to `available_end` seconds. Fills in the end. `field` is the
// span's path. Absent (null) means all of it.
struct ResolvedSpan {
  double start_seconds = 0;
  double end_seconds = 0;
};
absl::StatusOr<ResolvedSpan> ResolveSpan(const v1::TimeSpan* span, double available_start, double available_end,
                                         absl::string_view field);

// The clip that was asked about, AmbiX, at `rate` Hz. max_seconds bounds what a file may unfold to.
absl::StatusOr<audio::FoaClip> DecodePayload(const AudioPayload& payload, int rate, double max_seconds);

}  // namespace auricle::server
