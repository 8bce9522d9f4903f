#include "model/audio/foa.h"

#include <array>
#include <cmath>
#include <numbers>

#include "absl/strings/str_cat.h"
#include "model/audio/resample.h"

namespace auricle::audio {
namespace {

// Where AmbiX channel c comes from in the other convention, and its gain.
struct ChannelMap {
  std::array<int, kFoaChannels> from;
  std::array<float, kFoaChannels> gain;
};

ChannelMap MapOf(FoaFormat format) {
  constexpr float kSqrt2 = std::numbers::sqrt2_v<float>;
  constexpr float kInvSqrt3 = std::numbers::inv_sqrt3_v<float>;
  switch (format) {
    case FoaFormat::kFuMa:
      return {{0, 2, 3, 1}, {kSqrt2, 1, 1, 1}};
    case FoaFormat::kN3D:
      return {{0, 1, 2, 3}, {1, kInvSqrt3, kInvSqrt3, kInvSqrt3}};
    case FoaFormat::kAmbiX:
      break;
  }
  return {{0, 1, 2, 3}, {1, 1, 1, 1}};
}

// Why a sample is not taken.
absl::Status BadSample(size_t frame, int channel, float sample) {
  if (!std::isfinite(sample)) {
    return absl::InvalidArgumentError(
        absl::StrCat("data: sample ", frame, " of channel ", channel, " is NaN or infinite; must be finite"));
  }
  return absl::InvalidArgumentError(absl::StrCat("level: sample ", frame, " of channel ", channel, " is ", sample,
                                                 "; must be within +-", kMaxSample, " (full scale is 1)"));
}

}  // namespace

FoaClip MakeSilentClip(size_t frames, int sample_rate) {
  return FoaClip{.sample_rate = sample_rate, .samples = std::vector<float>(kFoaChannels * frames, 0.0f)};
}

absl::StatusOr<FoaClip> FromInterleaved(std::span<const float> interleaved, int channels, int sample_rate,
                                        FoaFormat format) {
  if (channels != kFoaChannels) {
    return absl::InvalidArgumentError(
        absl::StrCat("channels: ", channels, "; must be 4 (first-order ambisonics: W and three directions)"));
  }
  if (absl::Status status = ValidateSampleRate(sample_rate); !status.ok()) return status;
  if (interleaved.empty()) return absl::InvalidArgumentError("data: no samples; at least one frame of 4 is needed");
  if (interleaved.size() % kFoaChannels != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("data: ", interleaved.size(), " samples are not whole frames of 4 channels"));
  }
  const ChannelMap map = MapOf(format);
  const size_t frames = interleaved.size() / kFoaChannels;
  FoaClip clip = MakeSilentClip(frames, sample_rate);
  for (int c = 0; c < kFoaChannels; ++c) {
    const float* in = interleaved.data() + map.from[c];
    float* out = clip.samples.data() + c * frames;
    for (size_t i = 0; i < frames; ++i) {
      const float x = in[i * kFoaChannels];
      if (!(std::abs(x) <= kMaxSample)) return BadSample(i, map.from[c], x);  // negated, so that NaN fails
      out[i] = map.gain[c] * x;
    }
  }
  return clip;
}

std::vector<float> ToInterleaved(const FoaClip& clip) {
  const size_t frames = clip.frames();
  std::vector<float> out(kFoaChannels * frames);
  for (int c = 0; c < kFoaChannels; ++c) {
    for (size_t i = 0; i < frames; ++i) out[i * kFoaChannels + c] = clip.samples[c * frames + i];
  }
  return out;
}

}  // namespace auricle::audio
