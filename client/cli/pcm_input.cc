#include "client/cli/pcm_input.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace auricle::client {
namespace {

uint32_t LittleEndian(const std::string& bytes, size_t offset, int count) {
  uint32_t value = 0;
  for (int i = count - 1; i >= 0; --i) value = value << 8 | static_cast<uint8_t>(bytes[offset + i]);
  return value;
}

// Integer samples of 1 (unsigned), 3 or 4 bytes as float in [-1, 1).
std::string ToFloat(const std::string& bytes, int bytes_per_sample) {
  std::string out(bytes.size() / bytes_per_sample * sizeof(float), '\0');
  for (size_t i = 0; i * sizeof(float) < out.size(); ++i) {
    const uint32_t raw = LittleEndian(bytes, i * bytes_per_sample, bytes_per_sample);
    // Left-aligned in 32 bits, so that the sign falls into place.
    const uint32_t aligned = bytes_per_sample == 1 ? (raw ^ 0x80) << 24 : raw << (8 * (4 - bytes_per_sample));
    const float value = static_cast<float>(static_cast<int32_t>(aligned)) / 2147483648.0f;
    std::memcpy(out.data() + i * sizeof(float), &value, sizeof value);
  }
  return out;
}

// By its magic number a file that stdin does not take.
bool IsOtherFile(const std::string& head) {
  for (const char* magic :
       {"ID3" /* MP3 */, "FORM" /* AIFF */, "RIFF" /* not WAVE */, "RIFX", "RF64", "BW64", "riff" /* W64 */}) {
    if (head.rfind(magic, 0) == 0) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<PcmInput> PcmInput::Open(int descriptor, const RawPcmFormat& raw) {
  PcmInput input(descriptor);
  absl::StatusOr<std::string> magic = input.ReadBytes(12);
  if (!magic.ok()) return magic.status();
  if (magic->empty()) return absl::InvalidArgumentError("stdin: is empty, must carry audio");
  const std::string& head = *magic;
  if (head.size() == 12 && head.substr(0, 4) == "RIFF" && head.substr(8) == "WAVE") {
    if (absl::Status status = input.ReadWavHeader(); !status.ok()) return status;
    return input;
  }
  input.ahead_ = *magic;
  if (head.substr(0, 4) == "fLaC" || head.substr(0, 4) == "OggS" || head.substr(0, 4) == "caff") {
    input.encoding_ = v1::AUDIO_ENCODING_FILE;
    return input;
  }
  if (IsOtherFile(head)) {
    return absl::InvalidArgumentError("stdin: is a file of another kind, must be WAV, FLAC, OGG, CAF or raw PCM");
  }
  input.sample_rate_hz_ = raw.sample_rate_hz;
  input.channels_ = raw.channels;
  input.encoding_ = raw.encoding;
  input.input_is_float_ = raw.encoding == v1::AUDIO_ENCODING_PCM_F32LE;
  input.input_bytes_per_sample_ = input.input_is_float_ ? 4 : 2;
  return input;
}

absl::StatusOr<std::string> PcmInput::ReadBytes(size_t bytes) {
  std::string out = ahead_.substr(0, bytes);
  ahead_.erase(0, out.size());
  while (out.size() < bytes && !ended_) {
    const size_t start = out.size();
    const size_t want = std::min<size_t>(bytes - start, 1 << 16);
    out.resize(start + want);
    const ssize_t got = read(descriptor_, out.data() + start, want);
    out.resize(start + std::max<ssize_t>(got, 0));
    if (got == 0 || (got < 0 && errno == EINTR)) {
      ended_ = true;
    } else if (got < 0) {
      return absl::UnavailableError(absl::StrCat("stdin: cannot be read: ", std::strerror(errno)));
    }
  }
  return out;
}

bool PcmInput::AtEnd() {
  if (!ahead_.empty()) return false;
  if (ended_ || bytes_left_ < uint64_t{channels_} * input_bytes_per_sample_) return true;
  pollfd waiting = {descriptor_, POLLIN, 0};
  if (poll(&waiting, 1, 0) <= 0) return false;  // nothing is there yet
  char byte = 0;
  if (read(descriptor_, &byte, 1) == 1) {
    ahead_.push_back(byte);
  } else {
    ended_ = true;
  }
  return ended_;
}

absl::Status PcmInput::ReadWavHeader() {
  const auto broken = [](const std::string& why) {
    return absl::InvalidArgumentError(absl::StrCat("stdin: WAV header ", why));
  };
  bool format_seen = false;
  while (true) {
    absl::StatusOr<std::string> head = ReadBytes(8);
    if (!head.ok()) return head.status();
    if (head->size() < 8) return broken("ends before the samples");
    const std::string id = head->substr(0, 4);
    const uint32_t size = LittleEndian(*head, 4, 4);
    if (id == "data") {
      if (!format_seen) return broken("has no fmt chunk before its data");
      // A writer that cannot seek (arecord into a pipe) gives no true length: 0 or about 2 GiB and more.
      bytes_left_ = size == 0 || size >= 0x7ffff000u ? UINT64_MAX : size;
      return absl::OkStatus();
    }
    if (size > (1u << 20)) return broken(absl::StrCat("has a chunk of ", size, " bytes before its data"));
    absl::StatusOr<std::string> chunk = ReadBytes(size + size % 2);
    if (!chunk.ok()) return chunk.status();
    if (chunk->size() < size) return broken("ends before the samples");
    if (id == "fmt ") {
      if (absl::Status status = ReadWavFormat(*chunk); !status.ok()) return status;
      format_seen = true;
    }
  }
}

absl::Status PcmInput::ReadWavFormat(const std::string& chunk) {
  if (chunk.size() < 16) return absl::InvalidArgumentError("stdin: WAV header has a fmt chunk that is too short");
  constexpr uint32_t kPcm = 1, kFloat = 3, kExtensible = 0xfffe;
  uint32_t format = LittleEndian(chunk, 0, 2);
  // WAVE_FORMAT_EXTENSIBLE: the format proper opens the sub-format GUID at byte 24.
  if (format == kExtensible && chunk.size() >= 26) format = LittleEndian(chunk, 24, 2);
  channels_ = LittleEndian(chunk, 2, 2);
  sample_rate_hz_ = LittleEndian(chunk, 4, 4);
  const uint32_t bits = LittleEndian(chunk, 14, 2);
  const bool readable =
      (format == kPcm && (bits == 8 || bits == 16 || bits == 24 || bits == 32)) || (format == kFloat && bits == 32);
  if (!readable || channels_ == 0) {
    return absl::InvalidArgumentError(absl::StrCat("stdin: WAV of format ", format, ", ", bits, " bits, ", channels_,
                                                   " channels: must be PCM of 8, 16, 24 or 32 bits or 32-bit float"));
  }
  input_is_float_ = format == kFloat;
  input_bytes_per_sample_ = static_cast<int>(bits / 8);
  encoding_ = bits == 16 ? v1::AUDIO_ENCODING_PCM_S16LE : v1::AUDIO_ENCODING_PCM_F32LE;
  return absl::OkStatus();
}

absl::StatusOr<std::string> PcmInput::Read(size_t frames) {
  if (encoding_ == v1::AUDIO_ENCODING_FILE) return ReadBytes(frames);
  const uint64_t frame_bytes = uint64_t{channels_} * input_bytes_per_sample_;
  const uint64_t whole_frames_left = bytes_left_ / frame_bytes;
  absl::StatusOr<std::string> bytes = ReadBytes(std::min<uint64_t>(frames, whole_frames_left) * frame_bytes);
  if (!bytes.ok()) return bytes;
  bytes->resize(bytes->size() / frame_bytes * frame_bytes);
  if (bytes_left_ != UINT64_MAX) bytes_left_ -= bytes->size();
  if (input_is_float_ || input_bytes_per_sample_ == 2) return bytes;
  return ToFloat(*bytes, input_bytes_per_sample_);
}

}  // namespace auricle::client
