#include "model/projector/ears.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace auricle::model {
namespace {

absl::Status Check(const torch::Tensor& clip, size_t index) {
  const auto wrong = [index](const std::string& what) {
    return absl::InvalidArgumentError(absl::StrCat("clips[", index, "] ", what));
  };
  if (!clip.defined() || clip.dim() != 2 || clip.size(0) != 4) return wrong("must be [4, samples]");
  if (clip.scalar_type() != torch::kFloat32 || !clip.device().is_cpu()) return wrong("must be float32 on the CPU");
  if (clip.size(1) < kSamplesPerToken) {
    return wrong(absl::StrCat("has ", clip.size(1), " samples; at least ", kSamplesPerToken, " (0.1 s) are needed"));
  }
  if (!torch::isfinite(clip).all().item<bool>()) return wrong("holds NaN or infinity");
  return absl::OkStatus();
}

}  // namespace

Ears::Ears(EarsNetwork network, Projector projector)
    : network_(std::move(network)), projector_(std::move(projector)), features_(network_->config().mels) {
  network_->eval();
  projector_->eval();
}

absl::StatusOr<Heard> Ears::Encode(const std::vector<torch::Tensor>& clips) const {
  if (clips.empty()) return absl::InvalidArgumentError("clips must not be empty");
  try {
    const torch::NoGradGuard no_grad;
    int64_t longest = 0;
    for (size_t i = 0; i < clips.size(); ++i) {
      if (absl::Status status = Check(clips[i], i); !status.ok()) return status;
      longest = std::max(longest, clips[i].size(1) / kSamplesPerToken);
    }
    torch::Tensor features = torch::zeros(
        {static_cast<int64_t>(clips.size()), kFeatureChannels, longest * kFramesPerToken, network_->config().mels});
    torch::Tensor counts = torch::empty({static_cast<int64_t>(clips.size())}, torch::kInt64);
    for (size_t i = 0; i < clips.size(); ++i) {
      const int64_t tokens = clips[i].size(1) / kSamplesPerToken;
      const torch::Tensor frames = features_(clips[i]).narrow(1, 0, tokens * kFramesPerToken);
      features[i].narrow(1, 0, tokens * kFramesPerToken).copy_(frames);
      counts[i] = tokens;
    }
    const torch::Device device = network_->parameters().front().device();
    EarsNetwork network = network_;  // forward is not const; eval mode leaves the module as it was
    Projector projector = projector_;
    Heard heard;
    heard.perceived = network->forward(features.to(device), counts);
    heard.tokens = projector->forward(heard.perceived);
    return heard;
  } catch (const c10::Error& error) {
    return absl::InternalError(absl::StrCat("ears: ", error.what_without_backtrace()));
  }
}

}  // namespace auricle::model
