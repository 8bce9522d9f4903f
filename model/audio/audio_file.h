// Reading and writing audio files (libsndfile): WAV, FLAC, OGG (Vorbis, Opus), CAF, AIFF, MP3.
//
// Files are input from strangers: every size is checked against AudioReadLimits before memory is taken, because a
// header may lie; and what cannot be decoded becomes a Status that says why. All functions are thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/audio/foa.h"

namespace auricle::audio {

// Samples as the file has them; +-1 is full scale, float files may go past it, up to kMaxSample (foa.h).
struct AudioBuffer {
  int sample_rate = 0;  // Hz
  int channels = 0;
  std::vector<float> interleaved;  // [frames, channels]

  size_t frames() const { return channels > 0 ? interleaved.size() / channels : 0; }
};

// What a file may ask for. A file past a limit is INVALID_ARGUMENT naming `duration`, `channels` or `sample_rate_hz`.
struct AudioReadLimits {
  double max_seconds = 3600;
  int max_channels = 64;
  int min_sample_rate = 1;
  int max_sample_rate = 1'000'000;  // what the resampler and FromInterleaved accept (8-192 kHz) is checked there
};

// NOT_FOUND: no such file. PERMISSION_DENIED: cannot be opened. INVALID_ARGUMENT: not an audio file, no frames, past a
// limit, NaN or infinity, a sample past kMaxSample (`level`), or damaged: what is decoded stops before the length that
// the header promises.
absl::StatusOr<AudioBuffer> ReadAudioFile(const std::string& path, const AudioReadLimits& limits = {});

// The same for a whole file in memory. `bytes` is only read.
absl::StatusOr<AudioBuffer> ReadAudioBytes(std::string_view bytes, const AudioReadLimits& limits = {});

// What a file's header says, before anything is decoded; it may lie. INVALID_ARGUMENT: not an audio file.
struct AudioFileInfo {
  int sample_rate = 0;  // Hz
  int channels = 0;
  int64_t frames = 0;  // -1: the header does not say
};
absl::StatusOr<AudioFileInfo> InspectAudioBytes(std::string_view bytes);

// A four-channel file as a FOA clip: ReadAudioFile + FromInterleaved.
absl::StatusOr<FoaClip> ReadFoaFile(const std::string& path, FoaFormat format, const AudioReadLimits& limits = {});

// The same for a whole file in memory.
absl::StatusOr<FoaClip> ReadFoaBytes(std::string_view bytes, FoaFormat format, const AudioReadLimits& limits = {});

// How a WAV file holds its samples: float is exact; integers of 16 bit are what older programs expect, and clip.
enum class WavSamples { kFloat, kInt16 };

// Writes AmbiX W, Y, Z, X, by extension: `.wav` or `.flac` (24 bit; values past full scale clip).
// Written under a temporary name and renamed, so that a reader never sees half a file.
// INVALID_ARGUMENT: another extension or an empty clip. UNAVAILABLE: the disk refused.
absl::Status WriteFoaFile(const std::string& path, const FoaClip& clip, WavSamples wav = WavSamples::kFloat);

// Bits of a FLAC's sample.
enum class FlacDepth { k16, k24 };

// The same as FLAC bytes in memory, for messages and archives.
absl::StatusOr<std::string> EncodeFoaFlac(const FoaClip& clip, FlacDepth depth = FlacDepth::k24);

}  // namespace auricle::audio
