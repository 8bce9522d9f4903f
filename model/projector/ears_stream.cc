#include "model/projector/ears_stream.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace auricle::model {
namespace {

// Whole tokens that cover what the convolutions see on either side.
constexpr int64_t kContextTokens = (EarsNetworkImpl::kLookbackFrames + kFramesPerToken - 1) / kFramesPerToken;
static_assert(EarsNetworkImpl::kLookaheadFrames <= kContextTokens * kFramesPerToken);
// Tokens whose features are kept.
constexpr int64_t kKeptTokens = std::max(kContextTokens, kListenTokens);
// Frames before the wanted ones whose windows reach over the cut.
constexpr int64_t kWarmUpFrames = 2;
// Tokens encoded at a time: bounds the memory for one large piece of audio.
constexpr int64_t kMostTokens = 128;

torch::Tensor Append(const torch::Tensor& a, const torch::Tensor& b, int64_t dim) {
  return a.defined() ? torch::cat({a, b}, dim) : b;
}

}  // namespace

EarsStream::EarsStream(const Ears& ears)
    : network_(ears.network()), projector_(ears.projector()), extract_(network_->config().mels) {}

absl::Status EarsStream::Feed(const torch::Tensor& audio) {
  if (!audio.defined() || audio.dim() != 2 || audio.size(0) != 4 || audio.scalar_type() != torch::kFloat32 ||
      !audio.device().is_cpu()) {
    return absl::InvalidArgumentError("audio must be [4, samples] float32 on the CPU");
  }
  const torch::Tensor rows = audio.contiguous();
  const float* data = rows.data_ptr<float>();
  if (!std::all_of(data, data + rows.numel(), [](float x) { return std::isfinite(x); })) {
    return absl::InvalidArgumentError("audio holds NaN or infinity");
  }
  try {
    const torch::NoGradGuard no_grad;
    const int64_t count = rows.size(1);
    for (int c = 0; c < 4; ++c) audio_[c].insert(audio_[c].end(), data + c * count, data + (c + 1) * count);
    samples_ += count;
    const int64_t chunk = network_->config().chunk_tokens;
    const int64_t most = std::max<int64_t>(1, kMostTokens / chunk) * chunk;
    const int64_t ready = (samples_ / kSamplesPerToken - kContextTokens) / chunk * chunk;
    while (tokens_ < ready) Advance(std::min(ready, tokens_ + most));
    return absl::OkStatus();
  } catch (const c10::Error& error) {
    return absl::InternalError(absl::StrCat("ears: ", error.what_without_backtrace()));
  }
}

torch::Tensor EarsStream::NextFrames(int64_t end) const {
  const int64_t warm_up = std::min(frames_, kWarmUpFrames);
  const int64_t begin = (frames_ - warm_up) * kSamplesPerFrame - audio_begin_;
  const int64_t count = std::min<int64_t>(static_cast<int64_t>(audio_[0].size()) - begin,
                                          (end - frames_ + warm_up + 2) * kSamplesPerFrame);
  torch::Tensor samples = torch::empty({4, count});
  for (int c = 0; c < 4; ++c) std::copy_n(audio_[c].begin() + begin, count, samples[c].data_ptr<float>());
  return extract_(samples).narrow(1, warm_up, end - frames_);
}

int64_t EarsStream::ContextBegin() const { return std::max<int64_t>(0, tokens_ - kContextTokens) * kFramesPerToken; }

void EarsStream::Advance(int64_t end) {
  const int64_t frames_end = end * kFramesPerToken + EarsNetworkImpl::kLookaheadFrames;
  features_ = Append(features_, NextFrames(frames_end), 1);
  frames_ = frames_end;

  // Frames beyond the lookahead reach no token before `end`: zeros fill the last one up.
  const int64_t padding = kContextTokens * kFramesPerToken - EarsNetworkImpl::kLookaheadFrames;
  const int64_t context = ContextBegin();
  const EarsNetworkImpl::LocalTokens all = network_->EncodeLocal(
      torch::constant_pad_nd(features_.slice(1, context - features_begin_), {0, 0, 0, padding}).unsqueeze(0));
  const int64_t skip = tokens_ - context / kFramesPerToken;
  const EarsNetworkImpl::LocalTokens fresh = {.semantic = all.semantic.narrow(1, skip, end - tokens_),
                                              .spatial = all.spatial.narrow(1, skip, end - tokens_)};
  fused_ = Append(fused_, network_->Fuse(fresh, {}, &cache_), 1);
  local_.semantic = Append(local_.semantic, fresh.semantic, 1);
  local_.spatial = Append(local_.spatial, fresh.spatial, 1);
  tokens_ = end;

  const int64_t features_begin = std::max<int64_t>(0, end - kKeptTokens) * kFramesPerToken;
  features_ = features_.slice(1, features_begin - features_begin_).clone();
  features_begin_ = features_begin;
  const int64_t audio_begin = (frames_ - kWarmUpFrames) * kSamplesPerFrame;
  for (std::vector<float>& channel : audio_)
    channel.erase(channel.begin(), channel.begin() + (audio_begin - audio_begin_));
  audio_begin_ = audio_begin;
}

int64_t EarsStream::first_token_of(double from_seconds) const {
  const int64_t chunk = network_->config().chunk_tokens;
  if (!(from_seconds > 0)) return 0;
  // Past every clip the exact token does not matter.
  const double token = std::min(from_seconds * kTokensPerSecond + 1e-6, 1e15);
  return static_cast<int64_t>(token) / chunk * chunk;
}

absl::StatusOr<Heard> EarsStream::Snapshot(double from_seconds) const {
  const int64_t tokens = samples_ / kSamplesPerToken;
  const int64_t first = first_token_of(from_seconds);
  if (tokens == 0) return absl::FailedPreconditionError("less than 0.1 s of audio has arrived");
  if (from_seconds * kTokensPerSecond >= static_cast<double>(tokens)) {
    return absl::FailedPreconditionError(
        absl::StrCat("from_seconds is ", from_seconds, "; only ", 0.1 * tokens, " s of audio have arrived"));
  }
  try {
    const torch::NoGradGuard no_grad;
    EarsNetwork network = network_;  // forward is not const; eval mode leaves the module as it was
    Projector projector = projector_;
    const int64_t frames = tokens * kFramesPerToken;
    torch::Tensor features = features_;
    if (frames > frames_) features = Append(features, NextFrames(frames), 1);
    const int64_t context = ContextBegin();
    const EarsNetworkImpl::LocalTokens all =
        network->EncodeLocal(features.slice(1, context - features_begin_, frames - features_begin_).unsqueeze(0));
    const int64_t skip = tokens_ - context / kFramesPerToken;
    const EarsNetworkImpl::LocalTokens fresh = {.semantic = all.semantic.slice(1, skip),
                                                .spatial = all.spatial.slice(1, skip)};
    FusionCache cache = cache_;
    const torch::Tensor fused = Append(fused_, network->Fuse(fresh, {}, &cache), 1);
    const EarsNetworkImpl::LocalTokens local = {.semantic = Append(local_.semantic, fresh.semantic, 1).slice(1, first),
                                                .spatial = Append(local_.spatial, fresh.spatial, 1).slice(1, first)};
    Heard heard;
    const int64_t listened = std::max(features_begin_, first * kFramesPerToken);
    const torch::Tensor recent = features.slice(1, listened - features_begin_, frames - features_begin_).unsqueeze(0);
    heard.perceived = network->Perceive(local, fused.slice(1, first), recent);
    heard.tokens = projector->forward(heard.perceived);
    return heard;
  } catch (const c10::Error& error) {
    return absl::InternalError(absl::StrCat("ears: ", error.what_without_backtrace()));
  }
}

}  // namespace auricle::model
