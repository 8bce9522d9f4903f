// Scenes for learning: planned and rendered by sim, seen as the encoder sees them.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "auricle/v1/scene.pb.h"
#include "model/feature/foa_features.h"
#include "sim/source/source_bank.h"
#include "torch/types.h"

namespace auricle::training {

struct MadeScene {
  torch::Tensor features;  // [10, F, mels] float32, F a multiple of 10
  v1::Scene truth;
  double render_seconds = 0;   // spent on rendering
  double feature_seconds = 0;  // and on features
};

// Thread-safe.
class SceneMaker {
 public:
  SceneMaker(const sim::SourceBank& bank, int mels) : bank_(bank), features_(mels) {}

  // Scene `index` of (spec, seed): the same on every machine, whatever was made before.
  absl::StatusOr<MadeScene> Make(const v1::SceneSpec& spec, uint64_t seed, uint64_t index) const;

 private:
  const sim::SourceBank& bank_;
  model::FoaFeatures features_;
};

}  // namespace auricle::training
