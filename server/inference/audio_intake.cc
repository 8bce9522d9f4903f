#include "server/inference/audio_intake.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/audio/audio_file.h"
#include "model/audio/resample.h"
#include "server/runtime/error_details.h"

namespace auricle::server {
namespace {

static_assert(std::endian::native == std::endian::little, "PCM on the wire is little-endian and is copied as it is");

// A span may end past the audio by rounding of a client's arithmetic.
constexpr double kSpanSlackSeconds = 1e-3;

absl::StatusOr<audio::FoaFormat> FormatOf(v1::FoaFormat format, absl::string_view field) {
  switch (format) {
    case v1::FOA_FORMAT_AMBIX:
      return audio::FoaFormat::kAmbiX;
    case v1::FOA_FORMAT_FUMA:
      return audio::FoaFormat::kFuMa;
    case v1::FOA_FORMAT_N3D:
      return audio::FoaFormat::kN3D;
    default:
      return InvalidField("FOA_FORMAT_INVALID", field,
                          "must be FOA_FORMAT_AMBIX, FOA_FORMAT_FUMA or FOA_FORMAT_N3D; it is never guessed");
  }
}

absl::Status CheckRate(int64_t rate, absl::string_view field) {
  if (rate >= audio::kMinSampleRate && rate <= audio::kMaxSampleRate) return absl::OkStatus();
  return InvalidField("SAMPLE_RATE_OUT_OF_RANGE", field,
                      absl::StrCat(rate, " Hz; must be ", audio::kMinSampleRate, " to ", audio::kMaxSampleRate));
}

absl::Status CheckChannels(int64_t channels, absl::string_view field) {
  if (channels == audio::kFoaChannels) return absl::OkStatus();
  return InvalidField("CHANNELS_NOT_FOUR", field,
                      absl::StrCat(channels, " channels; must be 4 (first-order ambisonics)"));
}

absl::Status TooLong(absl::string_view field, double seconds, double max_seconds) {
  return OverLimit("CLIP_TOO_LONG", field,
                   absl::StrFormat("%.3f s of audio; at most %g s (max_clip_seconds)", seconds, max_seconds),
                   "max_clip_seconds", absl::StrCat(max_seconds));
}

absl::Status CheckLongEnough(double seconds, absl::string_view field) {
  if (seconds >= kMinAudioSeconds - 1e-9) return absl::OkStatus();
  return InvalidField("AUDIO_TOO_SHORT", field,
                      absl::StrFormat("%.4g s of audio; must be at least %g s", seconds, kMinAudioSeconds));
}

// model/audio names its fields as "field: what is wrong"; here they become paths of the request.
absl::Status FromAudioRoom(const absl::Status& status, const AudioPayload& payload, double max_seconds) {
  if (status.code() != absl::StatusCode::kInvalidArgument) return status;
  const absl::string_view message = status.message();
  if (absl::StartsWith(status.message(), "duration:")) {
    return OverLimit("CLIP_TOO_LONG", payload.field, absl::StrCat("more than ", max_seconds, " s of audio"),
                     "max_clip_seconds", absl::StrCat(max_seconds));
  }
  const size_t colon = message.find(": ");
  return InvalidField(absl::StartsWith(message, "level:") ? "AUDIO_OUT_OF_RANGE" : "AUDIO_UNREADABLE", payload.field,
                      colon == absl::string_view::npos ? message : message.substr(colon + 2));
}

// [frames, 4], full scale +-1.
std::vector<float> ToFloat(const AudioPayload& payload) {
  size_t bytes = 0;
  for (const Bytes& piece : payload.pieces) bytes += piece.view.size();
  if (payload.layout.encoding == v1::AUDIO_ENCODING_PCM_S16LE) {
    std::vector<int16_t> raw(bytes / sizeof(int16_t));
    char* to = reinterpret_cast<char*>(raw.data());
    for (const Bytes& piece : payload.pieces) to = std::copy(piece.view.begin(), piece.view.end(), to);
    std::vector<float> samples(raw.size());
    for (size_t i = 0; i < raw.size(); ++i) samples[i] = static_cast<float>(raw[i]) / 32767.0f;
    return samples;
  }
  std::vector<float> samples(bytes / sizeof(float));
  char* to = reinterpret_cast<char*>(samples.data());
  for (const Bytes& piece : payload.pieces) to = std::copy(piece.view.begin(), piece.view.end(), to);
  return samples;
}

absl::StatusOr<audio::FoaClip> Cut(const audio::FoaClip& clip, double start_seconds, double end_seconds) {
  const size_t first = static_cast<size_t>(std::llround(start_seconds * clip.sample_rate));
  const size_t last = std::min(clip.frames(), static_cast<size_t>(std::llround(end_seconds * clip.sample_rate)));
  if (first >= last) return absl::InvalidArgumentError("data: the file ends before the span begins");
  audio::FoaClip part{.sample_rate = clip.sample_rate, .samples = {}};
  part.samples.reserve((last - first) * audio::kFoaChannels);
  for (int c = 0; c < audio::kFoaChannels; ++c) {
    const std::span<const float> channel = clip.channel(c).subspan(first, last - first);
    part.samples.insert(part.samples.end(), channel.begin(), channel.end());
  }
  return part;
}

absl::StatusOr<AudioPayload> InspectPcm(v1::AudioClip&& clip, AudioPayload payload, const v1::TimeSpan* span,
                                        double max_seconds) {
  if (absl::Status status = CheckRate(clip.sample_rate_hz(), "audio.sample_rate_hz"); !status.ok()) return status;
  if (absl::Status status = CheckChannels(clip.channels(), "audio.channels"); !status.ok()) return status;
  payload.layout.sample_rate = static_cast<int>(clip.sample_rate_hz());
  const size_t frame_bytes = payload.layout.frame_bytes();
  if (clip.data().size() % frame_bytes != 0) {
    return InvalidField("PARTIAL_FRAME", payload.field,
                        absl::StrCat(clip.data().size(), " bytes; must be a multiple of ", frame_bytes,
                                     " (4 channels of ", frame_bytes / 4, " bytes)"));
  }
  const size_t frames = clip.data().size() / frame_bytes;
  const double seconds = static_cast<double>(frames) / payload.layout.sample_rate;
  if (seconds > max_seconds) return TooLong(payload.field, seconds, max_seconds);
  if (absl::Status status = CheckLongEnough(seconds, payload.field); !status.ok()) return status;
  const absl::StatusOr<ResolvedSpan> part = ResolveSpan(span, 0, seconds, "span");
  if (!part.ok()) return part.status();
  payload.start_seconds = part->start_seconds;
  payload.end_seconds = part->end_seconds;
  const size_t first = static_cast<size_t>(std::llround(part->start_seconds * payload.layout.sample_rate));
  const size_t last =
      std::min(frames, static_cast<size_t>(std::llround(part->end_seconds * payload.layout.sample_rate)));
  auto data = std::make_shared<const std::string>(std::move(*clip.mutable_data()));
  const absl::string_view view = absl::string_view(*data).substr(first * frame_bytes, (last - first) * frame_bytes);
  payload.pieces.push_back(Bytes{.owner = std::move(data), .view = view});
  return payload;
}

absl::StatusOr<AudioPayload> InspectFile(v1::AudioClip&& clip, AudioPayload payload, const v1::TimeSpan* span,
                                         double max_seconds) {
  if (clip.channels() != 0) {
    if (absl::Status status = CheckChannels(clip.channels(), "audio.channels"); !status.ok()) return status;
  }
  const absl::StatusOr<audio::AudioFileInfo> info = audio::InspectAudioBytes(clip.data());
  if (!info.ok()) return FromAudioRoom(info.status(), payload, max_seconds);
  if (absl::Status status = CheckChannels(info->channels, payload.field); !status.ok()) return status;
  if (absl::Status status = CheckRate(info->sample_rate, payload.field); !status.ok()) return status;
  if (clip.sample_rate_hz() != 0 && clip.sample_rate_hz() != static_cast<uint32_t>(info->sample_rate)) {
    return InvalidField("SAMPLE_RATE_MISMATCH", "audio.sample_rate_hz",
                        absl::StrCat(clip.sample_rate_hz(), " Hz; must be 0 or the file's own ", info->sample_rate));
  }
  payload.layout.sample_rate = info->sample_rate;
  // A file that does not say how long it is counts as the longest that is allowed; decoding is bounded all the same.
  const double seconds = info->frames >= 0 ? static_cast<double>(info->frames) / info->sample_rate : max_seconds;
  if (seconds > max_seconds) return TooLong(payload.field, seconds, max_seconds);
  if (absl::Status status = CheckLongEnough(seconds, payload.field); !status.ok()) return status;
  const absl::StatusOr<ResolvedSpan> part = ResolveSpan(span, 0, seconds, "span");
  if (!part.ok()) return part.status();
  payload.start_seconds = part->start_seconds;
  payload.end_seconds = part->end_seconds;
  auto data = std::make_shared<const std::string>(std::move(*clip.mutable_data()));
  const absl::string_view view = *data;
  payload.pieces.push_back(Bytes{.owner = std::move(data), .view = view});
  return payload;
}

}  // namespace

absl::StatusOr<AudioPayload> InspectClip(v1::AudioClip&& clip, const v1::TimeSpan* span, double max_seconds) {
  AudioPayload payload;
  payload.field = "audio.data";
  const absl::StatusOr<audio::FoaFormat> format = FormatOf(clip.format(), "audio.format");
  if (!format.ok()) return format.status();
  payload.layout.format = *format;
  payload.layout.encoding = clip.encoding();
  if (clip.data().empty()) {
    return InvalidField("AUDIO_EMPTY", "audio.data",
                        absl::StrCat("no samples; must be at least ", kMinAudioSeconds, " s"));
  }
  switch (clip.encoding()) {
    case v1::AUDIO_ENCODING_PCM_F32LE:
    case v1::AUDIO_ENCODING_PCM_S16LE:
      return InspectPcm(std::move(clip), std::move(payload), span, max_seconds);
    case v1::AUDIO_ENCODING_FILE:
      return InspectFile(std::move(clip), std::move(payload), span, max_seconds);
    default:
      return InvalidField("ENCODING_INVALID", "audio.encoding",
                          "must be AUDIO_ENCODING_PCM_F32LE, AUDIO_ENCODING_PCM_S16LE or AUDIO_ENCODING_FILE");
  }
}

absl::StatusOr<PcmLayout> InspectStreamConfig(const v1::StreamConfig& config) {
  const absl::StatusOr<audio::FoaFormat> format = FormatOf(config.format(), "config.format");
  if (!format.ok()) return format.status();
  if (config.encoding() != v1::AUDIO_ENCODING_PCM_F32LE && config.encoding() != v1::AUDIO_ENCODING_PCM_S16LE) {
    return InvalidField("ENCODING_INVALID", "config.encoding",
                        "a stream takes AUDIO_ENCODING_PCM_F32LE or AUDIO_ENCODING_PCM_S16LE");
  }
  if (absl::Status status = CheckRate(config.sample_rate_hz(), "config.sample_rate_hz"); !status.ok()) return status;
  if (absl::Status status = CheckChannels(config.channels(), "config.channels"); !status.ok()) return status;
  return PcmLayout{
      .format = *format, .encoding = config.encoding(), .sample_rate = static_cast<int>(config.sample_rate_hz())};
}

absl::Status InspectChunk(absl::string_view data, const PcmLayout& layout, uint64_t first_frame) {
  const size_t frame_bytes = layout.frame_bytes();
  if (data.size() % frame_bytes != 0) {
    return InvalidField("PARTIAL_FRAME", "audio.data",
                        absl::StrCat(data.size(), " bytes; must be a multiple of ", frame_bytes, " (4 channels of ",
                                     frame_bytes / 4, " bytes)"));
  }
  if (layout.encoding != v1::AUDIO_ENCODING_PCM_F32LE) return absl::OkStatus();
  for (size_t i = 0; i < data.size(); i += sizeof(float)) {
    float sample;
    std::memcpy(&sample, data.data() + i, sizeof(float));
    if (std::abs(sample) <= audio::kMaxSample) continue;
    const uint64_t frame = first_frame + i / frame_bytes;
    if (!std::isfinite(sample)) {
      return InvalidField("AUDIO_NOT_FINITE", "audio.data",
                          absl::StrCat("frame ", frame, " of the stream is NaN or infinite; samples must be finite"));
    }
    return InvalidField("AUDIO_OUT_OF_RANGE", "audio.data",
                        absl::StrCat("frame ", frame, " of the stream has a sample of ", sample, "; must be within +-",
                                     audio::kMaxSample, " (full scale is 1)"));
  }
  return absl::OkStatus();
}

absl::StatusOr<ResolvedSpan> ResolveSpan(const v1::TimeSpan* span, double available_start, double available_end,
                                         absl::string_view field) {
  ResolvedSpan resolved{.start_seconds = available_start, .end_seconds = available_end};
  if (span == nullptr) return resolved;
  const std::string range = absl::StrFormat("%.3f to %.3f s", available_start, available_end);
  // Negated comparisons, so that NaN fails them.
  if (!(span->start_seconds() >= available_start - kSpanSlackSeconds && span->start_seconds() < available_end)) {
    return InvalidField("SPAN_OUT_OF_RANGE", absl::StrCat(field, ".start_seconds"),
                        absl::StrCat(span->start_seconds(), " s; must lie in the audio, ", range));
  }
  resolved.start_seconds = std::max(available_start, span->start_seconds());
  if (span->end_seconds() != 0) {
    if (!(span->end_seconds() > span->start_seconds() && span->end_seconds() <= available_end + kSpanSlackSeconds)) {
      return InvalidField("SPAN_OUT_OF_RANGE", absl::StrCat(field, ".end_seconds"),
                          absl::StrCat(span->end_seconds(), " s; must be after start_seconds and lie in the audio, ",
                                       range, ", or be 0 for its end"));
    }
    resolved.end_seconds = std::min(available_end, span->end_seconds());
  }
  if (absl::Status status = CheckLongEnough(resolved.end_seconds - resolved.start_seconds, field); !status.ok()) {
    return status;
  }
  return resolved;
}

absl::StatusOr<audio::FoaClip> DecodePayload(const AudioPayload& payload, int rate, double max_seconds) {
  absl::StatusOr<audio::FoaClip> clip;
  if (payload.layout.encoding == v1::AUDIO_ENCODING_FILE) {
    audio::AudioReadLimits limits;
    limits.max_seconds = max_seconds;
    limits.max_channels = audio::kFoaChannels;
    absl::StatusOr<audio::AudioBuffer> buffer =
        audio::ReadAudioBytes({payload.pieces.at(0).view.data(), payload.pieces.at(0).view.size()}, limits);
    if (!buffer.ok()) return FromAudioRoom(buffer.status(), payload, max_seconds);
    clip = audio::FromInterleaved(buffer->interleaved, buffer->channels, buffer->sample_rate, payload.layout.format);
    if (clip.ok()) clip = Cut(*clip, payload.start_seconds, payload.end_seconds);
  } else {
    clip = audio::FromInterleaved(ToFloat(payload), audio::kFoaChannels, payload.layout.sample_rate,
                                  payload.layout.format);
  }
  if (!clip.ok()) return FromAudioRoom(clip.status(), payload, max_seconds);
  if (absl::Status status = CheckLongEnough(clip->seconds(), payload.field); !status.ok()) return status;
  clip = audio::ResampleFoa(*clip, rate);
  if (!clip.ok()) return FromAudioRoom(clip.status(), payload, max_seconds);
  return clip;
}

}  // namespace auricle::server
