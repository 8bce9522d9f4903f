#include "model/train/scene_targets.h"

#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "absl/strings/str_cat.h"

namespace auricle::train {
namespace {

std::array<float, 3> UnitVector(const v1::Direction& direction) {
  const double azimuth = direction.azimuth_deg() * std::numbers::pi / 180;
  const double elevation = direction.elevation_deg() * std::numbers::pi / 180;
  return {static_cast<float>(std::cos(elevation) * std::cos(azimuth)),
          static_cast<float>(std::cos(elevation) * std::sin(azimuth)), static_cast<float>(std::sin(elevation))};
}

}  // namespace

ClassIndex IndexClasses(const std::vector<std::string>& classes) {
  ClassIndex index;
  for (size_t i = 0; i < classes.size(); ++i) index[classes[i]] = static_cast<int64_t>(i);
  return index;
}

SceneTargets SceneTargets::Zeros(int64_t scenes, int64_t sources, int64_t frames, int64_t t30_bands,
                                 torch::Device device) {
  const auto real = torch::TensorOptions().dtype(torch::kFloat32).device(device);
  const auto whole = real.dtype(torch::kInt64);
  SceneTargets t;
  t.exists = torch::zeros({scenes, sources}, real);
  t.class_index = torch::zeros({scenes, sources}, whole);
  t.direction = torch::zeros({scenes, sources, 3}, real);
  t.log_distance = torch::zeros({scenes, sources}, real);
  t.motion = torch::full({scenes, sources}, -1, whole);
  t.activity = torch::zeros({scenes, sources, frames}, real);
  t.frame_direction = torch::zeros({scenes, sources, frames, 3}, real);
  t.frame_log_distance = torch::zeros({scenes, sources, frames}, real);
  t.log_t30 = torch::zeros({scenes, t30_bands}, real);
  t.t30_known = torch::zeros({scenes, t30_bands}, real);
  t.log_volume = torch::zeros({scenes}, real);
  t.free_field = torch::zeros({scenes}, real);
  return t;
}

std::vector<torch::Tensor*> SceneTargets::Members() {
  return {&exists,          &class_index,        &direction, &log_distance, &motion,     &activity,
          &frame_direction, &frame_log_distance, &log_t30,   &t30_known,    &log_volume, &free_field};
}

std::vector<const torch::Tensor*> SceneTargets::Members() const {
  auto members = const_cast<SceneTargets*>(this)->Members();
  return {members.begin(), members.end()};
}

SceneTargets SceneTargets::Select(const torch::Tensor& index) const {
  SceneTargets out;
  const auto to = out.Members();
  const auto from = Members();
  for (size_t i = 0; i < to.size(); ++i) *to[i] = from[i]->index_select(0, index);
  return out;
}

SceneTargets SceneTargets::To(torch::Device device) const {
  SceneTargets out;
  const auto to = out.Members();
  const auto from = Members();
  for (size_t i = 0; i < to.size(); ++i) *to[i] = from[i]->to(device);
  return out;
}

absl::Status FillTargets(const v1::Scene& truth, const ClassIndex& classes, const std::vector<double>& band_centres_hz,
                         int64_t row, SceneTargets& targets) {
  const int64_t sources = targets.exists.size(1), frames = targets.activity.size(2);
  auto exists = targets.exists.accessor<float, 2>();
  auto class_index = targets.class_index.accessor<int64_t, 2>();
  auto direction = targets.direction.accessor<float, 3>();
  auto log_distance = targets.log_distance.accessor<float, 2>();
  auto motion = targets.motion.accessor<int64_t, 2>();
  auto activity = targets.activity.accessor<float, 3>();
  auto frame_direction = targets.frame_direction.accessor<float, 4>();
  auto frame_log_distance = targets.frame_log_distance.accessor<float, 3>();
  for (torch::Tensor* member : targets.Members()) (*member)[row].zero_();

  for (int64_t n = 0; n < sources; ++n) {
    motion[row][n] = -1;
    if (n >= truth.sources_size()) continue;
    const v1::Source& source = truth.sources(static_cast<int>(n));
    const auto found = classes.find(source.class_name());
    if (found == classes.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("scene ", truth.id(), ": class '", source.class_name(), "' is not in the model's vocabulary"));
    }
    if (!source.has_direction() || !(source.distance_m() > 0)) {
      return absl::InvalidArgumentError(
          absl::StrCat("scene ", truth.id(), ": source ", source.id(), " needs a direction and a distance_m above 0"));
    }
    exists[row][n] = 1;
    class_index[row][n] = found->second;
    const auto mean = UnitVector(source.direction());
    const float log_mean = static_cast<float>(std::log(source.distance_m()));
    for (int axis = 0; axis < 3; ++axis) direction[row][n][axis] = mean[axis];
    log_distance[row][n] = log_mean;
    if (source.motion() != v1::MOTION_KIND_UNSPECIFIED) motion[row][n] = source.motion() - v1::MOTION_KIND_STATIC;
    for (int64_t f = 0; f < frames; ++f) {
      for (int axis = 0; axis < 3; ++axis) frame_direction[row][n][f][axis] = mean[axis];
      frame_log_distance[row][n][f] = log_mean;
    }
    for (const v1::SourceFrame& frame : source.frames()) {
      const int64_t f = frame.frame();
      if (f >= frames) continue;
      activity[row][n][f] = frame.activity() >= 0.5f ? 1.0f : 0.0f;
      if (frame.has_direction()) {
        const auto unit = UnitVector(frame.direction());
        for (int axis = 0; axis < 3; ++axis) frame_direction[row][n][f][axis] = unit[axis];
      }
      if (frame.distance_m() > 0) frame_log_distance[row][n][f] = static_cast<float>(std::log(frame.distance_m()));
    }
  }

  const v1::Room& room = truth.room();
  targets.free_field[row] = room.free_field() ? 1.0f : 0.0f;
  if (room.free_field()) return absl::OkStatus();
  targets.log_volume[row] = static_cast<float>(std::log(std::max(1.0, room.volume_m3())));
  for (size_t r = 0; r < band_centres_hz.size(); ++r) {
    double seconds = band_centres_hz[r] == 0 ? room.t30_seconds() : 0;
    for (const v1::BandTime& band : room.t30_bands()) {
      if (band_centres_hz[r] > 0 && std::abs(std::log2(band.centre_hz() / band_centres_hz[r])) < 1.0 / 3) {
        seconds = band.seconds();
      }
    }
    if (seconds <= 0) continue;
    targets.log_t30[row][static_cast<int64_t>(r)] = static_cast<float>(std::log(seconds));
    targets.t30_known[row][static_cast<int64_t>(r)] = 1.0f;
  }
  return absl::OkStatus();
}

void RotateTargets(SceneTargets& targets, const torch::Tensor& rotation) {
  // Row vectors: v' = v R^T.
  const torch::Tensor transposed = rotation.transpose(1, 2);
  targets.direction = torch::bmm(targets.direction, transposed);
  const auto shape = targets.frame_direction.sizes().vec();
  targets.frame_direction =
      torch::bmm(targets.frame_direction.reshape({shape[0], shape[1] * shape[2], 3}), transposed).reshape(shape);
  // Seen in a mirror that swaps left and right, what moved to the left moves to the right.
  constexpr int64_t kLeft = v1::MOTION_KIND_MOVING_LEFT - v1::MOTION_KIND_STATIC,
                    kRight = v1::MOTION_KIND_MOVING_RIGHT - v1::MOTION_KIND_STATIC;
  // [B, 1]: the horizontal part of the map turns right hands into left ones.
  const torch::Tensor swapped = torch::linalg_det(rotation.slice(1, 0, 2).slice(2, 0, 2)).lt(0).unsqueeze(1);
  const torch::Tensor left = targets.motion.eq(kLeft), right = targets.motion.eq(kRight);
  targets.motion =
      targets.motion.masked_fill(swapped.logical_and(left), kRight).masked_fill(swapped.logical_and(right), kLeft);
}

torch::Tensor YawAndMirror(const torch::Tensor& yaw, const torch::Tensor& mirror_y, const torch::Tensor& mirror_z) {
  const torch::Tensor c = torch::cos(yaw), s = torch::sin(yaw), zero = torch::zeros_like(yaw);
  const torch::Tensor y = 1 - 2 * mirror_y, z = 1 - 2 * mirror_z;
  return torch::stack(
      {torch::stack({c, -s * y, zero}, 1), torch::stack({s, c * y, zero}, 1), torch::stack({zero, zero, z}, 1)}, 1);
}

}  // namespace auricle::train
