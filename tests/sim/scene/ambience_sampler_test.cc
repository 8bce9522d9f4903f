#include "sim/scene/ambience_sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <string>

#include "sim/scene/scene_sampler.h"
#include "sim/scene/scene_spec.h"
#include "tests/sim/scene/small_bank.h"

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;

ScenePlan Plan(const v1::SceneSpec& spec, uint64_t index) {
  auto plan = PlanScene(spec, *SmallBank(), 5, index);
  EXPECT_TRUE(plan.ok()) << plan.status();
  return plan.ok() ? *plan : ScenePlan{};
}

v1::SceneSpec Spec(double probability) {
  v1::SceneSpec spec;
  spec.mutable_ambience()->set_probability(probability);
  return spec;
}

const Recording& RecordingAt(int index) { return SmallBank()->recordings()[static_cast<size_t>(index)]; }

TEST(DrawAmbience, ScenesHaveNoneUnlessAsked) {
  for (uint64_t i = 0; i < 50; ++i) EXPECT_FALSE(Plan({}, i).ambience.has_value());
}

TEST(DrawAmbience, ProbabilityKindsAndLevelsAreThoseOfTheSpec) {
  int beds = 0;
  std::map<v1::AmbienceKind, int> kinds;
  v1::AmbienceSpec spec = WithDefaults(Spec(0.5)).ambience();
  const double nominal_db = 20 * std::log10(0.25 / (4 * std::numbers::pi));
  for (uint64_t i = 0; i < 4000; ++i) {
    const auto drawn = DrawAmbience(spec, *SmallBank(), Split::kTrain, {}, Random(i));
    ASSERT_TRUE(drawn.ok());
    if (!drawn->has_value()) continue;
    ++beds;
    ++kinds[(*drawn)->kind];
    EXPECT_LE((*drawn)->level_dbfs, nominal_db - 10.0 + 1e-6);
    EXPECT_GE((*drawn)->level_dbfs, nominal_db - 40.0 - 1e-6);
    EXPECT_GE((*drawn)->slope_db, 0.0);
    EXPECT_LE((*drawn)->slope_db, 6.0);
  }
  EXPECT_NEAR(beds / 4000.0, 0.5, 0.03);
  EXPECT_NEAR(kinds[v1::AMBIENCE_KIND_NOISE] / static_cast<double>(beds), 0.15, 0.03);
  EXPECT_NEAR(kinds[v1::AMBIENCE_KIND_SPEECH_SHAPED] / static_cast<double>(beds), 0.25, 0.03);
  EXPECT_NEAR(kinds[v1::AMBIENCE_KIND_RECORDING] / static_cast<double>(beds), 0.6, 0.03);
}

// The small bank has classes 0 to 5, and of those that the spec names recordings of 2 s or more of the most.
TEST(DrawAmbience, RecordingsAreLongOfTheSplitAndOfNoClassThatSounds) {
  for (const char* split : {"train", "validation", "test"}) {
    v1::SceneSpec spec = Spec(1.0);
    spec.set_split(split);
    spec.mutable_ambience()->set_noise_weight(0.0);
    spec.mutable_ambience()->set_speech_shaped_weight(0.0);
    for (size_t c = 0; c < 6; ++c) spec.mutable_ambience()->add_classes(SoundClasses()[c].name);
    int recorded = 0;
    for (uint64_t i = 0; i < 200; ++i) {
      const ScenePlan plan = Plan(spec, i);
      ASSERT_TRUE(plan.ambience.has_value());
      if (plan.ambience->kind != v1::AMBIENCE_KIND_RECORDING) continue;
      ++recorded;
      const Recording& bed = RecordingAt(plan.ambience->recording);
      EXPECT_EQ(SplitName(bed.split), split);
      EXPECT_GE(bed.seconds, kLeastBedSeconds);
      for (const PlannedSource& source : plan.sources) {
        EXPECT_NE(RecordingAt(source.recording).class_index, bed.class_index);
      }
    }
    EXPECT_GT(recorded, 150);
  }
}

TEST(DrawAmbience, WhereNoRecordingServesTheBedIsSpeechShaped) {
  v1::SceneSpec spec = Spec(1.0);
  spec.mutable_ambience()->set_noise_weight(0.0);
  spec.mutable_ambience()->set_speech_shaped_weight(0.0);
  spec.mutable_ambience()->add_classes("rain");  // not in the small bank
  for (uint64_t i = 0; i < 20; ++i) EXPECT_EQ(Plan(spec, i).ambience->kind, v1::AMBIENCE_KIND_SPEECH_SHAPED);
}

TEST(DrawAmbience, AClassOutsideTheVocabularyIsRefusedByName) {
  v1::SceneSpec spec;  // even where no bed is asked for
  spec.mutable_ambience()->add_classes("unicorn");
  const absl::Status status = PlanScene(spec, *SmallBank(), 1, 1).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("ambience.classes names \"unicorn\""));
}

TEST(DrawAmbience, ChangesNothingElseOfTheScene) {
  v1::SceneSpec with = Spec(1.0);
  with.mutable_microphone()->set_self_noise_probability(1.0);
  with.mutable_microphone()->set_coding_probability(1.0);
  for (uint64_t i = 0; i < 30; ++i) {
    const ScenePlan a = Plan({}, i), b = Plan(with, i);
    EXPECT_EQ(a.noise_key, b.noise_key);
    EXPECT_EQ(a.noise_floor_dbfs, b.noise_floor_dbfs);
    EXPECT_EQ(a.room.absorption, b.room.absorption);
    ASSERT_EQ(a.sources.size(), b.sources.size());
    for (size_t s = 0; s < a.sources.size(); ++s) {
      EXPECT_EQ(a.sources[s].key, b.sources[s].key);
      EXPECT_EQ(a.sources[s].recording, b.sources[s].recording);
      EXPECT_EQ(a.sources[s].onsets, b.sources[s].onsets);
      EXPECT_EQ(a.sources[s].position_m.x, b.sources[s].position_m.x);
    }
  }
}

}  // namespace
}  // namespace auricle::sim
