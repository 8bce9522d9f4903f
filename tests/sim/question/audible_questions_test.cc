// Nothing is asked about what cannot be heard: rendered scenes in which noise, distance and each other hide sources.
#include "tests/sim/measures/audible_questions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <set>
#include <string>
#include <utility>
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

// The source is 30 dB under the rest in rows [from, to).
void Mask(v1::Source& source, int from, int to) {
  for (int row = from; row < to; ++row) source.mutable_frames(row)->set_signal_to_rest_db(-30.0f);
}

// What of 300 draws of questions about a scene tells when a dog starts, by task; "span" where it tells when it ends.
std::set<std::string> TellsOfStart(const v1::Scene& scene, const v1::Source& dog) {
  QuestionOptions options;
  options.per_scene = 0;
  std::set<std::string> tasks;
  for (uint64_t draw = 0; draw < 300; ++draw) {
    Random random(9, draw, "onsets");
    for (const v1::Question& question : AskAbout(scene, options, random)) {
      const std::string& task = question.task();
      const std::string& words = question.text();
      const bool starts = words.find(" start") != std::string::npos || words.find(" begin") != std::string::npos;
      const bool about = (task == "detect_time" && NamesClass(question.text(), dog.class_name())) ||
                         task == "temporal_order" ||
                         (task == "onset_from_location" && question.key().seconds() == dog.active(0).start_seconds()) ||
                         ((task == "compound_condition" || task == "multi_hop") && starts);
      if (about) tasks.insert(task);
      if (about && question.key().has_span()) tasks.insert("span");
    }
  }
  return tasks;
}

// A source that is masked at first is heard to start later than it does.
TEST(AudibleQuestions, StartsAndEndsAreAskedOnlyWhereTheyAreHeard) {
  v1::Scene scene = EmptyScene();
  AddSource(scene, "bell", -100, 10, 3, 5.0, 8.0);
  AddSource(scene, "dog", 40, 0, 1, 2.0, 5.0);
  const auto spoilt = [&](std::initializer_list<std::pair<int, int>> masked) {
    v1::Scene copy = scene;
    for (const auto& [from, to] : masked) Mask(*copy.mutable_sources(1), from, to);
    return TellsOfStart(copy, scene.sources(1));
  };
  const std::set<std::string> all = spoilt({});
  EXPECT_EQ(all, (std::set<std::string>{"detect_time", "temporal_order", "onset_from_location", "compound_condition",
                                        "multi_hop", "span"}));
  EXPECT_EQ(spoilt({{20, 35}}), std::set<std::string>{}) << "audible after a second and a half";
  EXPECT_EQ(spoilt({{21, 35}}), std::set<std::string>{}) << "a tenth of a second is not heard to be the start";
  EXPECT_EQ(spoilt({{20, 21}}), all) << "within what answers may be off";
  EXPECT_EQ(spoilt({{30, 40}}), all) << "masked on the way";
  std::set<std::string> no_span = all;
  no_span.erase("span");
  EXPECT_EQ(spoilt({{40, 50}}), no_span) << "it ends unheard";
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
