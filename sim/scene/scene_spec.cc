#include "sim/scene/scene_spec.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sim/room/bands.h"
#include "sim/room/in_range.h"

namespace auricle::sim {

namespace internal {
extern const char* const kFullJson;  // made from full.json by CMake
}

namespace {

constexpr int kMaxSources = 4;

void SetDefault(v1::Range* range, double min, double max) {
  range->set_min(min);
  range->set_max(max);
}

absl::Status CheckRange(const char* field, const v1::Range& range, double low, double high) {
  for (const auto& [end, value] : {std::pair{".min", range.min()}, std::pair{".max", range.max()}}) {
    if (absl::Status s = CheckInRange(absl::StrCat(field, end), value, low, high); !s.ok()) return s;
  }
  if (range.min() > range.max()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s.min = %g is above %s.max = %g", field, range.min(), field, range.max()));
  }
  return absl::OkStatus();
}

absl::Status CheckUnique(const char* field, const google::protobuf::RepeatedPtrField<std::string>& names) {
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second) {
      return absl::InvalidArgumentError(absl::StrFormat("%s names \"%s\" twice", field, name));
    }
  }
  return absl::OkStatus();
}

// The longer a room's mean free path the longer it rings: the largest room bounds the shortest time, the smallest the
// longest.
absl::Status CheckReverberation(const v1::SceneSpec& spec) {
  const v1::Range &x = spec.room_length_m(), &y = spec.room_width_m(), &z = spec.room_height_m();
  const double least = PossibleReverberation({x.max(), y.max(), z.max()}).min_seconds;
  const double most = PossibleReverberation({x.min(), y.min(), z.min()}).max_seconds;
  for (const auto& [end, value] :
       {std::pair{"min", spec.reverberation_seconds().min()}, std::pair{"max", spec.reverberation_seconds().max()}}) {
    if (value >= least && value <= most) continue;
    return absl::InvalidArgumentError(absl::StrFormat(
        "reverberation_seconds.%s = %g is out of range [%.3g, %.3g], what walls can give in every room of the ranges: "
        "one of %g x %g x %g m cannot ring for less, one of %g x %g x %g m for more",
        end, value, least, most, x.max(), y.max(), z.max(), x.min(), y.min(), z.min()));
  }
  return absl::OkStatus();
}

absl::Status CheckCountWeights(const v1::SceneSpec& spec) {
  const auto& weights = spec.source_count_weights();
  if (weights.empty()) return absl::OkStatus();
  if (weights.size() > kMaxSources) {
    return absl::InvalidArgumentError(
        absl::StrFormat("source_count_weights has %d entries: allowed are up to %d, for 1 to %d sources",
                        weights.size(), kMaxSources, kMaxSources));
  }
  double sum = 0.0;
  for (int i = 0; i < weights.size(); ++i) {
    const bool drawn = i + 1 >= static_cast<int>(spec.min_sources()) && i + 1 <= static_cast<int>(spec.max_sources());
    const double most = drawn ? 1e6 : 0.0;
    if (!(weights[i] >= 0.0 && weights[i] <= most)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("source_count_weights[%d] = %g is out of range [0, %g] (min_sources = %u, max_sources = %u)",
                          i, weights[i], most, spec.min_sources(), spec.max_sources()));
    }
    sum += weights[i];
  }
  if (sum > 0.0) return absl::OkStatus();
  return absl::InvalidArgumentError("source_count_weights are all 0: one at least must be above");
}

// The first and the last count that has a weight; 0 and 0 where none has.
std::pair<uint32_t, uint32_t> WeightedCounts(const v1::SceneSpec& spec) {
  uint32_t first = 0, last = 0;
  for (int i = 0; i < std::min(spec.source_count_weights_size(), kMaxSources); ++i) {
    if (!(spec.source_count_weights(i) > 0.0)) continue;
    last = static_cast<uint32_t>(i + 1);
    if (first == 0) first = last;
  }
  return {first, last};
}

void FillAmbience(v1::AmbienceSpec& ambience) {
  if (!ambience.has_probability()) ambience.set_probability(0.0);
  if (!ambience.has_below_db()) SetDefault(ambience.mutable_below_db(), 10.0, 40.0);
  if (!ambience.has_noise_weight()) ambience.set_noise_weight(0.15);
  if (!ambience.has_speech_shaped_weight()) ambience.set_speech_shaped_weight(0.25);
  if (!ambience.has_recording_weight()) ambience.set_recording_weight(0.6);
  if (ambience.classes().empty()) {
    for (const char* name : {"applause", "engine", "insect", "rain", "water", "waves", "wind"}) {
      ambience.add_classes(name);
    }
  }
}

void FillMicrophone(v1::MicrophoneSpec& microphone) {
  if (!microphone.has_self_noise_probability()) microphone.set_self_noise_probability(0.0);
  if (!microphone.has_self_noise_dbfs()) SetDefault(microphone.mutable_self_noise_dbfs(), -95.0, -65.0);
  if (!microphone.has_gain_error_probability()) microphone.set_gain_error_probability(0.0);
  if (!microphone.has_gain_error_db()) SetDefault(microphone.mutable_gain_error_db(), 0.2, 1.5);
  if (!microphone.has_axis_error_probability()) microphone.set_axis_error_probability(0.0);
  if (!microphone.has_axis_error_deg()) SetDefault(microphone.mutable_axis_error_deg(), 0.5, 5.0);
  if (!microphone.has_aliasing_probability()) microphone.set_aliasing_probability(0.0);
  if (!microphone.has_array_radius_m()) SetDefault(microphone.mutable_array_radius_m(), 0.012, 0.035);
  if (!microphone.has_clipping_probability()) microphone.set_clipping_probability(0.0);
  if (!microphone.has_overload_db()) SetDefault(microphone.mutable_overload_db(), 1.0, 10.0);
  if (!microphone.has_coding_probability()) microphone.set_coding_probability(0.0);
  if (!microphone.has_mu_law_probability()) microphone.set_mu_law_probability(0.3);
  if (!microphone.has_coding_bits()) SetDefault(microphone.mutable_coding_bits(), 10.0, 16.0);
}

absl::Status CheckAmbience(const v1::AmbienceSpec& ambience) {
  absl::Status status;
  status.Update(CheckInRange("ambience.probability", ambience.probability(), 0.0, 1.0));
  status.Update(CheckRange("ambience.below_db", ambience.below_db(), 0.0, 90.0));
  status.Update(CheckInRange("ambience.noise_weight", ambience.noise_weight(), 0.0, 1.0));
  status.Update(CheckInRange("ambience.speech_shaped_weight", ambience.speech_shaped_weight(), 0.0, 1.0));
  status.Update(CheckInRange("ambience.recording_weight", ambience.recording_weight(), 0.0, 1.0));
  if (status.ok() && ambience.noise_weight() + ambience.speech_shaped_weight() + ambience.recording_weight() <= 0.0) {
    return absl::InvalidArgumentError(
        "ambience.noise_weight, ambience.speech_shaped_weight and ambience.recording_weight are all 0: one at least "
        "must be in (0, 1]");
  }
  status.Update(CheckUnique("ambience.classes", ambience.classes()));
  return status;
}

absl::Status CheckMicrophone(const v1::MicrophoneSpec& microphone) {
  absl::Status status;
  const auto probability = [&](const char* field, double value) {
    status.Update(CheckInRange(field, value, 0.0, 1.0));
  };
  probability("microphone.self_noise_probability", microphone.self_noise_probability());
  probability("microphone.gain_error_probability", microphone.gain_error_probability());
  probability("microphone.axis_error_probability", microphone.axis_error_probability());
  probability("microphone.aliasing_probability", microphone.aliasing_probability());
  probability("microphone.clipping_probability", microphone.clipping_probability());
  probability("microphone.coding_probability", microphone.coding_probability());
  probability("microphone.mu_law_probability", microphone.mu_law_probability());
  status.Update(CheckRange("microphone.self_noise_dbfs", microphone.self_noise_dbfs(), -140.0, -20.0));
  status.Update(CheckRange("microphone.gain_error_db", microphone.gain_error_db(), 0.0, 6.0));
  status.Update(CheckRange("microphone.axis_error_deg", microphone.axis_error_deg(), 0.0, 20.0));
  status.Update(CheckRange("microphone.array_radius_m", microphone.array_radius_m(), 0.003, 0.1));
  status.Update(CheckRange("microphone.overload_db", microphone.overload_db(), 0.0, 30.0));
  const v1::Range& bits = microphone.coding_bits();
  status.Update(CheckRange("microphone.coding_bits", bits, 8.0, 16.0));
  if (status.ok() && (bits.min() != std::floor(bits.min()) || bits.max() != std::floor(bits.max()))) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "microphone.coding_bits = %g to %g: both must be whole numbers in [8, 16]", bits.min(), bits.max()));
  }
  return status;
}

}  // namespace

v1::SceneSpec WithDefaults(const v1::SceneSpec& spec) {
  v1::SceneSpec full = spec;
  if (full.name().empty()) full.set_name("scene");
  if (full.split().empty()) full.set_split("train");
  if (full.durations_seconds().empty()) {
    full.add_durations_seconds(5.0);
    full.add_durations_seconds(10.0);
  }
  const auto [first, last] = WeightedCounts(full);
  if (full.max_sources() == 0) full.set_max_sources(last);
  if (full.min_sources() == 0) full.set_min_sources(first);
  if (full.min_sources() == 0)
    full.set_min_sources(full.max_sources() == 0 ? 1 : std::min<uint32_t>(1, full.max_sources()));
  if (full.max_sources() == 0) full.set_max_sources(std::max<uint32_t>(3, full.min_sources()));
  if (!full.has_free_field_probability()) full.set_free_field_probability(0.1);
  if (!full.has_room_length_m()) SetDefault(full.mutable_room_length_m(), 3.0, 12.0);
  if (!full.has_room_width_m()) SetDefault(full.mutable_room_width_m(), 3.0, 10.0);
  if (!full.has_room_height_m()) SetDefault(full.mutable_room_height_m(), 2.4, 4.5);
  if (!full.has_reverberation_seconds()) SetDefault(full.mutable_reverberation_seconds(), 0.15, 1.0);
  if (!full.has_distance_m()) SetDefault(full.mutable_distance_m(), 0.5, 6.0);
  if (!full.has_min_separation_deg()) full.set_min_separation_deg(20.0);
  if (!full.has_level_sd_db()) full.set_level_sd_db(4.0);
  if (!full.has_noise_below_db()) SetDefault(full.mutable_noise_below_db(), 25.0, 60.0);
  if (full.sample_rate_hz() == 0) full.set_sample_rate_hz(16000);
  if (!full.has_directed_probability()) full.set_directed_probability(0.5);
  if (!full.has_motion_probability()) full.set_motion_probability(0.0);
  if (!full.has_listener_motion_probability()) full.set_listener_motion_probability(0.0);
  if (!full.has_speed_m_per_s()) SetDefault(full.mutable_speed_m_per_s(), 0.3, 2.5);
  FillAmbience(*full.mutable_ambience());
  FillMicrophone(*full.mutable_microphone());
  return full;
}

absl::Status Validate(const v1::SceneSpec& spec) {
  if (spec.split() != "train" && spec.split() != "validation" && spec.split() != "test") {
    return absl::InvalidArgumentError(
        absl::StrFormat("split = \"%s\" is none of \"train\", \"validation\", \"test\"", spec.split()));
  }
  if (spec.durations_seconds().empty())
    return absl::InvalidArgumentError("durations_seconds is empty: at least one length in [1, 60]");
  absl::Status status;
  const auto check = [&](absl::Status s) {
    if (status.ok()) status = std::move(s);
  };
  for (double seconds : spec.durations_seconds()) check(CheckInRange("durations_seconds", seconds, 1.0, 60.0));
  check(CheckInRange("min_sources", spec.min_sources(), 1, kMaxSources));
  check(CheckInRange("max_sources", spec.max_sources(), 1, kMaxSources));
  if (status.ok() && spec.min_sources() > spec.max_sources()) {
    status = absl::InvalidArgumentError(
        absl::StrFormat("min_sources = %u is above max_sources = %u", spec.min_sources(), spec.max_sources()));
  }
  if (status.ok()) status = CheckCountWeights(spec);
  check(CheckInRange("free_field_probability", spec.free_field_probability(), 0.0, 1.0));
  check(CheckRange("room_length_m", spec.room_length_m(), 2.0, 50.0));
  check(CheckRange("room_width_m", spec.room_width_m(), 2.0, 50.0));
  check(CheckRange("room_height_m", spec.room_height_m(), 2.0, 50.0));
  check(CheckRange("reverberation_seconds", spec.reverberation_seconds(), 0.1, 2.0));
  if (status.ok()) status = CheckReverberation(spec);
  check(CheckRange("distance_m", spec.distance_m(), 0.3, 20.0));
  check(CheckInRange("min_separation_deg", spec.min_separation_deg(), 0.0, 90.0));
  check(CheckInRange("level_sd_db", spec.level_sd_db(), 0.0, 12.0));
  check(CheckRange("noise_below_db", spec.noise_below_db(), 0.0, 90.0));
  check(CheckInRange("directed_probability", spec.directed_probability(), 0.0, 1.0));
  check(CheckInRange("sample_rate_hz", spec.sample_rate_hz(), 8000, 192000));
  check(CheckInRange("motion_probability", spec.motion_probability(), 0.0, 1.0));
  check(CheckInRange("listener_motion_probability", spec.listener_motion_probability(), 0.0, 1.0));
  check(CheckRange("speed_m_per_s", spec.speed_m_per_s(), 0.1, 30.0));
  if (spec.has_overlap_probability()) check(CheckInRange("overlap_probability", spec.overlap_probability(), 0.0, 1.0));
  if (spec.has_silence_share()) check(CheckRange("silence_share", spec.silence_share(), 0.0, 0.9));
  if (spec.has_elevation_deg()) check(CheckRange("elevation_deg", spec.elevation_deg(), -90.0, 90.0));
  check(CheckUnique("classes", spec.classes()));
  check(CheckAmbience(spec.ambience()));
  check(CheckMicrophone(spec.microphone()));
  return status;
}

absl::StatusOr<v1::SceneSpec> ParseSceneSpec(std::string_view json) {
  v1::SceneSpec spec;
  const auto read = google::protobuf::util::JsonStringToMessage(std::string(json), &spec);
  if (!read.ok()) {
    // The first line; those below it show the place with a caret.
    const std::string why(read.message());
    return absl::InvalidArgumentError(absl::StrCat("is not a SceneSpec in JSON: ", why.substr(0, why.find('\n'))));
  }
  if (absl::Status s = Validate(WithDefaults(spec)); !s.ok()) return s;
  return spec;
}

v1::SceneSpec FullSceneSpec() { return ParseSceneSpec(internal::kFullJson).value(); }

}  // namespace auricle::sim
