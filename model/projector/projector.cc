#include "model/projector/projector.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/encoder/course.h"

namespace auricle::model {
namespace {

constexpr int kSpatialExperts = 4;
constexpr int kExperts = 1 + kSpatialExperts + 1;
// Sharpens activity before onset and offset are read off it: a floor of many small probabilities is no onset.
constexpr double kActivitySharpness = 4.0;
// Seconds are given to the MLPs in units of ten.
constexpr double kSecondsScale = 0.1;
constexpr double kTokenSeconds = kSecondsScale / kTokensPerSecond;

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
  visit("related_slots", config.related_slots, 0, 16);
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

int64_t RelatedSlots(const EarsConfig& ears, const ProjectorConfig& config) {
  return std::min(config.related_slots, ears.slots);
}

// Number of their ordered pairs.
int64_t Relations(const EarsConfig& ears, const ProjectorConfig& config) {
  return RelatedSlots(ears, config) * (RelatedSlots(ears, config) - 1);
}

// When each slot first and last sounds, [B, K, 1] each, in units of ten seconds.
struct Timing {
  torch::Tensor onset, offset;
};

Timing TimingOf(const EarsOutput& heard) {
  const torch::ScalarType type = heard.activity_logits.scalar_type();
  const torch::Tensor mask = heard.token_mask.to(type).unsqueeze(1);               // [B, 1, N]
  const torch::Tensor length = heard.token_mask.sum(1).to(type).view({-1, 1, 1});  // [B, 1, 1], tokens
  const torch::Tensor sharp = torch::sigmoid(heard.activity_logits * kActivitySharpness) * mask;
  const torch::Tensor onset = ExpectedOnset(sharp, length).unsqueeze(-1);
  // The offset is the onset of the clip heard backwards; padding, now in front, is silent and must not count.
  const torch::Tensor padding = heard.token_mask.size(1) - length;
  const torch::Tensor before =
      ExpectedOnset(sharp.flip({2}), torch::full_like(length, static_cast<double>(sharp.size(2)))) -
      padding.squeeze(-1);
  return {onset * kTokenSeconds, (length.squeeze(-1) - before).unsqueeze(-1) * kTokenSeconds};
}

// Where a vector [..., 3] points: cosine and sine of its azimuth and its elevation in radians, [...] each. No atan2 for
// the azimuth, so that a vector straight up has a gradient too.
struct Bearing {
  torch::Tensor cos, sin, elevation;
};

Bearing BearingOf(const torch::Tensor& vector) {
  const torch::Tensor x = vector.select(-1, 0), y = vector.select(-1, 1), z = vector.select(-1, 2);
  const torch::Tensor horizontal = (x.square() + y.square() + 1e-6).sqrt();
  return {x / horizontal, y / horizontal, torch::atan2(z, horizontal)};
}

// cos(n angle), sin(n angle) for n = 1 .. kAzimuthHarmonics: powers of the phasor.
void AppendHarmonics(const torch::Tensor& cos, const torch::Tensor& sin, std::vector<torch::Tensor>& parts) {
  torch::Tensor cos_n = cos, sin_n = sin;
  for (int n = 1; n <= ProjectorImpl::kAzimuthHarmonics; ++n) {
    parts.push_back(torch::stack({cos_n, sin_n}, -1));
    const torch::Tensor next = cos_n * cos - sin_n * sin;
    sin_n = sin_n * cos + cos_n * sin;
    cos_n = next;
  }
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

int64_t ProjectorImpl::TokenCount(const EarsConfig& ears, const ProjectorConfig& config, int64_t tokens) {
  return (tokens + config.pool - 1) / config.pool + Relations(ears, config) + ears.slots + 1;
}

int ProjectorImpl::SlotInputWidth(const EarsConfig& ears) {
  // Embedding, existence, classes twice, motion, unit vector, harmonics, elevation, log distance, activity, onset,
  // offset, duration, course.
  return ears.width + 1 + 2 * ears.classes + kMotionKinds + 3 + 2 * kAzimuthHarmonics + 1 + 1 + kActivityBins + 2 + 1 +
         (ears.beams ? kCourseValues : 0);
}

int ProjectorImpl::RelationInputWidth(const EarsConfig& ears) {
  // Existence and classes of both; turn, angle (harmonics and itself), elevation, log distance; way (harmonics,
  // elevation, log length); onset, offset, overlap.
  return 2 * (1 + 2 * ears.classes) + 4 * kAzimuthHarmonics + 3 + 2 * kAzimuthHarmonics + 2 + 3;
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
  if (Relations(ears, config) > 0) {
    relation_ = register_module("relation", Mlp(RelationInputWidth(ears), config.slot_hidden, config.decoder_width));
  }
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
  const Timing timing = TimingOf(heard);
  const Bearing bearing = BearingOf(heard.direction);
  std::vector<torch::Tensor> parts = {heard.slot_embeddings,
                                      torch::sigmoid(heard.exist_logits).unsqueeze(-1),
                                      torch::softmax(heard.class_logits, -1),
                                      ClassEvidence(heard.class_logits),
                                      torch::softmax(heard.motion_logits, -1),
                                      heard.direction};
  AppendHarmonics(bearing.cos, bearing.sin, parts);
  parts.push_back(bearing.elevation.unsqueeze(-1));
  parts.push_back(heard.log_distance.unsqueeze(-1));
  parts.push_back(PoolOverClip(torch::sigmoid(heard.activity_logits) * mask, counts));
  parts.push_back(timing.onset);
  parts.push_back(timing.offset);
  parts.push_back((counts.to(type).view({-1, 1, 1}) * kTokenSeconds).expand({-1, heard.exist_logits.size(1), 1}));
  if (ears_.beams) parts.push_back(heard.course);
  return torch::cat(parts, -1);
}

torch::Tensor ProjectorImpl::RelationInputs(const EarsOutput& heard, const torch::Tensor& order) {
  const int64_t related = RelatedSlots(ears_, config_);
  std::vector<int64_t> first, second;
  for (int64_t i = 0; i < related; ++i) {
    for (int64_t j = 0; j < related; ++j) {
      if (i == j) continue;
      first.push_back(i);
      second.push_back(j);
    }
  }
  const auto index = [&](const std::vector<int64_t>& which) {
    return order.index_select(1, torch::tensor(which, torch::kInt64).to(order.device()));  // [B, P]
  };
  const torch::Tensor of_a = index(first), of_b = index(second);
  const auto pick = [](const torch::Tensor& of, const torch::Tensor& slots) {  // [B, K, n] -> [B, P, n]
    return slots.gather(1, of.unsqueeze(-1).expand({-1, -1, slots.size(2)}));
  };
  std::vector<torch::Tensor> parts;
  // Which two.
  for (const torch::Tensor& of : {of_a, of_b}) {
    parts.push_back(torch::sigmoid(pick(of, heard.exist_logits.unsqueeze(-1))));
    const torch::Tensor classes = pick(of, heard.class_logits);
    parts.push_back(torch::softmax(classes, -1));
    parts.push_back(ClassEvidence(classes));
  }
  // As the listener hears them: how far a is turned from b, the angle between them, higher or lower, farther or nearer.
  const torch::Tensor a = pick(of_a, heard.direction), b = pick(of_b, heard.direction);  // [B, P, 3]
  const Bearing bearing_a = BearingOf(a), bearing_b = BearingOf(b);
  AppendHarmonics(bearing_a.cos * bearing_b.cos + bearing_a.sin * bearing_b.sin,
                  bearing_a.sin * bearing_b.cos - bearing_a.cos * bearing_b.sin, parts);
  const torch::Tensor cos_between = (a * b).sum(-1);
  const torch::Tensor sin_between = (torch::linalg_cross(a, b).square().sum(-1) + 1e-6).sqrt();
  AppendHarmonics(cos_between, sin_between, parts);
  parts.push_back(torch::atan2(sin_between, cos_between).unsqueeze(-1));
  parts.push_back((bearing_a.elevation - bearing_b.elevation).unsqueeze(-1));
  const torch::Tensor far_a = pick(of_a, heard.log_distance.unsqueeze(-1));
  const torch::Tensor far_b = pick(of_b, heard.log_distance.unsqueeze(-1));
  parts.push_back(far_a - far_b);
  // As one who stands at b: the way to a, and how long it is.
  const torch::Tensor way = a * far_a.exp() - b * far_b.exp();
  const torch::Tensor length = (way.square().sum(-1, /*keepdim=*/true) + 1e-6).sqrt();
  const Bearing bearing_way = BearingOf(way);
  AppendHarmonics(bearing_way.cos, bearing_way.sin, parts);
  parts.push_back(bearing_way.elevation.unsqueeze(-1));
  parts.push_back(length.log());
  // Which begins and ends first, and how much of the clip they share.
  const Timing timing = TimingOf(heard);
  parts.push_back(pick(of_a, timing.onset) - pick(of_b, timing.onset));
  parts.push_back(pick(of_a, timing.offset) - pick(of_b, timing.offset));
  const torch::Tensor active =
      torch::sigmoid(heard.activity_logits) * heard.token_mask.to(heard.activity_logits.scalar_type()).unsqueeze(1);
  const torch::Tensor tokens = heard.token_mask.sum(1).to(active.scalar_type()).view({-1, 1, 1});
  parts.push_back((pick(of_a, active) * pick(of_b, active)).sum(-1, /*keepdim=*/true) / tokens);
  return torch::cat(parts, -1);
}

torch::Tensor ProjectorImpl::RoomInputs(const EarsOutput& heard) {
  const torch::Tensor duration = heard.token_mask.sum(1).to(heard.log_volume.scalar_type()) * kTokenSeconds;
  return torch::cat(
      {heard.log_t30, torch::stack({heard.log_volume, torch::sigmoid(heard.free_field_logit), duration}, -1)}, -1);
}

AudioTokens ProjectorImpl::forward(const EarsOutput& heard) {
  AudioTokens tokens;
  tokens.slot_order = heard.exist_logits.detach().argsort(/*stable=*/true, /*dim=*/1, /*descending=*/true);
  const torch::Tensor dense = Dense(heard);  // [B, n, d]
  torch::Tensor slots = slot_->forward(SlotInputs(heard));
  slots = slots.gather(1, tokens.slot_order.unsqueeze(-1).expand_as(slots));
  const torch::Tensor room = room_->forward(RoomInputs(heard)).unsqueeze(1).to(slots.scalar_type());
  torch::Tensor rest = torch::cat({slots, room}, 1);  // what follows the dense tokens, [B, r, d]
  if (!relation_.is_empty()) {
    rest = torch::cat({relation_->forward(RelationInputs(heard, tokens.slot_order)).to(rest.scalar_type()), rest}, 1);
  }
  const int64_t batch = dense.size(0), most = dense.size(1), width = dense.size(2), tail = rest.size(1);

  const torch::Tensor counts = heard.token_mask.sum(1);  // [B]
  const torch::Tensor dense_counts = (counts + config_.pool - 1).floor_divide(config_.pool);
  tokens.lengths = (dense_counts + tail).to(torch::kCPU);
  // A clip shorter than the longest has the rest right behind its own dense tokens.
  const auto options = counts.options();
  const torch::Tensor position = torch::arange(most + tail, options).unsqueeze(0);  // [1, M]
  const torch::Tensor own = dense_counts.unsqueeze(1);                              // [B, 1]
  const torch::Tensor source =
      torch::where(position < own, position, position - own + most).clamp_max(most + tail - 1);  // [B, M]
  const torch::Tensor all = torch::cat({dense.to(rest.scalar_type()), rest}, 1);
  const torch::Tensor valid = (position < own + tail).unsqueeze(-1).to(all.scalar_type());
  tokens.embeddings = all.gather(1, source.unsqueeze(-1).expand({batch, most + tail, width})) * valid;
  return tokens;
}

}  // namespace auricle::model
