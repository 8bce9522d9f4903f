// Nothing is asked about what cannot be heard: rendered scenes in which noise, distance and each other hide sources.
#include "tests/sim/measures/audible_questions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "sim/question/questions.h"
#include "sim/render/scene_renderer.h"
#include "tests/sim/question/synthetic_scenes.h"
#include "tests/sim/scene/small_bank.h"

namespace auricle::sim {
namespace {

// AURICLE_AUDIBLE_SCENES=5000 for the whole bar.
uint64_t SceneCount() {
  const char* asked = std::getenv("AURICLE_AUDIBLE_SCENES");
  return asked != nullptr ? std::strtoull(asked, nullptr, 10) : 500;
}

v1::SceneSpec Crowded() {
  v1::SceneSpec spec;
  spec.set_name("crowded");
  spec.add_durations_seconds(2.0);
  spec.set_min_sources(1);
  spec.set_max_sources(4);
  spec.set_overlap_probability(0.8);
  spec.set_level_sd_db(10.0);
  spec.mutable_distance_m()->set_min(0.3);
  spec.mutable_distance_m()->set_max(15.0);
  spec.mutable_reverberation_seconds()->set_min(0.1);
  spec.mutable_reverberation_seconds()->set_max(0.6);
  spec.mutable_noise_below_db()->set_min(0.0);
  spec.mutable_noise_below_db()->set_max(40.0);
  spec.set_motion_probability(0.1);
  return spec;
}

TEST(AudibleQuestions, NoneIsAboutASourceThatCannotBeHeard) {
  const v1::SceneSpec spec = Crowded();
  QuestionOptions options;
  options.per_scene = 0;
  int questions = 0, hidden = 0, with_hidden = 0;
  for (uint64_t index = 0; index < SceneCount(); ++index) {
    const auto plan = PlanScene(spec, *SmallBank(), 51, index);
    ASSERT_TRUE(plan.ok()) << plan.status();
    const auto scene = RenderScene(*plan, *SmallBank());
    ASSERT_TRUE(scene.ok()) << scene.status();
    const auto unheard = std::ranges::count_if(scene->truth.sources(), std::not_fn(CanBeHeard));
    hidden += static_cast<int>(unheard);
    Random random(51, index, "questions");
    for (const v1::Question& question : AskAbout(scene->truth, options, random)) {
      ++questions;
      with_hidden += unheard > 0;
      for (const std::string& wrong : InaudibleIn(question, scene->truth)) ADD_FAILURE() << wrong;
    }
  }
  RecordProperty("questions", questions);
  std::printf("%d questions, %d of them about scenes with one of %d hidden sources\n", questions, with_hidden, hidden);
  EXPECT_GT(with_hidden, static_cast<int>(SceneCount()));
  EXPECT_GT(hidden, static_cast<int>(SceneCount() / 10));
}

// Rain all around is no source, but neither is it silence: a scene with it is not counted, and rain never absent.
TEST(AudibleQuestions, ABedIsNeitherCountedNorAbsent) {
  v1::Scene scene = EmptyScene();
  AddSource(scene, "dog", 40, 0, 2, 1, 3);
  AddSource(scene, "bell", -100, 10, 3, 4, 8);
  QuestionOptions options;
  options.per_scene = 0;
  std::set<std::string> without;
  for (uint64_t draw = 0; draw < 200; ++draw) {
    Random random(5, draw, "without");
    for (const v1::Question& question : AskAbout(scene, options, random)) without.insert(question.task());
  }
  EXPECT_TRUE(without.contains("count_sources") && without.contains("source_removal"));
  scene.mutable_ambience()->set_class_name("rain");
  int questions = 0;
  for (uint64_t draw = 0; draw < 200; ++draw) {
    Random random(5, draw, "with");
    for (const v1::Question& question : AskAbout(scene, options, random)) {
      ++questions;
      EXPECT_NE(question.task(), "count_sources") << question.text();
      EXPECT_NE(question.task(), "source_removal") << question.text();
      EXPECT_FALSE(NamesClass(PromptText(question), "rain")) << PromptText(question);
    }
  }
  EXPECT_GT(questions, 1000);
}

}  // namespace
}  // namespace auricle::sim
