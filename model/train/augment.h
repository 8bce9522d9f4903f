// Variations of stored features, drawn anew each time a scene is used: another heading, another gain, masks.
#pragma once

#include <ATen/core/Generator.h>

#include "model/train/scene_targets.h"
#include "torch/types.h"

namespace auricle::train {

struct AugmentOptions {
  bool rotate = true;             // any yaw, mirror y, mirror z: exact on features and on targets
  double gain_db = 2.0;           // uniform in +-gain_db; small, because level carries distance; [0, 12]
  double mask_probability = 0.6;  // of a scene being masked at all (D. Park et al. 2019, SpecAugment), [0, 1]
  int time_masks = 2;             // [0, 8]
  int max_time_frames = 40;       // longest mask, frames of 10 ms, [0, 500]
  int mel_masks = 2;              // [0, 8]
  int max_mel_bands = 10;         // widest mask, [0, 64]
};

// features [B, 10, T, M] float32, changed in place where possible and returned; targets rotated to match.
// `power_scale`: what one neper of power is worth in channel 0. All draws come from `generator` (CPU).
torch::Tensor Augment(const torch::Tensor& features, SceneTargets& targets, const AugmentOptions& options,
                      double power_scale, at::Generator generator);

}  // namespace auricle::train
