// The loss that teaches the encoder: slots against the sources of the truth, in the best of all assignments.
//
// A slot may stand for any source (permutation-invariant training, D. Yu et al. 2017); with four slots there are 24
// assignments, and all are tried. Terms and weights follow a measured recipe: chord distance for directions,
// cross-entropy for classes, smooth L1 for the logarithm of distance, binary cross-entropy for existence and activity,
// a frame-wise tagging loss beside the slots, and small weights for the room.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/train/scene_targets.h"
#include "torch/types.h"

namespace auricle::train {

// What the encoder says of B scenes: K slots, F frames of 100 ms, C classes, R bands of T30. Any floating type.
// Undefined members take no part in the loss.
struct EncoderPredictions {
  torch::Tensor exist_logit;         // [B, K]
  torch::Tensor class_logits;        // [B, K, C]
  torch::Tensor direction;           // [B, K, 3], any length but 0
  torch::Tensor log_distance;        // [B, K]
  torch::Tensor motion_logits;       // [B, K, M]
  torch::Tensor activity_logit;      // [B, K, F]
  torch::Tensor frame_direction;     // [B, K, F, 3]
  torch::Tensor frame_log_distance;  // [B, K, F]
  torch::Tensor tag_logits;          // [B, F, C] which classes sound, whatever the slot
  torch::Tensor log_t30;             // [B, R]
  torch::Tensor log_volume;          // [B]
  torch::Tensor free_field_logit;    // [B]
};

struct EncoderLossWeights {
  double direction = 1.5;
  double frame_direction = 0.75;
  double class_name = 2.0;
  double class_smoothing = 0.1;
  double distance = 0.5;
  double frame_distance = 0.25;
  double activity = 1.0;
  double exist = 0.5;
  double tags = 0.5;  // summed over classes
  double motion = 0.2;
  double t30 = 0.2;
  double volume = 0.1;
  double free_field = 0.1;
};

struct EncoderLoss {
  torch::Tensor total;                                       // scalar, carries the gradient
  std::vector<std::pair<std::string, torch::Tensor>> parts;  // detached scalars before weighting, in a fixed order
  torch::Tensor assignment;                                  // [B, N] int64: the slot of each source
};

// Source terms are means over the sources of the batch, existence over all slots, the rest over scenes. N must equal K.
EncoderLoss ComputeEncoderLoss(const EncoderPredictions& predictions, const SceneTargets& targets,
                               const EncoderLossWeights& weights);

// The cheapest one-to-one assignment for each cost matrix [B, K, N], K = N <= 4, by trying all of them.
// Returns [B, N] int64: the row chosen for each column.
torch::Tensor BestAssignment(const torch::Tensor& cost);

}  // namespace auricle::train
