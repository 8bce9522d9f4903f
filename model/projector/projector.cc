#include "model/projector/projector.h"

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace auricle::model {
namespace {

constexpr int kSpatialExperts = 4;
constexpr int kExperts = 1 + kSpatialExperts + 1;
// Sharpens activity before onset and offset are read off it: a floor of many small probabilities is no onset.
constexpr double kActivitySharpness = 4.0;
// Seconds are given to the MLPs in units of ten.
constexpr double kSecondsScale = 0.1;

torch::nn::Sequential Mlp(int in, int hidden, int out) {
  return torch::nn::Sequential(torch::nn::Linear(in, hidden), torch::nn::GELU(), torch::nn::Linear(hidden, out));
}

// One visit per field gives reading and writing their names and ranges.
template <typename Config, typename Visitor>
void VisitFields(Config& config, Visitor&& visit) {
  visit("expert_width", config.expert_width, 8, 4096);
  visit("expert_hidden", config.expert_hidden, 8, 8192);
  visit("bottleneck", config.bottleneck, 8, 8192);
  visit("slot_hidden", config.slot_hidden, 8, 8192);
  visit("pool", config.pool, 1, 32);
  visit("decoder_width", config.decoder_width, 8, 16384);
}

// Activity [B, K, N], zero beyond each clip, averaged into kActivityBins equal parts of each clip: [B, K, bins].
// A token that straddles a border counts on both sides by its share.
torch::Tensor PoolOverClip(const torch::Tensor& activity, const torch::Tensor& counts) {
  constexpr int bins = ProjectorImpl::kActivityBins;
  const int64_t tokens = activity.size(2);
  const auto options = activity.options();
  const torch::Tensor width = counts.to(activity.scalar_type()).view({-1, 1, 1}) / bins;  // tokens in a bin
  const torch::Tensor begin = torch::arange(bins, options).view({1, bins, 1}) * width;    // [B, bins, 1]
  const torch::Tensor token = torch::arange(tokens, options).view({1, 1, tokens});
  const torch::Tensor overlap =
      (torch::minimum(begin + width, token + 1) - torch::maximum(begin, token)).clamp_min(0) / width;  // [B, bins, N]
  return torch::matmul(activity, overlap.transpose(1, 2));
}

// Expected time, in tokens, before activity [B, K, N] first rises when each token is on by itself with its probability.
// `silent` [B, 1, 1] is the answer when none is.
torch::Tensor ExpectedOnset(const torch::Tensor& activity, const torch::Tensor& silent) {
  const torch::Tensor still_off = torch::cumprod(1 - activity, -1);  // none of tokens 0..n on
  // Sum over n of P(none of 0..n on) within the clip.
  const torch::Tensor within = (torch::arange(activity.size(2), silent.options()).view({1, 1, -1}) < silent);
  return (still_off * within.to(activity.scalar_type())).sum(-1);
}

// Log-probability of each class against a guess, a few units wide. Probabilities alone show little but the most
// probable class; which of two improbable ones a new recording rather is, is in their logarithms.
torch::Tensor ClassEvidence(const torch::Tensor& logits) {
  return (torch::log_softmax(logits, -1) + std::log(static_cast<double>(logits.size(-1)))).clamp_min(-4) * 0.25;
}

}  // namespace

absl::Status ProjectorConfig::Validate() const {
  absl::Status status;
  VisitFields(*this, [&](const char* name, int value, int low, int high) {
    if (value < low || value > high) {
      status.Update(absl::InvalidArgumentError(
          absl::StrCat("projector.", name, " is ", value, "; it must lie in [", low, ", ", high, "]")));
    }
  });
  return status;
}

absl::StatusOr<ProjectorConfig> ProjectorConfig::FromJson(const nlohmann::json& json) {
  if (!json.is_object()) return absl::InvalidArgumentError("projector must be an object");
  ProjectorConfig config;
  absl::Status status;
  VisitFields(config, [&](const char* name, int& field, int, int) {
    const auto found = json.find(name);
    if (found == json.end()) return;
    if (found->is_number_integer()) {
      found->get_to(field);
    } else {
      status.Update(absl::InvalidArgumentError(absl::StrCat("projector.", name, " must be an integer")));
    }
  });
  if (!status.ok()) return status;
  const nlohmann::json defaults = config.ToJson();
  for (const auto& [name, value] : json.items()) {
    if (!defaults.contains(name))
      return absl::InvalidArgumentError(absl::StrCat("projector.", name, " is not a setting"));
  }
  if (status = config.Validate(); !status.ok()) return status;
  return config;
}

nlohmann::json ProjectorConfig::ToJson() const {
  nlohmann::json json = nlohmann::json::object();
  VisitFields(*this, [&](const char* name, int value, int, int) { json[name] = value; });
  return json;
}

int ProjectorImpl::SlotInputWidth(const EarsConfig& ears) {
  // Embedding, existence, classes twice, motion, unit vector, harmonics, elevation, log distance, activity, onset,
  // offset, duration.
  return ears.width + 1 + 2 * ears.classes + kMotionKinds + 3 + 2 * kAzimuthHarmonics + 1 + 1 + kActivityBins + 2 + 1;
}

ProjectorImpl::ProjectorImpl(const EarsConfig& ears, const ProjectorConfig& config) : ears_(ears), config_(config) {
  experts_ = register_module("experts", torch::nn::ModuleList());
  experts_->push_back(Mlp(ears.width, config.expert_hidden, config.expert_width));
  for (int i = 0; i < kSpatialExperts + 1; ++i) {
    experts_->push_back(Mlp(2 * ears.width, config.expert_hidden, config.expert_width));
  }
  const int joined = kExperts * config.expert_width;
  norm_ = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({joined})));
  bottleneck_ = register_module("bottleneck", Mlp(joined, config.bottleneck, config.decoder_width));
  slot_ = register_module("slot", Mlp(SlotInputWidth(ears), config.slot_hidden, config.decoder_width));
  room_ = register_module("room", Mlp(kRoomInputWidth, config.slot_hidden, config.decoder_width));
}

torch::Tensor ProjectorImpl::Dense(const EarsOutput& heard) {
  const torch::Tensor where = torch::cat({heard.spatial_tokens, heard.fused_tokens}, -1);
  const torch::Tensor joint = torch::cat({heard.semantic_tokens, heard.spatial_tokens}, -1);
  std::vector<torch::Tensor> outputs;
  for (int i = 0; i < kExperts; ++i) {
    const torch::Tensor& input = i == 0 ? heard.semantic_tokens : i <= kSpatialExperts ? where : joint;
    outputs.push_back(experts_->at<torch::nn::SequentialImpl>(i).forward(input));
  }
  const torch::Tensor joined = norm_(torch::cat(outputs, -1));  // [B, N, experts * expert_width]

  // Mean over `pool` tokens, of those that belong to the clip.
  const int64_t batch = joined.size(0), tokens = joined.size(1), width = joined.size(2), pool = config_.pool;
  const int64_t padding = (pool - tokens % pool) % pool;
  torch::Tensor weight = heard.token_mask.to(joined.scalar_type()).unsqueeze(-1);  // [B, N, 1]
  const torch::Tensor sum =
      torch::constant_pad_nd(joined * weight, {0, 0, 0, padding}).view({batch, -1, pool, width}).sum(2);
  weight = torch::constant_pad_nd(weight, {0, 0, 0, padding}).view({batch, -1, pool, 1}).sum(2).clamp_min(1);
  return bottleneck_->forward(sum / weight);
}

torch::Tensor ProjectorImpl::SlotInputs(const EarsOutput& heard) {
  const torch::ScalarType type = heard.slot_embeddings.scalar_type();
  const torch::Tensor mask = heard.token_mask.to(type).unsqueeze(1);  // [B, 1, N]
  const torch::Tensor counts = heard.token_mask.sum(1);               // [B]
  const torch::Tensor length = counts.to(type).view({-1, 1, 1});      // [B, 1, 1], tokens
  const torch::Tensor sharp = torch::sigmoid(heard.activity_logits * kActivitySharpness) * mask;
  const double seconds = kSecondsScale / kTokensPerSecond;
  const torch::Tensor onset = ExpectedOnset(sharp, length).unsqueeze(-1) * seconds;
  // The offset is the onset of the clip heard backwards; padding, now in front, is silent and must not count.
  const torch::Tensor padding = heard.token_mask.size(1) - length;
  const torch::Tensor before =
      ExpectedOnset(sharp.flip({2}), torch::full_like(length, static_cast<double>(sharp.size(2)))) -
      padding.squeeze(-1);
  const torch::Tensor offset = (length.squeeze(-1) - before).unsqueeze(-1) * seconds;

  const torch::Tensor x = heard.direction.select(-1, 0), y = heard.direction.select(-1, 1);
  const torch::Tensor z = heard.direction.select(-1, 2);
  // Powers of the unit phasor (x + iy) / |x + iy| are the harmonics of the azimuth; no atan2, so that a source overhead
  // has a gradient too.
  const torch::Tensor horizontal = (x.square() + y.square() + 1e-6).sqrt();
  const torch::Tensor cos1 = x / horizontal, sin1 = y / horizontal;
  std::vector<torch::Tensor> parts = {heard.slot_embeddings,
                                      torch::sigmoid(heard.exist_logits).unsqueeze(-1),
                                      torch::softmax(heard.class_logits, -1),
                                      ClassEvidence(heard.class_logits),
                                      torch::softmax(heard.motion_logits, -1),
                                      heard.direction};
  torch::Tensor cos_n = cos1, sin_n = sin1;
  for (int n = 1; n <= kAzimuthHarmonics; ++n) {
    parts.push_back(torch::stack({cos_n, sin_n}, -1));
    const torch::Tensor next = cos_n * cos1 - sin_n * sin1;
    sin_n = sin_n * cos1 + cos_n * sin1;
    cos_n = next;
  }
  parts.push_back(torch::atan2(z, horizontal).unsqueeze(-1));
  parts.push_back(heard.log_distance.unsqueeze(-1));
  parts.push_back(PoolOverClip(torch::sigmoid(heard.activity_logits) * mask, counts));
  parts.push_back(onset);
  parts.push_back(offset);
  parts.push_back((length * seconds).expand({-1, heard.exist_logits.size(1), 1}));
  return torch::cat(parts, -1);
}

torch::Tensor ProjectorImpl::RoomInputs(const EarsOutput& heard) {
  const torch::Tensor duration =
      heard.token_mask.sum(1).to(heard.log_volume.scalar_type()) * (kSecondsScale / kTokensPerSecond);
  return torch::cat(
      {heard.log_t30, torch::stack({heard.log_volume, torch::sigmoid(heard.free_field_logit), duration}, -1)}, -1);
}

AudioTokens ProjectorImpl::forward(const EarsOutput& heard) {
  AudioTokens tokens;
  tokens.slot_order = heard.exist_logits.detach().argsort(/*stable=*/true, /*dim=*/1, /*descending=*/true);
  const torch::Tensor dense = Dense(heard);  // [B, n, d]
  torch::Tensor slots = slot_->forward(SlotInputs(heard));
  slots = slots.gather(1, tokens.slot_order.unsqueeze(-1).expand_as(slots));
  const torch::Tensor room = room_->forward(RoomInputs(heard)).unsqueeze(1);
  const int64_t batch = dense.size(0), most = dense.size(1), width = dense.size(2), tail = slots.size(1) + 1;

  const torch::Tensor counts = heard.token_mask.sum(1);  // [B]
  const torch::Tensor dense_counts = (counts + config_.pool - 1).floor_divide(config_.pool);
  tokens.lengths = (dense_counts + tail).to(torch::kCPU);
  // A clip shorter than the longest has its slots and room right behind its own dense tokens.
  const auto options = counts.options();
  const torch::Tensor position = torch::arange(most + tail, options).unsqueeze(0);  // [1, M]
  const torch::Tensor own = dense_counts.unsqueeze(1);                              // [B, 1]
  const torch::Tensor source =
      torch::where(position < own, position, position - own + most).clamp_max(most + tail - 1);  // [B, M]
  const torch::Tensor all = torch::cat({dense.to(slots.scalar_type()), slots, room.to(slots.scalar_type())}, 1);
  const torch::Tensor valid = (position < own + tail).unsqueeze(-1).to(all.scalar_type());
  tokens.embeddings = all.gather(1, source.unsqueeze(-1).expand({batch, most + tail, width})) * valid;
  return tokens;
}

}  // namespace auricle::model
