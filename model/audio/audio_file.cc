#include "model/audio/audio_file.h"

#include <fcntl.h>
#include <sndfile.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "model/audio/foa.h"

namespace auricle::audio {
namespace {

constexpr sf_count_t kBlockFrames = 1 << 14;
constexpr size_t kReserveSamples =
    1 << 22;  // a header's word is good for 16 MiB; past it, memory follows what is decoded

struct SndfileCloser {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using SndfilePtr = std::unique_ptr<SNDFILE, SndfileCloser>;

// A file in memory as libsndfile's virtual IO sees it: readable, seekable; writable when `out` is set.
struct MemoryFile {
  std::string_view in;
  std::string* out = nullptr;
  sf_count_t position = 0;

  sf_count_t size() const { return static_cast<sf_count_t>(out != nullptr ? out->size() : in.size()); }

  static SF_VIRTUAL_IO Io() {
    SF_VIRTUAL_IO io;
    io.get_filelen = [](void* self) { return static_cast<MemoryFile*>(self)->size(); };
    io.tell = [](void* self) { return static_cast<MemoryFile*>(self)->position; };
    io.seek = [](sf_count_t offset, int whence, void* user) -> sf_count_t {
      auto* self = static_cast<MemoryFile*>(user);
      const sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? self->position : self->size();
      if (base + offset < 0) return -1;
      self->position = base + offset;
      return self->position;
    };
    io.read = [](void* to, sf_count_t count, void* user) -> sf_count_t {
      auto* self = static_cast<MemoryFile*>(user);
      const char* from = self->out != nullptr ? self->out->data() : self->in.data();
      const sf_count_t n = std::clamp<sf_count_t>(self->size() - self->position, 0, count);
      if (n > 0) std::memcpy(to, from + self->position, static_cast<size_t>(n));
      self->position += n;
      return n;
    };
    io.write = [](const void* from, sf_count_t count, void* user) -> sf_count_t {
      auto* self = static_cast<MemoryFile*>(user);
      if (self->out == nullptr || count < 0) return 0;
      const size_t end = static_cast<size_t>(self->position + count);
      if (self->out->size() < end) self->out->resize(end);
      std::memcpy(self->out->data() + self->position, from, static_cast<size_t>(count));
      self->position += count;
      return count;
    };
    return io;
  }
};

// Formats with a header of their own. libsndfile would also guess at some that have next to none, and then a text file
// may pass as sound.
bool IsKnownContainer(int format) {
  switch (format & SF_FORMAT_TYPEMASK) {
    case SF_FORMAT_WAV:
    case SF_FORMAT_WAVEX:
    case SF_FORMAT_RF64:
    case SF_FORMAT_W64:
    case SF_FORMAT_AIFF:
    case SF_FORMAT_AU:
    case SF_FORMAT_CAF:
    case SF_FORMAT_FLAC:
    case SF_FORMAT_OGG:
    case SF_FORMAT_MPEG:
      return true;
    default:
      return false;
  }
}

absl::Status NotAudio(const std::string& name, const char* why) {
  return absl::InvalidArgumentError(
      absl::StrCat("data: ", name, " is not an audio file that can be read (WAV, FLAC, OGG, CAF, AIFF, MP3): ", why));
}

absl::Status TooLong(const std::string& name, const AudioReadLimits& limits) {
  return absl::InvalidArgumentError(
      absl::StrCat("duration: ", name, " is longer than the limit of ", limits.max_seconds, " s"));
}

absl::StatusOr<AudioBuffer> ReadAll(SNDFILE* file, const SF_INFO& info, const std::string& name,
                                    const AudioReadLimits& limits) {
  if (!IsKnownContainer(info.format)) return NotAudio(name, "unknown container");
  if (info.samplerate < limits.min_sample_rate || info.samplerate > limits.max_sample_rate) {
    return absl::InvalidArgumentError(absl::StrCat("sample_rate_hz: ", name, " has ", info.samplerate, "; must be ",
                                                   limits.min_sample_rate, " to ", limits.max_sample_rate));
  }
  if (info.channels < 1 || info.channels > limits.max_channels) {
    return absl::InvalidArgumentError(
        absl::StrCat("channels: ", name, " has ", info.channels, "; must be 1 to ", limits.max_channels));
  }
  const double limit_frames = limits.max_seconds * info.samplerate;
  const bool length_is_known = info.frames >= 0 && info.frames < SF_COUNT_MAX;
  if (length_is_known && static_cast<double>(info.frames) > limit_frames) return TooLong(name, limits);

  AudioBuffer buffer{.sample_rate = info.samplerate, .channels = info.channels, .interleaved = {}};
  const size_t channels = static_cast<size_t>(info.channels);
  if (length_is_known)
    buffer.interleaved.reserve(std::min(kReserveSamples, static_cast<size_t>(info.frames) * channels));
  std::vector<float> block(static_cast<size_t>(kBlockFrames) * channels);
  for (;;) {
    const sf_count_t got = sf_readf_float(file, block.data(), kBlockFrames);
    if (got <= 0) break;
    if (static_cast<double>(buffer.frames() + static_cast<size_t>(got)) > limit_frames) return TooLong(name, limits);
    buffer.interleaved.insert(buffer.interleaved.end(), block.begin(), block.begin() + got * info.channels);
  }
  const bool is_flac = (info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_FLAC;
  const bool fell_short = is_flac && length_is_known && static_cast<sf_count_t>(buffer.frames()) < info.frames;
  if (sf_error(file) != SF_ERR_NO_ERROR || fell_short) {
    return absl::InvalidArgumentError(absl::StrCat("data: ", name, " is damaged or cut short: ", buffer.frames(),
                                                   length_is_known ? absl::StrCat(" of ", info.frames) : std::string(),
                                                   " frames could be decoded"));
  }
  if (buffer.interleaved.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("data: ", name, " holds no samples; at least one frame is needed"));
  }
  for (size_t i = 0; i < buffer.interleaved.size(); ++i) {
    const float sample = buffer.interleaved[i];
    if (std::abs(sample) <= kMaxSample) continue;
    if (!std::isfinite(sample)) {
      return absl::InvalidArgumentError(
          absl::StrCat("data: frame ", i / channels, " of ", name, " is NaN or infinite; samples must be finite"));
    }
    return absl::InvalidArgumentError(absl::StrCat("level: frame ", i / channels, " of ", name, " has a sample of ",
                                                   sample, "; must be within +-", kMaxSample, " (full scale is 1)"));
  }
  return buffer;
}

absl::Status CheckWritable(const FoaClip& clip) {
  if (clip.samples.empty() || clip.samples.size() % kFoaChannels != 0) {
    return absl::InvalidArgumentError("clip: no samples to write; at least one frame of 4 channels is needed");
  }
  if (clip.sample_rate < 1) return absl::InvalidArgumentError("sample_rate: must be at least 1 Hz");
  return absl::OkStatus();
}

absl::Status WriteFrames(SNDFILE* file, const FoaClip& clip) {
  sf_command(file, SFC_SET_CLIPPING, nullptr, SF_TRUE);         // or integers would wrap around
  sf_command(file, SFC_SET_ADD_PEAK_CHUNK, nullptr, SF_FALSE);  // it carries a time stamp: equal clips, equal files
  const std::vector<float> interleaved = ToInterleaved(clip);
  const sf_count_t frames = static_cast<sf_count_t>(clip.frames());
  if (sf_writef_float(file, interleaved.data(), frames) != frames) {
    return absl::UnavailableError(absl::StrCat("writing failed: ", sf_strerror(file)));
  }
  return absl::OkStatus();
}

absl::StatusOr<FoaClip> ToFoaClip(const absl::StatusOr<AudioBuffer>& buffer, FoaFormat format) {
  if (!buffer.ok()) return buffer.status();
  return FromInterleaved(buffer->interleaved, buffer->channels, buffer->sample_rate, format);
}

}  // namespace

absl::StatusOr<AudioBuffer> ReadAudioFile(const std::string& path, const AudioReadLimits& limits) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    const int error = errno;
    const std::string message = absl::StrCat(path, ": ", std::strerror(error));
    if (error == EACCES || error == EPERM) return absl::PermissionDeniedError(message);
    return absl::NotFoundError(message);
  }
  ::close(descriptor);
  // By name and not by descriptor: libsndfile 1.2 recognises some MP3 files (padded ID3 tags) by their extension only.
  SF_INFO info = {};
  const SndfilePtr file(sf_open(path.c_str(), SFM_READ, &info));
  if (file == nullptr) return NotAudio(path, sf_strerror(nullptr));
  return ReadAll(file.get(), info, path, limits);
}

absl::StatusOr<AudioBuffer> ReadAudioBytes(std::string_view bytes, const AudioReadLimits& limits) {
  MemoryFile memory{.in = bytes};
  SF_VIRTUAL_IO io = MemoryFile::Io();
  SF_INFO info = {};
  const SndfilePtr file(sf_open_virtual(&io, SFM_READ, &info, &memory));
  if (file == nullptr) return NotAudio("the audio sent", sf_strerror(nullptr));
  return ReadAll(file.get(), info, "the audio sent", limits);
}

absl::StatusOr<AudioFileInfo> InspectAudioBytes(std::string_view bytes) {
  MemoryFile memory{.in = bytes};
  SF_VIRTUAL_IO io = MemoryFile::Io();
  SF_INFO info = {};
  const SndfilePtr file(sf_open_virtual(&io, SFM_READ, &info, &memory));
  if (file == nullptr) return NotAudio("the audio sent", sf_strerror(nullptr));
  if (!IsKnownContainer(info.format)) return NotAudio("the audio sent", "unknown container");
  const bool length_is_known = info.frames >= 0 && info.frames < SF_COUNT_MAX;
  return AudioFileInfo{.sample_rate = info.samplerate,
                       .channels = info.channels,
                       .frames = length_is_known ? static_cast<int64_t>(info.frames) : -1};
}

absl::StatusOr<FoaClip> ReadFoaFile(const std::string& path, FoaFormat format, const AudioReadLimits& limits) {
  return ToFoaClip(ReadAudioFile(path, limits), format);
}

absl::StatusOr<FoaClip> ReadFoaBytes(std::string_view bytes, FoaFormat format, const AudioReadLimits& limits) {
  return ToFoaClip(ReadAudioBytes(bytes, limits), format);
}

absl::Status WriteFoaFile(const std::string& path, const FoaClip& clip, WavSamples wav) {
  if (absl::Status status = CheckWritable(clip); !status.ok()) return status;
  SF_INFO info = {};
  info.samplerate = clip.sample_rate;
  info.channels = kFoaChannels;
  if (absl::EndsWithIgnoreCase(path, ".wav")) {
    info.format = SF_FORMAT_WAV | (wav == WavSamples::kFloat ? SF_FORMAT_FLOAT : SF_FORMAT_PCM_16);
  } else if (absl::EndsWithIgnoreCase(path, ".flac")) {
    info.format = SF_FORMAT_FLAC | SF_FORMAT_PCM_24;
  } else {
    return absl::InvalidArgumentError(absl::StrCat("path: ", path, "; the extension must be .wav or .flac"));
  }
  static std::atomic<uint64_t> counter{0};  // only to keep two writers of one path apart
  const std::string temporary = absl::StrCat(path, ".", ::getpid(), ".", counter.fetch_add(1), ".part");
  {
    SNDFILE* file = sf_open(temporary.c_str(), SFM_WRITE, &info);
    if (file == nullptr) return absl::UnavailableError(absl::StrCat(path, ": ", sf_strerror(nullptr)));
    absl::Status status = WriteFrames(file, clip);
    if (sf_close(file) != 0 && status.ok())
      status = absl::UnavailableError(absl::StrCat(path, ": could not be closed"));
    if (!status.ok()) {
      std::remove(temporary.c_str());
      return status;
    }
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    std::remove(temporary.c_str());
    return absl::UnavailableError(absl::StrCat(path, ": ", std::strerror(error)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> EncodeFoaFlac(const FoaClip& clip, FlacDepth depth) {
  if (absl::Status status = CheckWritable(clip); !status.ok()) return status;
  std::string bytes;
  MemoryFile memory{.in = {}, .out = &bytes};
  SF_VIRTUAL_IO io = MemoryFile::Io();
  SF_INFO info = {};
  info.samplerate = clip.sample_rate;
  info.channels = kFoaChannels;
  info.format = SF_FORMAT_FLAC | (depth == FlacDepth::k16 ? SF_FORMAT_PCM_16 : SF_FORMAT_PCM_24);
  SNDFILE* file = sf_open_virtual(&io, SFM_WRITE, &info, &memory);
  if (file == nullptr) return absl::InternalError(absl::StrCat("FLAC encoder: ", sf_strerror(nullptr)));
  absl::Status status = WriteFrames(file, clip);
  if (sf_close(file) != 0 && status.ok()) status = absl::InternalError("FLAC encoder: could not be closed");
  if (!status.ok()) return status;
  return bytes;
}

}  // namespace auricle::audio
