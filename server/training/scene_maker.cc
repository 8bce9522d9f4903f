#include "server/training/scene_maker.h"

#include <torch/torch.h>

#include <chrono>
#include <utility>

#include "model/encoder/ears_config.h"
#include "server/training/elapsed.h"
#include "sim/render/scene_renderer.h"

namespace auricle::training {

absl::StatusOr<MadeScene> SceneMaker::Make(const v1::SceneSpec& spec, uint64_t seed, uint64_t index) const {
  const auto start = Clock::now();
  auto rendered = sim::RenderScene(spec, bank_, seed, index);
  if (!rendered.ok()) return rendered.status();
  const auto middle = Clock::now();
  MadeScene made;
  try {
    const torch::NoGradGuard no_grad;
    const int64_t frames = static_cast<int64_t>(rendered->audio.frames());
    const torch::Tensor audio = torch::from_blob(rendered->audio.samples.data(), {4, frames}, torch::kFloat32);
    const torch::Tensor features = features_(audio);
    const int64_t whole = features.size(1) / model::kFramesPerToken * model::kFramesPerToken;
    made.features = features.slice(1, 0, whole);
  } catch (const c10::Error& error) {
    return absl::InternalError(error.what_without_backtrace());
  }
  made.truth = std::move(rendered->truth);
  made.render_seconds = std::chrono::duration<double>(middle - start).count();
  made.feature_seconds = Since(middle);
  return made;
}

}  // namespace auricle::training
