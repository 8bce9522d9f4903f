#include "model/audio/resample.h"

#include <soxr.h>

#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"

namespace auricle::audio {

absl::Status ValidateSampleRate(double sample_rate_hz) {
  if (sample_rate_hz >= kMinSampleRate && sample_rate_hz <= kMaxSampleRate) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("sample_rate_hz: ", sample_rate_hz, "; must be ", kMinSampleRate, " to ", kMaxSampleRate));
}

absl::StatusOr<std::vector<float>> Resample(std::span<const float> mono, double from_hz, double to_hz) {
  if (absl::Status status = ValidateSampleRate(from_hz); !status.ok()) return status;
  if (absl::Status status = ValidateSampleRate(to_hz); !status.ok()) return status;
  if (from_hz == to_hz || mono.empty()) return std::vector<float>(mono.begin(), mono.end());

  const size_t out_frames = static_cast<size_t>(std::llround(static_cast<double>(mono.size()) * to_hz / from_hz));
  std::vector<float> out(out_frames, 0.0f);
  if (out_frames == 0) return out;
  const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
  const soxr_quality_spec_t quality =
      soxr_quality_spec(SOXR_HQ, SOXR_ROLLOFF_NONE);         // or the pass band droops by 0.01 dB
  const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);  // one thread: callers run several of these at once
  size_t used = 0, made = 0;
  const soxr_error_t error = soxr_oneshot(from_hz, to_hz, 1, mono.data(), mono.size(), &used, out.data(), out.size(),
                                          &made, &io, &quality, &runtime);
  if (error != nullptr) return absl::InternalError(absl::StrCat("resampling failed: ", soxr_strerror(error)));
  // soxr may end one sample early when the length is not a whole number; that sample stays zero.
  return out;
}

absl::StatusOr<FoaClip> ResampleFoa(const FoaClip& clip, int to_hz) {
  if (absl::Status status = ValidateSampleRate(to_hz); !status.ok()) return status;
  FoaClip out{.sample_rate = to_hz, .samples = {}};
  for (int c = 0; c < kFoaChannels; ++c) {
    absl::StatusOr<std::vector<float>> channel = Resample(clip.channel(c), clip.sample_rate, to_hz);
    if (!channel.ok()) return channel.status();
    if (c == 0) out.samples.reserve(kFoaChannels * channel->size());
    out.samples.insert(out.samples.end(), channel->begin(), channel->end());
  }
  return out;
}

}  // namespace auricle::audio
