#include "model/encoder/evidence.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

#include "absl/strings/str_cat.h"

namespace auricle::model {
namespace {

constexpr double kDegrees = 180.0 / std::numbers::pi;
constexpr int kBestClasses = 5;
constexpr double kSecondsPerToken = 1.0 / kTokensPerSecond;

using Vector = std::array<double, 3>;

struct TokenSpan {
  int64_t begin, end;  // tokens, half open
};

// One slot, read out of the tensors.
struct PerceivedSource {
  int64_t slot = 0;
  double confidence = 0;
  std::vector<double> class_probabilities;
  int best_class = 0;
  std::vector<double> activity;  // probability per token
  std::vector<TokenSpan> spans;
  Vector direction = {1, 0, 0};
  double distance = 0;
};

double Sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

Vector Normalised(const Vector& v, const Vector& otherwise) {
  const double length = std::hypot(v[0], v[1], v[2]);
  if (!(length > 1e-6)) return otherwise;
  return {v[0] / length, v[1] / length, v[2] / length};
}

void FillDirection(const Vector& v, v1::Direction* direction) {
  double azimuth = std::atan2(v[1], v[0]) * kDegrees;
  if (azimuth <= -180.0) azimuth += 360.0;
  direction->set_azimuth_deg(azimuth);
  direction->set_elevation_deg(std::asin(std::clamp(v[2], -1.0, 1.0)) * kDegrees);
}

Vector ToVector(const torch::TensorAccessor<float, 1>& row) { return {row[0], row[1], row[2]}; }

std::vector<double> Softmax(const torch::TensorAccessor<float, 1>& logits) {
  double most = logits[0];
  for (int64_t i = 1; i < logits.size(0); ++i) most = std::max<double>(most, logits[i]);
  std::vector<double> probabilities(logits.size(0));
  double sum = 0;
  for (int64_t i = 0; i < logits.size(0); ++i) sum += probabilities[i] = std::exp(logits[i] - most);
  for (double& p : probabilities) p /= sum;
  return probabilities;
}

// Hysteresis, then gaps closed, then short spans dropped.
std::vector<TokenSpan> Spans(const std::vector<double>& activity, const EvidenceOptions& options) {
  std::vector<TokenSpan> found;
  const int64_t tokens = static_cast<int64_t>(activity.size());
  for (int64_t t = 0; t < tokens; ++t) {
    if (activity[t] < options.activity_on) continue;
    int64_t end = t + 1;
    while (end < tokens && activity[end] >= options.activity_off) ++end;
    found.push_back({t, end});
    t = end - 1;
  }
  std::vector<TokenSpan> joined;
  for (const TokenSpan& span : found) {
    if (!joined.empty() && (span.begin - joined.back().end) * kSecondsPerToken <= options.max_gap_seconds + 1e-9) {
      joined.back().end = span.end;
    } else {
      joined.push_back(span);
    }
  }
  std::vector<TokenSpan> kept;
  for (const TokenSpan& span : joined) {
    if ((span.end - span.begin) * kSecondsPerToken >= options.min_span_seconds - 1e-9) kept.push_back(span);
  }
  if (kept.empty()) {
    // A source that exists sounds somewhere: its longest span, or else the token where it is likeliest.
    if (!joined.empty()) {
      kept.push_back(*std::max_element(joined.begin(), joined.end(), [](const TokenSpan& a, const TokenSpan& b) {
        return a.end - a.begin < b.end - b.begin;
      }));
    } else if (tokens > 0) {
      const int64_t best = std::max_element(activity.begin(), activity.end()) - activity.begin();
      kept.push_back({best, best + 1});
    }
  }
  return kept;
}

bool Overlap(const std::vector<TokenSpan>& a, const std::vector<TokenSpan>& b) {
  for (const TokenSpan& x : a) {
    for (const TokenSpan& y : b) {
      if (x.begin < y.end && y.begin < x.end) return true;
    }
  }
  return false;
}

double AngleDeg(const Vector& a, const Vector& b) {
  return std::acos(std::clamp(a[0] * b[0] + a[1] * b[1] + a[2] * b[2], -1.0, 1.0)) * kDegrees;
}

absl::Status CheckOptions(const EvidenceOptions& options) {
  if (!(options.exist_threshold > 0 && options.exist_threshold < 1)) {
    return absl::InvalidArgumentError("exist_threshold must lie in (0, 1)");
  }
  if (!(options.activity_on > 0 && options.activity_on < 1)) {
    return absl::InvalidArgumentError("activity_on must lie in (0, 1)");
  }
  if (!(options.activity_off > 0 && options.activity_off <= options.activity_on)) {
    return absl::InvalidArgumentError("activity_off must lie in (0, activity_on]");
  }
  if (!(options.start_seconds >= 0)) return absl::InvalidArgumentError("start_seconds must not be negative");
  return absl::OkStatus();
}

// float32 on the CPU, batch item `item`.
torch::Tensor Item(const torch::Tensor& batch, int64_t item) {
  return batch[item].detach().to(torch::kCPU, torch::kFloat32).contiguous();
}

void FillSource(const PerceivedSource& source, const EarsOutput& heard, int64_t item,
                const std::vector<SoundClass>& classes, double duration_seconds, const EvidenceOptions& options,
                v1::Source* out) {
  out->set_class_name(classes[source.best_class].name);
  out->set_class_label(classes[source.best_class].label);
  out->set_confidence(static_cast<float>(source.confidence));
  std::vector<int> order(classes.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return source.class_probabilities[a] > source.class_probabilities[b]; });
  for (size_t i = 0; i < order.size() && i < kBestClasses; ++i) {
    v1::ClassScore* score = out->add_class_scores();
    score->set_class_name(classes[order[i]].name);
    score->set_probability(static_cast<float>(source.class_probabilities[order[i]]));
  }
  for (const TokenSpan& span : source.spans) {
    v1::TimeSpan* time = out->add_active();
    time->set_start_seconds(options.start_seconds + span.begin * kSecondsPerToken);
    time->set_end_seconds(options.start_seconds + std::min(span.end * kSecondsPerToken, duration_seconds));
  }
  FillDirection(source.direction, out->mutable_direction());
  out->set_distance_m(source.distance);
  const torch::Tensor motion = Item(heard.motion_logits, item)[source.slot];
  out->set_motion(static_cast<v1::MotionKind>(motion.argmax().item<int64_t>() + 1));
  if (!options.tracks) return;
  const int64_t first_frame = std::llround(options.start_seconds * kTokensPerSecond);
  const torch::Tensor directions = Item(heard.frame_direction, item)[source.slot].contiguous();
  const torch::Tensor distances = Item(heard.frame_log_distance, item)[source.slot].contiguous();
  const auto direction = directions.accessor<float, 2>();
  const auto distance = distances.accessor<float, 1>();
  for (size_t t = 0; t < source.activity.size(); ++t) {
    v1::SourceFrame* frame = out->add_frames();
    frame->set_frame(static_cast<uint32_t>(first_frame + static_cast<int64_t>(t)));
    FillDirection(Normalised(ToVector(direction[t]), source.direction), frame->mutable_direction());
    frame->set_distance_m(std::exp(distance[t]));
    frame->set_activity(static_cast<float>(source.activity[t]));
  }
}

void FillRoom(const EarsOutput& heard, int64_t item, v1::Room* room) {
  const torch::Tensor t30 = Item(heard.log_t30, item);
  const bool free_field = heard.free_field_logit[item].item<float>() > 0;
  room->set_free_field(free_field);
  if (free_field) return;  // no walls: volume and times are 0 by convention
  const auto log_seconds = t30.accessor<float, 1>();
  room->set_volume_m3(std::exp(heard.log_volume[item].item<float>()));
  room->set_t30_seconds(std::exp(log_seconds[0]));
  for (int band = 1; band < kReverberationBands; ++band) {
    v1::BandTime* time = room->add_t30_bands();
    time->set_centre_hz(kOctaveCentresHz[band - 1]);
    time->set_seconds(std::exp(log_seconds[band]));
  }
}

v1::Scene Decode(const EarsOutput& heard, int64_t item, const std::vector<SoundClass>& classes, double duration_seconds,
                 const EvidenceOptions& options) {
  const int64_t tokens = heard.token_mask[item].sum().item<int64_t>();
  const torch::Tensor exist = Item(heard.exist_logits, item), class_logits = Item(heard.class_logits, item);
  const torch::Tensor activity = Item(heard.activity_logits, item), frame_direction = Item(heard.frame_direction, item);
  const torch::Tensor frame_distance = Item(heard.frame_log_distance, item);
  const torch::Tensor direction = Item(heard.direction, item), distance = Item(heard.log_distance, item);
  const auto exist_at = exist.accessor<float, 1>();
  const auto class_at = class_logits.accessor<float, 2>();
  const auto activity_at = activity.accessor<float, 2>();
  const auto frame_direction_at = frame_direction.accessor<float, 3>();
  const auto frame_distance_at = frame_distance.accessor<float, 2>();
  const auto direction_at = direction.accessor<float, 2>();
  const auto distance_at = distance.accessor<float, 1>();

  std::vector<PerceivedSource> sources;
  for (int64_t k = 0; k < exist.size(0); ++k) {
    PerceivedSource source;
    source.slot = k;
    source.confidence = Sigmoid(exist_at[k]);
    if (!(source.confidence > options.exist_threshold)) continue;
    source.class_probabilities = Softmax(class_at[k]);
    source.best_class =
        static_cast<int>(std::max_element(source.class_probabilities.begin(), source.class_probabilities.end()) -
                         source.class_probabilities.begin());
    for (int64_t t = 0; t < tokens; ++t) source.activity.push_back(Sigmoid(activity_at[k][t]));
    source.spans = Spans(source.activity, options);
    Vector sum = {0, 0, 0};
    double weight = 0, log_distance = 0;
    for (const TokenSpan& span : source.spans) {
      for (int64_t t = span.begin; t < span.end; ++t) {
        for (int i = 0; i < 3; ++i) sum[i] += source.activity[t] * frame_direction_at[k][t][i];
        log_distance += source.activity[t] * frame_distance_at[k][t];
        weight += source.activity[t];
      }
    }
    source.direction = Normalised(sum, Normalised(ToVector(direction_at[k]), {1, 0, 0}));
    source.distance = std::exp(weight > 1e-6 ? log_distance / weight : distance_at[k]);
    sources.push_back(std::move(source));
  }
  std::stable_sort(sources.begin(), sources.end(),
                   [](const PerceivedSource& a, const PerceivedSource& b) { return a.confidence > b.confidence; });

  v1::Scene scene;
  scene.set_duration_seconds(duration_seconds);
  scene.mutable_heard()->set_start_seconds(options.start_seconds);
  scene.mutable_heard()->set_end_seconds(options.start_seconds + duration_seconds);
  std::vector<const PerceivedSource*> kept;
  for (const PerceivedSource& source : sources) {
    const bool duplicate = std::any_of(kept.begin(), kept.end(), [&](const PerceivedSource* other) {
      return other->best_class == source.best_class && Overlap(other->spans, source.spans) &&
             AngleDeg(other->direction, source.direction) < options.duplicate_angle_deg;
    });
    if (duplicate) continue;
    kept.push_back(&source);
    v1::Source* out = scene.add_sources();
    // The slot names the source: it stays the same from one update of a stream to the next.
    out->set_id(absl::StrCat("s", source.slot + 1));
    FillSource(source, heard, item, classes, duration_seconds, options, out);
  }
  FillRoom(heard, item, scene.mutable_room());
  return scene;
}

}  // namespace

absl::StatusOr<v1::Scene> PerceivedScene(const EarsOutput& heard, int64_t item, const std::vector<SoundClass>& classes,
                                         double duration_seconds, const EvidenceOptions& options) {
  if (absl::Status status = CheckOptions(options); !status.ok()) return status;
  if (item < 0 || item >= heard.exist_logits.size(0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("item is ", item, "; it must lie in [0, ", heard.exist_logits.size(0), ")"));
  }
  if (static_cast<int64_t>(classes.size()) != heard.class_logits.size(2)) {
    return absl::InvalidArgumentError(absl::StrCat("the class table has ", classes.size(), " rows, the network ",
                                                   heard.class_logits.size(2), " classes"));
  }
  if (!(duration_seconds > 0)) return absl::InvalidArgumentError("duration_seconds must be positive");
  try {
    return Decode(heard, item, classes, duration_seconds, options);
  } catch (const c10::Error& error) {
    return absl::InternalError(error.what_without_backtrace());
  }
}

}  // namespace auricle::model
