#include "server/training/heard_window.h"

#include <torch/torch.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/encoder/course.h"

namespace auricle::training {
namespace {

// A tensor of what the ears perceive, and which of its dimensions counts tokens (-1: none).
struct Part {
  torch::Tensor model::EarsOutput::*tensor;
  int token_dimension;
  std::vector<int64_t> shape;  // without the batch
};

std::vector<Part> Parts(const model::EarsConfig& ears, int64_t tokens) {
  const int64_t width = ears.width, slots = ears.slots;
  using Out = model::EarsOutput;
  std::vector<Part> parts = {{&Out::semantic_tokens, 1, {tokens, width}},
                             {&Out::spatial_tokens, 1, {tokens, width}},
                             {&Out::fused_tokens, 1, {tokens, width}},
                             {&Out::slot_embeddings, -1, {slots, width}},
                             {&Out::exist_logits, -1, {slots}},
                             {&Out::class_logits, -1, {slots, ears.classes}},
                             {&Out::direction, -1, {slots, 3}},
                             {&Out::log_distance, -1, {slots}},
                             {&Out::motion_logits, -1, {slots, model::kMotionKinds}},
                             {&Out::activity_logits, 2, {slots, tokens}},
                             {&Out::frame_direction, 2, {slots, tokens, 3}},
                             {&Out::frame_log_distance, 2, {slots, tokens}},
                             {&Out::log_t30, -1, {model::kReverberationBands}},
                             {&Out::log_volume, -1, {}},
                             {&Out::free_field_logit, -1, {}}};
  if (ears.beams) parts.push_back({&Out::course, -1, {slots, model::kCourseValues}});
  return parts;
}

std::vector<torch::Tensor> Zeros(const std::vector<Part>& parts, int64_t rows, torch::Device device) {
  std::vector<torch::Tensor> out;
  for (const Part& part : parts) {
    std::vector<int64_t> shape = {rows};
    shape.insert(shape.end(), part.shape.begin(), part.shape.end());
    out.push_back(torch::zeros(shape, torch::TensorOptions(torch::kFloat16).device(device)));
  }
  return out;
}

}  // namespace

absl::Status HeardWindow::Create(const Workshop& shop, const DecoderStageConfig& config, const std::string& split,
                                 uint64_t seed) {
  config_ = config;
  seed_ = seed;
  spec_ = shop.config.scenes;
  spec_.set_split(split);
  spec_.clear_durations_seconds();
  double longest = 0;
  for (double seconds : config.seconds) {
    spec_.add_durations_seconds(seconds);
    longest = std::max(longest, seconds);
  }
  longest_ = static_cast<int64_t>(longest * model::kTokensPerSecond);
  const auto parts = Parts(shop.config.ears, longest_);
  const int64_t capacity = config.window.scenes, staged = std::max(kFillBlock, config.window.new_per_step);
  kept_ = Zeros(parts, capacity, shop.device);
  mask_ = torch::zeros({capacity, longest_}, torch::TensorOptions(torch::kBool).device(shop.device));
  tokens_.assign(capacity, 0);
  truths_.assign(capacity, {});
  staged_tokens_.assign(staged, 0);
  staged_truths_.assign(staged, {});
  if (shop.device.is_cpu()) {
    staged_ = Zeros(parts, staged, torch::kCPU);
  } else {
    staged_features_ = torch::zeros(
        {staged, model::kFeatureChannels, longest_ * model::kFramesPerToken, shop.config.ears.mels}, torch::kFloat16);
  }
  return absl::OkStatus();
}

absl::Status HeardWindow::Stage(const Workshop& shop, const SceneMaker& maker, model::EarsNetwork& encoder, int64_t n,
                                int64_t row) {
  auto made = maker.Make(spec_, seed_, static_cast<uint64_t>(n));
  if (!made.ok()) return made.status();
  const torch::NoGradGuard no_grad;
  const int64_t tokens = std::min(longest_, made->features.size(1) / model::kFramesPerToken);
  const int64_t frames = tokens * model::kFramesPerToken;
  staged_tokens_[row] = tokens;
  staged_truths_[row] = std::move(made->truth);
  if (staged_features_.defined()) {
    staged_features_[row].zero_();
    staged_features_[row].slice(1, 0, frames).copy_(made->features.slice(1, 0, frames));
    return absl::OkStatus();
  }
  const model::EarsOutput heard = encoder->forward(made->features.slice(1, 0, frames).unsqueeze(0));
  const auto parts = Parts(shop.config.ears, longest_);
  for (size_t i = 0; i < parts.size(); ++i) {
    torch::Tensor to = staged_[i][row].zero_();
    const int dimension = parts[i].token_dimension - 1;
    if (dimension >= 0) to = to.slice(dimension, 0, tokens);
    to.copy_((heard.*parts[i].tensor)[0]);
  }
  return absl::OkStatus();
}

void HeardWindow::Commit(const Workshop& shop, model::EarsNetwork& encoder, int64_t first, int64_t count) {
  const torch::NoGradGuard no_grad;
  std::vector<int64_t> places;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t place = (first + i) % config_.window.scenes;
    places.push_back(place);
    tokens_[place] = staged_tokens_[i];
    truths_[place] = staged_truths_[i];
  }
  const torch::Tensor index = torch::tensor(places, torch::kInt64).to(shop.device);
  const torch::Tensor counts =
      torch::tensor(std::vector<int64_t>(staged_tokens_.begin(), staged_tokens_.begin() + count), torch::kInt64);
  mask_.index_copy_(0, index, torch::arange(longest_).unsqueeze(0).lt(counts.unsqueeze(1)).to(shop.device));
  const auto parts = Parts(shop.config.ears, longest_);
  if (!staged_features_.defined()) {
    for (size_t i = 0; i < parts.size(); ++i) kept_[i].index_copy_(0, index, staged_[i].slice(0, 0, count));
    return;
  }
  const model::EarsOutput heard =
      encoder->forward(staged_features_.slice(0, 0, count).to(shop.device).to(torch::kFloat32), counts);
  for (size_t i = 0; i < parts.size(); ++i) {
    kept_[i].index_copy_(0, index, (heard.*parts[i].tensor).to(torch::kFloat16));
  }
}

absl::Status HeardWindow::Fill(const Workshop& shop, const SceneMaker& maker, model::EarsNetwork& encoder,
                               int64_t begin, int64_t end) {
  for (int64_t first = begin; first < end; first += kFillBlock) {
    const int64_t count = std::min(kFillBlock, end - first);
    const absl::Status status =
        shop.team.ForEach(count, [&](int64_t i) { return Stage(shop, maker, encoder, first + i, i); });
    if (!status.ok()) return status;
    try {
      Commit(shop, encoder, first, count);
    } catch (const c10::Error& error) {
      return absl::InternalError(error.what_without_backtrace());
    }
  }
  return absl::OkStatus();
}

model::EarsOutput HeardWindow::Heard(const std::vector<int64_t>& places) const {
  const torch::Tensor index = torch::tensor(places, torch::kInt64).to(mask_.device());
  model::EarsOutput heard;
  heard.token_mask = mask_.index_select(0, index);
  model::EarsConfig any;
  const auto parts = Parts(any, longest_);
  for (size_t i = 0; i < parts.size(); ++i)
    heard.*parts[i].tensor = kept_[i].index_select(0, index).to(torch::kFloat32);
  return heard;
}

}  // namespace auricle::training
