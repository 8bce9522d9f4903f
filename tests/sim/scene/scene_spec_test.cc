#include "sim/scene/scene_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <initializer_list>
#include <string>

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;

TEST(SceneSpec, DefaultsAreTheOnesThatTheProtocolStates) {
  const v1::SceneSpec spec = WithDefaults({});
  EXPECT_EQ(spec.split(), "train");
  ASSERT_EQ(spec.durations_seconds_size(), 2);
  EXPECT_EQ(spec.durations_seconds(0), 5.0);
  EXPECT_EQ(spec.durations_seconds(1), 10.0);
  EXPECT_EQ(spec.min_sources(), 1u);
  EXPECT_EQ(spec.max_sources(), 3u);
  EXPECT_EQ(spec.free_field_probability(), 0.1);
  EXPECT_EQ(spec.room_length_m().min(), 3.0);
  EXPECT_EQ(spec.room_length_m().max(), 12.0);
  EXPECT_EQ(spec.room_width_m().max(), 10.0);
  EXPECT_EQ(spec.room_height_m().min(), 2.4);
  EXPECT_EQ(spec.room_height_m().max(), 4.5);
  EXPECT_EQ(spec.reverberation_seconds().min(), 0.15);
  EXPECT_EQ(spec.reverberation_seconds().max(), 1.0);
  EXPECT_EQ(spec.distance_m().min(), 0.5);
  EXPECT_EQ(spec.distance_m().max(), 6.0);
  EXPECT_EQ(spec.min_separation_deg(), 20.0);
  EXPECT_EQ(spec.level_sd_db(), 4.0);
  EXPECT_EQ(spec.noise_below_db().min(), 25.0);
  EXPECT_EQ(spec.noise_below_db().max(), 60.0);
  EXPECT_EQ(spec.sample_rate_hz(), 16000u);
  EXPECT_EQ(spec.directed_probability(), 0.5);
  EXPECT_EQ(spec.motion_probability(), 0.0);
  EXPECT_EQ(spec.listener_motion_probability(), 0.0);
  EXPECT_EQ(spec.ambience().probability(), 0.0);
  EXPECT_EQ(spec.ambience().below_db().min(), 10.0);
  EXPECT_EQ(spec.ambience().below_db().max(), 40.0);
  EXPECT_EQ(spec.ambience().classes_size(), 7);
  EXPECT_EQ(spec.microphone().self_noise_probability(), 0.0);
  EXPECT_EQ(spec.microphone().gain_error_probability(), 0.0);
  EXPECT_EQ(spec.microphone().axis_error_probability(), 0.0);
  EXPECT_EQ(spec.microphone().aliasing_probability(), 0.0);
  EXPECT_EQ(spec.microphone().clipping_probability(), 0.0);
  EXPECT_EQ(spec.microphone().coding_probability(), 0.0);
  EXPECT_EQ(spec.microphone().coding_bits().min(), 10.0);
  EXPECT_EQ(spec.microphone().coding_bits().max(), 16.0);
  EXPECT_EQ(spec.speed_m_per_s().min(), 0.3);
  EXPECT_EQ(spec.speed_m_per_s().max(), 2.5);
  EXPECT_TRUE(spec.source_count_weights().empty());
  EXPECT_FALSE(spec.has_overlap_probability());
  EXPECT_FALSE(spec.has_silence_share());
  EXPECT_FALSE(spec.has_elevation_deg());
  EXPECT_TRUE(Validate(spec).ok());
}

TEST(SceneSpec, SetFieldsAreKeptZeroIncluded) {
  v1::SceneSpec spec;
  spec.set_free_field_probability(0.0);
  spec.set_level_sd_db(0.0);
  spec.set_max_sources(4);
  spec.add_durations_seconds(7.0);
  const v1::SceneSpec full = WithDefaults(spec);
  EXPECT_EQ(full.free_field_probability(), 0.0);
  EXPECT_EQ(full.level_sd_db(), 0.0);
  EXPECT_EQ(full.max_sources(), 4u);
  EXPECT_EQ(full.durations_seconds_size(), 1);
}

TEST(SceneSpec, EveryFieldOutOfRangeIsRefusedByNameAndRange) {
  const double nan = std::nan("");
  const auto range = [](v1::Range* r, double min, double max) { r->set_min(min), r->set_max(max); };
  const auto weigh = [](v1::SceneSpec& s, std::initializer_list<double> weights) {
    for (double weight : weights) s.add_source_count_weights(weight);
  };
  struct Case {
    std::string field;
    std::function<void(v1::SceneSpec&)> spoil;
  };
  const std::vector<Case> cases = {
      {"split", [](auto& s) { s.set_split("training"); }},
      {"durations_seconds", [](auto& s) { s.set_durations_seconds(0, 0.5); }},
      {"durations_seconds", [&](auto& s) { s.set_durations_seconds(1, nan); }},
      {"durations_seconds", [](auto& s) { s.set_durations_seconds(0, 61); }},
      {"durations_seconds", [](auto& s) { s.clear_durations_seconds(); }},
      {"min_sources", [](auto& s) { s.set_min_sources(5); }},
      {"max_sources", [](auto& s) { s.set_max_sources(5); }},
      {"min_sources = 3 is above max_sources = 2", [](auto& s) { s.set_min_sources(3), s.set_max_sources(2); }},
      {"free_field_probability", [](auto& s) { s.set_free_field_probability(1.1); }},
      {"room_length_m.min", [&](auto& s) { range(s.mutable_room_length_m(), 1.0, 5.0); }},
      {"room_width_m.max", [&](auto& s) { range(s.mutable_room_width_m(), 3.0, 51.0); }},
      {"room_height_m.min", [&](auto& s) { range(s.mutable_room_height_m(), 4.0, 3.0); }},
      {"room_height_m.max", [&](auto& s) { range(s.mutable_room_height_m(), 3.0, nan); }},
      {"reverberation_seconds.min", [&](auto& s) { range(s.mutable_reverberation_seconds(), 0.05, 1.0); }},
      {"reverberation_seconds.max", [&](auto& s) { range(s.mutable_reverberation_seconds(), 0.2, 2.5); }},
      {"distance_m.min", [&](auto& s) { range(s.mutable_distance_m(), 0.1, 1.0); }},
      {"distance_m.max", [&](auto& s) { range(s.mutable_distance_m(), 1.0, 21.0); }},
      {"min_separation_deg", [](auto& s) { s.set_min_separation_deg(91); }},
      {"level_sd_db", [](auto& s) { s.set_level_sd_db(-1); }},
      {"noise_below_db.max", [&](auto& s) { range(s.mutable_noise_below_db(), 20, 95); }},
      {"directed_probability", [](auto& s) { s.set_directed_probability(1.5); }},
      {"directed_probability", [&](auto& s) { s.set_directed_probability(nan); }},
      {"reverberation_seconds.min", [&](auto& s) { range(s.mutable_reverberation_seconds(), 0.0, 1.0); }},
      {"reverberation_seconds.max", [&](auto& s) { range(s.mutable_reverberation_seconds(), 0.2, nan); }},
      {"sample_rate_hz", [](auto& s) { s.set_sample_rate_hz(4000); }},
      {"motion_probability", [](auto& s) { s.set_motion_probability(1.5); }},
      {"listener_motion_probability", [&](auto& s) { s.set_listener_motion_probability(nan); }},
      {"speed_m_per_s.max", [&](auto& s) { range(s.mutable_speed_m_per_s(), 1.0, 31.0); }},
      {"speed_m_per_s.min", [&](auto& s) { range(s.mutable_speed_m_per_s(), 0.0, 1.0); }},
      {"ambience.probability", [](auto& s) { s.mutable_ambience()->set_probability(-0.1); }},
      {"ambience.below_db.max", [&](auto& s) { range(s.mutable_ambience()->mutable_below_db(), 0, 91); }},
      {"ambience.noise_weight", [&](auto& s) { s.mutable_ambience()->set_noise_weight(nan); }},
      {"ambience.speech_shaped_weight", [](auto& s) { s.mutable_ambience()->set_speech_shaped_weight(1.1); }},
      {"ambience.recording_weight", [](auto& s) { s.mutable_ambience()->set_recording_weight(-1); }},
      {"ambience.recording_weight are all 0",
       [](auto& s) {
         s.mutable_ambience()->set_noise_weight(0);
         s.mutable_ambience()->set_speech_shaped_weight(0);
         s.mutable_ambience()->set_recording_weight(0);
       }},
      {"ambience.classes", [](auto& s) { s.mutable_ambience()->add_classes("rain"); }},
      {"microphone.self_noise_probability", [](auto& s) { s.mutable_microphone()->set_self_noise_probability(2); }},
      {"microphone.gain_error_probability", [](auto& s) { s.mutable_microphone()->set_gain_error_probability(-1); }},
      {"microphone.axis_error_probability", [&](auto& s) { s.mutable_microphone()->set_axis_error_probability(nan); }},
      {"microphone.aliasing_probability", [](auto& s) { s.mutable_microphone()->set_aliasing_probability(1.01); }},
      {"microphone.clipping_probability", [](auto& s) { s.mutable_microphone()->set_clipping_probability(9); }},
      {"microphone.coding_probability", [](auto& s) { s.mutable_microphone()->set_coding_probability(-0.5); }},
      {"microphone.mu_law_probability", [](auto& s) { s.mutable_microphone()->set_mu_law_probability(1.5); }},
      {"microphone.self_noise_dbfs.max",
       [&](auto& s) { range(s.mutable_microphone()->mutable_self_noise_dbfs(), -90, -10); }},
      {"microphone.gain_error_db.max", [&](auto& s) { range(s.mutable_microphone()->mutable_gain_error_db(), 0, 7); }},
      {"microphone.axis_error_deg.min",
       [&](auto& s) { range(s.mutable_microphone()->mutable_axis_error_deg(), -1, 5); }},
      {"microphone.array_radius_m.min",
       [&](auto& s) { range(s.mutable_microphone()->mutable_array_radius_m(), 0.001, 0.02); }},
      {"microphone.overload_db.max", [&](auto& s) { range(s.mutable_microphone()->mutable_overload_db(), 0, 31); }},
      {"microphone.coding_bits.min", [&](auto& s) { range(s.mutable_microphone()->mutable_coding_bits(), 4, 8); }},
      {"microphone.coding_bits = 8.5 to 12",
       [&](auto& s) { range(s.mutable_microphone()->mutable_coding_bits(), 8.5, 12); }},
      {"classes", [](auto& s) { s.add_classes("dog"), s.add_classes("dog"); }},
      {"overlap_probability = 1.01 is out of range [0, 1]", [](auto& s) { s.set_overlap_probability(1.01); }},
      {"overlap_probability", [&](auto& s) { s.set_overlap_probability(nan); }},
      {"silence_share.max = 0.95 is out of range [0, 0.9]",
       [&](auto& s) { range(s.mutable_silence_share(), 0, 0.95); }},
      {"silence_share.min = 0.5 is above", [&](auto& s) { range(s.mutable_silence_share(), 0.5, 0.2); }},
      {"elevation_deg.min = -91 is out of range [-90, 90]", [&](auto& s) { range(s.mutable_elevation_deg(), -91, 0); }},
      {"elevation_deg.max", [&](auto& s) { range(s.mutable_elevation_deg(), 0, nan); }},
      {"source_count_weights has 5 entries",
       [&](auto& s) {
         weigh(s, {1, 1, 1, 1, 1});
       }},
      {"source_count_weights[1] = -1 is out of range [0, 1e+06]",
       [&](auto& s) {
         weigh(s, {1, -1, 1});
       }},
      {"source_count_weights[0]",
       [&](auto& s) {
         weigh(s, {nan, 1, 1});
       }},
      {"source_count_weights[3] = 1 is out of range [0, 0]",
       [&](auto& s) {
         weigh(s, {1, 1, 1, 1});
       }},
      {"source_count_weights are all 0",
       [&](auto& s) {
         weigh(s, {0, 0, 0});
       }},
  };
  for (const Case& c : cases) {
    v1::SceneSpec spec = WithDefaults({});
    c.spoil(spec);
    const absl::Status status = Validate(spec);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.field;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.field));
  }
}

// A 50 m cube has 8.33 m3 a square metre: at absorption 0.99 it rings for 24 ln(10) / 343 * 8.33 / ln(100) = 0.292 s.
TEST(SceneSpec, ReverberationThatNoWallsCanGiveIsRefusedWithTheRange) {
  v1::SceneSpec spec = WithDefaults({});
  for (v1::Range* side : {spec.mutable_room_length_m(), spec.mutable_room_width_m(), spec.mutable_room_height_m()}) {
    side->set_min(3.0);
    side->set_max(50.0);
  }
  spec.mutable_reverberation_seconds()->set_min(0.25);
  const absl::Status status = Validate(spec);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("reverberation_seconds.min = 0.25 is out of range [0.292, "));
  EXPECT_THAT(std::string(status.message()), HasSubstr("one of 50 x 50 x 50 m cannot ring for less"));
  spec.mutable_reverberation_seconds()->set_min(0.3);
  EXPECT_TRUE(Validate(spec).ok());
}

TEST(SceneSpec, WeightsSayHowManySourcesThereAreWhereNothingElseDoes) {
  v1::SceneSpec spec;
  for (double weight : {0.0, 1.0, 0.0, 3.0}) spec.add_source_count_weights(weight);
  const v1::SceneSpec full = WithDefaults(spec);
  EXPECT_EQ(full.min_sources(), 2u);
  EXPECT_EQ(full.max_sources(), 4u);
  EXPECT_TRUE(Validate(full).ok());
  spec.set_max_sources(3);
  EXPECT_THAT(std::string(Validate(WithDefaults(spec)).message()), HasSubstr("source_count_weights[3]"));
}

TEST(SceneSpec, JsonIsReadAndWhatItGetsWrongIsNamed) {
  const auto read = ParseSceneSpec(R"({"name": "a", "max_sources": 2, "distance_m": {"min": 0.3, "max": 15}})");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->max_sources(), 2u);
  EXPECT_EQ(read->distance_m().max(), 15.0);
  EXPECT_FALSE(read->has_motion_probability());
  for (const auto& [json, words] : {std::pair{R"({"room_lenght_m": {"min": 3, "max": 4}})", "room_lenght_m"},
                                    {R"({"distance_m": 3})", "distance_m"},
                                    {R"({"max_sources": "many"})", "max_sources"},
                                    {R"({"level_sd_db": 40})", "level_sd_db = 40"},
                                    {"{", "SceneSpec in JSON"},
                                    {"", "SceneSpec in JSON"}}) {
    const auto bad = ParseSceneSpec(json);
    EXPECT_EQ(bad.status().code(), absl::StatusCode::kInvalidArgument) << json;
    EXPECT_THAT(std::string(bad.status().message()), HasSubstr(words));
  }
}

TEST(SceneSpec, FullStrengthIsAsWideAsScenesGo) {
  const v1::SceneSpec spec = WithDefaults(FullSceneSpec());
  EXPECT_TRUE(Validate(spec).ok());
  EXPECT_EQ(spec.min_sources(), 1u);
  EXPECT_EQ(spec.max_sources(), 4u);
  EXPECT_EQ(spec.distance_m().min(), 0.3);
  EXPECT_EQ(spec.distance_m().max(), 15.0);
  EXPECT_EQ(spec.reverberation_seconds().min(), 0.1);
  EXPECT_EQ(spec.split(), "train");
  EXPECT_GT(spec.motion_probability(), 0.0);
}

}  // namespace
}  // namespace auricle::sim
