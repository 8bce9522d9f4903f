// Audio that comes in through a pipe: raw PCM as declared, or a WAV header followed by PCM (what arecord writes).
//
//   arecord -c 4 -f S16_LE -r 16000 | auricle ask - "What do you hear?"
//
// WAV of 8, 24 and 32-bit integers is turned into float; 16-bit and float samples pass as they are. Rate and channel
// count are reported, not judged: the server does that. FLAC, OGG and CAF cannot be cut by the sample here; their magic
// is recognised so that the caller can send the whole pipe as a file. Other files are refused by their magic: as PCM
// they would be noise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "auricle/v1/audio.pb.h"

namespace auricle::client {

// How to read PCM that says nothing about itself.
struct RawPcmFormat {
  uint32_t sample_rate_hz = 16000;
  uint32_t channels = 4;
  v1::AudioEncoding encoding = v1::AUDIO_ENCODING_PCM_S16LE;  // or PCM_F32LE
};

// Reads from a file descriptor that it does not own. Not thread-safe.
class PcmInput {
 public:
  // Reads up to the first sample. INVALID_ARGUMENT: nothing came, a WAV header that makes no sense, or a file of
  // another kind (MP3, AIFF, RF64, W64, ...); UNAVAILABLE: the read failed.
  static absl::StatusOr<PcmInput> Open(int descriptor, const RawPcmFormat& raw);

  uint32_t sample_rate_hz() const { return sample_rate_hz_; }
  uint32_t channels() const { return channels_; }
  // Of what Read returns: PCM_S16LE, PCM_F32LE; or FILE, where Read returns the bytes of a whole file, untouched.
  v1::AudioEncoding encoding() const { return encoding_; }

  // At most `frames` frames (for FILE: `frames` bytes), blocking until all are there; fewer at the end or when a signal
  // interrupts, none after. An incomplete last frame is dropped.
  absl::StatusOr<std::string> Read(size_t frames);

  // True once nothing more can come: the pipe has ended, or the samples of its WAV header. Does not block; a pipe whose
  // writer pauses has not ended.
  bool AtEnd();

 private:
  explicit PcmInput(int descriptor) : descriptor_(descriptor) {}
  absl::StatusOr<std::string> ReadBytes(size_t bytes);
  absl::Status ReadWavHeader();
  absl::Status ReadWavFormat(const std::string& chunk);

  int descriptor_;
  std::string ahead_;                 // read for the magic or by AtEnd, not handed out yet
  uint64_t bytes_left_ = UINT64_MAX;  // of the WAV data chunk
  bool ended_ = false;
  uint32_t sample_rate_hz_ = 0;
  uint32_t channels_ = 0;
  v1::AudioEncoding encoding_ = v1::AUDIO_ENCODING_UNSPECIFIED;
  int input_bytes_per_sample_ = 0;  // 1, 2, 3, 4
  bool input_is_float_ = false;
};

}  // namespace auricle::client
