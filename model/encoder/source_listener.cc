#include "model/encoder/source_listener.h"

#include <algorithm>

#include "model/encoder/beam.h"
#include "model/encoder/course.h"

namespace auricle::model {
namespace {

constexpr int kMotionHidden = 32;
constexpr int kBeamChannels = 2;

// Rows of `values` [B, ..., N, ...] along `dim`, from `begin` [B] on, `count` of them; `step` rows of `values` to one.
torch::Tensor Window(const torch::Tensor& values, int64_t dim, const torch::Tensor& begin, int64_t count,
                     int64_t step = 1) {
  const torch::Tensor rows = begin.unsqueeze(1) * step + torch::arange(count * step, begin.options()).unsqueeze(0);
  std::vector<int64_t> shape(values.dim(), 1), sizes(values.sizes().vec());
  shape[0] = rows.size(0);
  sizes[dim] = shape[dim] = rows.size(1);
  return values.gather(dim, rows.view(shape).expand(sizes));
}

}  // namespace

SourceListenerImpl::SourceListenerImpl(const EarsConfig& config) {
  stack_ = register_module("stack", ConvStack(kBeamChannels, config.mels, config.semantic, config.width));
  const auto no_bias = [](int in, int out) { return torch::nn::Linear(torch::nn::LinearOptions(in, out).bias(false)); };
  class_ = register_module("class", no_bias(config.width, config.classes));
  distance_ = register_module("distance", no_bias(config.width, 1));
  motion_in_ = register_module("motion_in", torch::nn::Linear(kCourseValues, kMotionHidden));
  motion_out_ = register_module("motion_out", no_bias(kMotionHidden, kMotionKinds));
}

void SourceListenerImpl::forward(const torch::Tensor& features, const torch::Tensor& token_mask, SlotOutput& slots) {
  const int64_t batch = slots.exist_logits.size(0), count = slots.exist_logits.size(1);
  const int64_t tokens = slots.activity_logits.size(2), of_features = features.size(2) / kFramesPerToken;
  const int64_t window = std::min(tokens, kListenTokens);
  TORCH_CHECK(of_features >= window && of_features <= tokens, "features must hold the last ", window, " tokens");

  torch::Tensor heard = features, direction = slots.frame_direction, distance = slots.frame_log_distance;
  torch::Tensor weight = torch::sigmoid(slots.activity_logits.detach());  // the activity only points here
  torch::Tensor mask = token_mask;
  if (mask.defined()) {
    weight = weight * mask.unsqueeze(1).to(weight.scalar_type());
    if (window < tokens) {
      const torch::Tensor begin = (mask.sum(1) - window).clamp_min(0);
      heard = Window(heard, 2, begin, window, kFramesPerToken);
      direction = Window(direction, 2, begin, window);
      distance = Window(distance, 2, begin, window);
      weight = Window(weight, 2, begin, window);
      mask = Window(mask, 1, begin, window);
    }
  } else if (window < tokens) {
    heard = heard.slice(2, -window * kFramesPerToken);
    direction = direction.slice(2, -window);
    distance = distance.slice(2, -window);
    weight = weight.slice(2, -window);
  } else {
    heard = heard.slice(2, -window * kFramesPerToken);
  }

  // [B, K, 2, 10 window, mels]. Classes are not to bend directions.
  const torch::Tensor beams = BeamFeatures(heard, direction.detach());
  const torch::Tensor beam_mask = mask.defined() ? mask.repeat_interleave(count, 0) : torch::Tensor();
  const torch::Tensor local = stack_(beams.flatten(0, 1), beam_mask);  // [B K, window, D]
  const torch::Tensor share = weight / (weight.sum(-1, /*keepdim=*/true) + 1e-3);
  const torch::Tensor own = torch::matmul(share.flatten(0, 1).unsqueeze(1), local).squeeze(1).view({batch, count, -1});
  slots.class_logits = slots.class_logits + class_(own).to(torch::kFloat32);
  const torch::Tensor farther = distance_(own).to(torch::kFloat32);  // [B, K, 1]
  slots.log_distance = slots.log_distance + farther.squeeze(-1);
  slots.frame_log_distance = slots.frame_log_distance + farther;

  // The tracks of the slots hardly move; what a resting beam lets through does.
  const BeamTrack track = TrackInBeams(heard, slots.direction.detach());
  slots.course = CourseOf(weight, track.direction, distance, track.level);
  slots.motion_logits = slots.motion_logits + motion_out_(torch::relu(motion_in_(slots.course))).to(torch::kFloat32);
}

}  // namespace auricle::model
