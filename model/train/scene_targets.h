// What an encoder should have heard: a scene's truth as tensors on the 10 Hz grid.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "auricle/v1/scene.pb.h"
#include "torch/types.h"

namespace auricle::train {

// Index of each class name in the model's vocabulary.
using ClassIndex = absl::flat_hash_map<std::string, int64_t>;
ClassIndex IndexClasses(const std::vector<std::string>& classes);

// Targets of B scenes of equal length. N = sources provided for (4), F = frames of 100 ms, R = T30 bands. float32
// unless said otherwise. Rows of sources that do not exist are zeros.
struct SceneTargets {
  torch::Tensor exists;              // [B, N] 0 or 1; existing sources come first
  torch::Tensor class_index;         // [B, N] int64
  torch::Tensor direction;           // [B, N, 3] unit vectors (x front, y left, z up)
  torch::Tensor log_distance;        // [B, N] ln metres
  torch::Tensor motion;              // [B, N] int64 index of the kind (0 static, 1 left, ...), -1 where not known
  torch::Tensor activity;            // [B, N, F] 0 or 1
  torch::Tensor frame_direction;     // [B, N, F, 3]
  torch::Tensor frame_log_distance;  // [B, N, F]
  torch::Tensor log_t30;             // [B, R] ln seconds
  torch::Tensor t30_known;           // [B, R] 0 or 1
  torch::Tensor log_volume;          // [B] ln m^3; 0 in free field
  torch::Tensor free_field;          // [B] 0 or 1

  // Zeros for `scenes` scenes on `device`.
  static SceneTargets Zeros(int64_t scenes, int64_t sources, int64_t frames, int64_t t30_bands, torch::Device device);

  // Every member in the order above, for code that treats them alike.
  std::vector<torch::Tensor*> Members();
  std::vector<const torch::Tensor*> Members() const;

  int64_t scenes() const { return exists.size(0); }
  // Rows `index` (int64 [B']) of every member.
  SceneTargets Select(const torch::Tensor& index) const;
  SceneTargets To(torch::Device device) const;
};

// Writes `truth` into row `row` of `targets` (CPU tensors). Sources past N are left out: the quietest ones would be the
// right ones to drop, but scenes are drawn with at most N. Bands of the truth are matched to `band_centres_hz` within a
// third of an octave; a centre of 0 stands for the broadband value, Room.t30_seconds. INVALID_ARGUMENT: a class that is
// not in `classes`; a source without direction or distance.
absl::Status FillTargets(const v1::Scene& truth, const ClassIndex& classes, const std::vector<double>& band_centres_hz,
                         int64_t row, SceneTargets& targets);

// One row of rotation for each scene: turns every direction of `targets` by `rotation` [B, 3, 3] (x' = R x) in place.
void RotateTargets(SceneTargets& targets, const torch::Tensor& rotation);

// Rotations about the vertical by `yaw` [B] radians, after a mirror of left and right where `mirror_y` [B] is 1 and of
// up and down where `mirror_z` [B] is 1. All float32. Returns [B, 3, 3].
torch::Tensor YawAndMirror(const torch::Tensor& yaw, const torch::Tensor& mirror_y, const torch::Tensor& mirror_z);

}  // namespace auricle::train
