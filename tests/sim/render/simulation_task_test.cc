#include "sim/render/simulation_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "sim/question/questions.h"
#include "sim/question/verifier.h"
#include "tests/sim/scene/small_bank.h"

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;

v1::SimulationTask MakeTask(uint64_t first, uint32_t count) {
  v1::SimulationTask task;
  task.mutable_spec()->set_name("task");
  task.mutable_spec()->add_durations_seconds(1.0);
  task.set_seed(6);
  task.set_first_index(first);
  task.set_count(count);
  task.set_questions_per_scene(4);
  return task;
}

struct Made {
  std::vector<std::vector<float>> audio;
  std::vector<std::string> messages;
};

absl::Status MakeScenes(const v1::SimulationTask& task, Made& made, const std::function<bool()>& cancelled = nullptr) {
  return RunSimulationTask(
      task, *SmallBank(),
      [&](RenderedScene scene, v1::SimulatedScene message) {
        EXPECT_EQ(message.truth().SerializeAsString(), scene.truth.SerializeAsString());
        made.audio.push_back(std::move(scene.audio.samples));
        made.messages.push_back(message.SerializeAsString());
        return absl::OkStatus();
      },
      cancelled);
}

TEST(SimulationTask, MakesItsScenesInOrderWithQuestionsThatTheyAnswer) {
  std::vector<uint64_t> indices;
  int questions = 0;
  const absl::Status status =
      RunSimulationTask(MakeTask(10, 8), *SmallBank(), [&](RenderedScene scene, const v1::SimulatedScene& message) {
        indices.push_back(message.truth().index());
        EXPECT_EQ(message.truth().seed(), 6u);
        EXPECT_EQ(message.truth().id(), "task-6-" + std::to_string(message.truth().index()));
        EXPECT_EQ(scene.audio.frames(), 16000u);
        EXPECT_LE(message.questions_size(), 4);
        for (const v1::Question& question : message.questions()) {
          EXPECT_EQ(question.scene_id(), message.truth().id());
          EXPECT_TRUE(
              Verify(question, question.key().letter().empty() ? question.key().reference() : question.key().letter())
                  .correct());
          ++questions;
        }
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(indices, ::testing::ElementsAre(10, 11, 12, 13, 14, 15, 16, 17));
  EXPECT_GT(questions, 8);
}

TEST(SimulationTask, EndsBetweenTwoScenesWhenCancelledAndTheRestCanBeMadeLater) {
  Made whole;
  ASSERT_TRUE(MakeScenes(MakeTask(0, 6), whole).ok());
  Made first;
  int asked = 0;
  const absl::Status status = MakeScenes(MakeTask(0, 6), first, [&] { return ++asked > 4; });
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(asked, 5) << "asked once before each scene, and no more once it said so";
  ASSERT_EQ(first.messages.size(), 4u);
  Made rest;
  ASSERT_TRUE(MakeScenes(MakeTask(4, 2), rest).ok());
  for (Made* part : {&first, &rest}) {
    for (size_t i = 0; i < part->messages.size(); ++i) {
      const size_t at = (part == &first ? 0 : 4) + i;
      EXPECT_EQ(part->messages[i], whole.messages[at]);
      EXPECT_EQ(part->audio[i], whole.audio[at]);
    }
  }
}

TEST(SimulationTask, CancelledBeforeItBeginsItMakesNothing) {
  Made made;
  EXPECT_EQ(MakeScenes(MakeTask(0, 3), made, [] { return true; }).code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(made.messages.empty());
}

TEST(SimulationTask, ARefusedSceneEndsItWithThatError) {
  int seen = 0;
  const absl::Status status = RunSimulationTask(MakeTask(0, 5), *SmallBank(), [&](RenderedScene, v1::SimulatedScene) {
    return ++seen == 2 ? absl::ResourceExhaustedError("disk full") : absl::OkStatus();
  });
  EXPECT_EQ(status, absl::ResourceExhaustedError("disk full"));
  EXPECT_EQ(seen, 2);
}

TEST(SimulationTask, WhatIsNoTaskIsRefusedByFieldBeforeTheFirstScene) {
  struct Case {
    std::string words;
    std::function<void(v1::SimulationTask&)> spoil;
  };
  const std::vector<Case> cases = {
      {"count: is 0, must be in [1, 1024]", [](auto& t) { t.set_count(0); }},
      {"count: is 1025, must be in [1, 1024]", [](auto& t) { t.set_count(1025); }},
      {"first_index: is 18446744073709551615",
       [](auto& t) { t.set_first_index(std::numeric_limits<uint64_t>::max()); }},
      {"questions_per_scene: is 65, must be in [0, 64]", [](auto& t) { t.set_questions_per_scene(65); }},
      {"form: is 7", [](auto& t) { t.set_form(static_cast<v1::QuestionForm>(7)); }},
      {"tasks: names \"estimate_colour\"", [](auto& t) { t.add_tasks("estimate_colour"); }},
      {"spec: level_sd_db = 13 is out of range [0, 12]", [](auto& t) { t.mutable_spec()->set_level_sd_db(13); }},
      {"classes names \"unicorn\"", [](auto& t) { t.mutable_spec()->add_classes("unicorn"); }},
  };
  for (const Case& c : cases) {
    v1::SimulationTask task = MakeTask(0, 2);
    c.spoil(task);
    Made made;
    const absl::Status status = MakeScenes(task, made);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.words;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.words));
    EXPECT_TRUE(made.messages.empty());
  }
}

}  // namespace
}  // namespace auricle::sim
