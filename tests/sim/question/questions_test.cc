#include "sim/question/questions.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/question/tasks.h"
#include "sim/question/verifier.h"
#include "tests/sim/question/synthetic_scenes.h"

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr uint64_t kScenes = 400;

QuestionOptions Everything() {
  QuestionOptions options;
  options.per_scene = 0;
  return options;
}

std::vector<v1::Question> Ask(const v1::Scene& scene, const QuestionOptions& options, uint64_t seed) {
  Random random(seed, 0, "questions");
  return AskAbout(scene, options, random);
}

size_t Words(const std::string& text) {
  return 1 + std::count_if(text.begin(), text.end(), [](char c) { return c == ' ' || c == '\n'; });
}

std::vector<std::string> WordsOf(const std::string& text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c))) {
      words.back() += absl::ascii_tolower(static_cast<unsigned char>(c));
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  return words;
}

TEST(QuestionsTest, EveryReferenceAnswerEarnsTheFullReward) {
  for (uint64_t i = 0; i < kScenes; ++i) {
    for (const v1::Question& question : Ask(DrawScene(i), Everything(), i)) {
      const v1::Verdict verdict = Verify(question, AnswerText(question));
      EXPECT_TRUE(verdict.correct() && verdict.parsed() && verdict.reward() == 1.0)
          << question.text() << " -> " << AnswerText(question) << ": " << verdict.explanation();
    }
  }
}

TEST(QuestionsTest, OfFourOptionsExactlyOneIsRightByLetterAndByText) {
  for (uint64_t i = 0; i < kScenes; ++i) {
    for (const v1::Question& question : Ask(DrawScene(i), Everything(), i)) {
      if (question.form() != v1::QUESTION_FORM_MULTIPLE_CHOICE) {
        EXPECT_EQ(question.options_size(), 0);
        continue;
      }
      ASSERT_EQ(question.options_size(), 4);
      for (int option = 0; option < 4; ++option) {
        const std::string letter(1, static_cast<char>('A' + option));
        const bool right = letter == question.key().letter();
        for (const std::string& answer : {letter, question.options(option), letter + ". " + question.options(option)}) {
          EXPECT_EQ(Verify(question, answer).correct(), right) << PromptText(question) << " -> " << answer;
        }
      }
    }
  }
}

TEST(QuestionsTest, EveryTaskOfAStaticSceneIsAskedInBothForms) {
  std::map<std::string, std::set<int>> forms;
  for (uint64_t i = 0; i < kScenes; ++i) {
    for (const v1::Question& question : Ask(DrawScene(i), Everything(), i)) {
      forms[question.task()].insert(question.form());
      const TaskInfo* info = FindTask(question.task());
      ASSERT_NE(info, nullptr);
      EXPECT_EQ(question.level(), info->level);
    }
  }
  for (const TaskInfo& info : AllTasks()) {
    const bool motion = info.task == Task::kClassifyMotion || info.task == Task::kMotionPrediction;
    EXPECT_EQ(forms[std::string(info.name)].size(), motion ? 0u : 2u) << info.name;
  }
}

TEST(QuestionsTest, TheSameSeedAsksTheSameQuestions) {
  const auto prompts = [](uint64_t seed) {
    std::vector<std::string> all;
    for (const v1::Question& question : Ask(DrawScene(5), QuestionOptions(), seed)) {
      all.push_back(question.SerializeAsString());
    }
    return all;
  };
  EXPECT_EQ(prompts(1), prompts(1));
  EXPECT_NE(prompts(1), prompts(2));
}

TEST(QuestionsTest, FormLevelsTasksAndNumberAreHonoured) {
  QuestionOptions options;
  options.form = AskForm::kMultipleChoice;
  options.levels = {v1::QUESTION_LEVEL_RELATIONAL};
  options.per_scene = 3;
  for (uint64_t i = 0; i < 100; ++i) {
    const std::vector<v1::Question> questions = Ask(DrawScene(i), options, i);
    EXPECT_LE(questions.size(), 3u);
    for (const v1::Question& question : questions) {
      EXPECT_EQ(question.level(), v1::QUESTION_LEVEL_RELATIONAL);
      EXPECT_EQ(question.form(), v1::QUESTION_FORM_MULTIPLE_CHOICE);
    }
  }
  options = QuestionOptions();
  options.tasks = {"estimate_azimuth"};
  options.form = AskForm::kOpen;
  options.absent_share = 0.0;
  for (const v1::Question& question : Ask(DrawScene(3), options, 1)) EXPECT_EQ(question.task(), "estimate_azimuth");
}

TEST(QuestionsTest, NoTwoQuestionsOfASceneAreTheSame) {
  QuestionOptions options;
  options.per_scene = 40;
  for (uint64_t i = 0; i < 100; ++i) {
    std::set<std::string> prompts;
    for (const v1::Question& question : Ask(DrawScene(i), options, i)) {
      EXPECT_TRUE(prompts.insert(PromptText(question)).second) << PromptText(question);
    }
  }
}

TEST(QuestionsTest, HeldOutWordingsAreNeverUsedInTraining) {
  v1::Scene scene = EmptyScene();
  AddSource(scene, "dog", 90, 20, 2.0, 1.0, 3.0);
  AddSource(scene, "bell", -50, -10, 4.5, 4.0, 8.0);
  std::map<bool, std::set<std::string>> texts;
  for (const bool held_out : {false, true}) {
    QuestionOptions options = Everything();
    options.held_out_wordings = held_out;
    for (uint64_t seed = 0; seed < 400; ++seed) {
      for (const v1::Question& question : Ask(scene, options, seed)) texts[held_out].insert(question.text());
    }
  }
  EXPECT_GT(texts[false].size(), texts[true].size());
  std::set<std::string> words;
  for (const std::string& text : texts[false]) {
    for (const std::string& word : WordsOf(text)) words.insert(word);
  }
  int known = 0;
  int all = 0;
  for (const std::string& text : texts[true]) {
    EXPECT_EQ(texts[false].count(text), 0u) << text;
    for (const std::string& word : WordsOf(text)) {
      known += static_cast<int>(words.count(word));
      ++all;
    }
  }
  EXPECT_GT(known, 0.9 * all) << "held-out wordings are new sentences, not new words";
}

TEST(QuestionsTest, PromptsAreShort) {
  size_t words = 0, prompts = 0;
  for (uint64_t i = 0; i < kScenes; ++i) {
    for (const v1::Question& question : Ask(DrawScene(i), Everything(), i)) {
      EXPECT_LE(Words(PromptText(question)), 60u) << PromptText(question);
      words += Words(PromptText(question));
      ++prompts;
    }
  }
  EXPECT_LT(static_cast<double>(words) / static_cast<double>(prompts), 30.0);
}

TEST(QuestionsTest, WhatIsInaudibleIsNeitherNamedNorCountedNorDenied) {
  v1::Scene scene = EmptyScene();
  AddSource(scene, "dog", 90, 20, 2.0, 1.0, 3.0);
  AddSource(scene, "bell", -50, -10, 4.5, 4.0, 8.0);
  AddSource(scene, "piano", 170, 0, 3.0, 2.0, 8.0, -20.0f);
  for (uint64_t seed = 0; seed < 300; ++seed) {
    for (const v1::Question& question : Ask(scene, Everything(), seed)) {
      EXPECT_NE(question.task(), "count_sources");
      EXPECT_NE(question.task(), "source_removal");
      EXPECT_THAT(PromptText(question), Not(HasSubstr("piano")));
      EXPECT_THAT(AnswerText(question), Not(HasSubstr("piano")));
    }
  }
}

TEST(QuestionsTest, ASceneWithoutAnythingAudibleIsNotAskedAbout) {
  EXPECT_TRUE(Ask(EmptyScene(), Everything(), 1).empty());
  v1::Scene scene = EmptyScene();
  AddSource(scene, "dog", 90, 20, 2.0, 1.0, 3.0, -40.0f);
  EXPECT_TRUE(Ask(scene, Everything(), 1).empty());
  EXPECT_TRUE(Ask(v1::Scene(), Everything(), 1).empty());
}

// The compass of a person: where a point is after turning and walking, by complex numbers instead of the generator's
// way.
double ExpectedAzimuth(double azimuth_deg, double metres, double turn_deg, double ahead_m, double left_m) {
  const double a = azimuth_deg * M_PI / 180.0;
  const double x = metres * std::cos(a) - ahead_m;
  const double y = metres * std::sin(a) - left_m;
  return std::remainder(std::atan2(y, x) * 180.0 / M_PI - turn_deg, 360.0);
}

TEST(QuestionsTest, TurningAndWalkingMoveTheSourceAsGeometryDemands) {
  v1::Scene scene = EmptyScene();
  AddSource(scene, "dog", 60, 0, 3.0, 1.0, 3.0);
  QuestionOptions options = Everything();
  options.tasks = {"listener_rotation", "listener_translation"};
  options.form = AskForm::kOpen;
  const std::map<std::string, double> turns = {{"90 degrees to the left", 90},
                                               {"90 degrees to the right", -90},
                                               {"around", 180},
                                               {"45 degrees to the left", 45},
                                               {"45 degrees to the right", -45}};
  const std::map<std::string, std::pair<double, double>> walks = {
      {"1 m forward", {1, 0}},       {"2 m forward", {2, 0}},      {"1 m backward", {-1, 0}},
      {"2 m backward", {-2, 0}},     {"1 m to the left", {0, 1}},  {"2 m to the left", {0, 2}},
      {"1 m to the right", {0, -1}}, {"2 m to the right", {0, -2}}};
  int checked = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    for (const v1::Question& question : Ask(scene, options, seed)) {
      double expected = NAN;
      if (question.task() == "listener_rotation") {
        for (const auto& [words, degrees] : turns) {
          if (question.text().find(words) != std::string::npos) expected = ExpectedAzimuth(60, 3, degrees, 0, 0);
        }
      } else {
        for (const auto& [words, step] : walks) {
          if (question.text().find(words) != std::string::npos) {
            expected = ExpectedAzimuth(60, 3, 0, step.first, step.second);
          }
        }
      }
      ASSERT_FALSE(std::isnan(expected)) << question.text();
      EXPECT_NEAR(std::remainder(question.key().azimuth_deg() - expected, 360.0), 0.0, 1e-6) << question.text();
      ++checked;
    }
  }
  EXPECT_GT(checked, 100);
}

TEST(QuestionsTest, RelationsAreSeenFromTheListener) {
  v1::Scene scene = EmptyScene();
  AddSource(scene, "dog", 60, 30, 1.0, 1.0, 3.0);   // left, high, close, first
  AddSource(scene, "bell", -60, 0, 4.0, 5.0, 8.0);  // right, level, far, second
  const std::map<std::string, std::string> when = {{"first", "dog"},    {"later", "bell"},    {"closer", "dog"},
                                                   {"farther", "bell"}, {"higher", "dog"},    {"nearest", "dog"},
                                                   {"closest", "dog"},  {"farthest", "bell"}, {"last", "bell"}};
  QuestionOptions options = Everything();
  options.form = AskForm::kOpen;
  options.tasks = {"compare_distance",
                   "temporal_order",
                   "compare_elevation",
                   "angular_separation",
                   "relative_direction_between_objects",
                   "relative_left_right"};
  std::set<std::string> tasks;
  std::map<std::string, std::set<std::string>> yes_or_no;  // answers by task
  for (uint64_t seed = 0; seed < 200; ++seed) {
    for (const v1::Question& question : Ask(scene, options, seed)) {
      tasks.insert(question.task());
      const v1::AnswerKey& key = question.key();
      if (key.has_choice() && key.choice().allowed(0) == "yes") {
        // All four are true of the dog beside the bell; "the dog ... the bell" or the other way round.
        bool of_the_dog = false;
        for (const char* words : {"left", "higher", "nearer", "before"}) {
          of_the_dog |= question.text().find(words) != std::string::npos;
        }
        const bool dog_first = question.text().find("dog") < question.text().find("bell");
        EXPECT_EQ(key.choice().value(), of_the_dog == dog_first ? "yes" : "no") << question.text();
        yes_or_no[question.task()].insert(key.choice().value());
        continue;
      }
      for (const auto& [word, name] : when) {
        if (key.has_classes() && question.text().find(word) != std::string::npos) {
          EXPECT_EQ(key.classes().class_names(0), name) << question.text();
        }
      }
      if (question.task() == "angular_separation") {
        // cos = cos 30 cos 120
        EXPECT_NEAR(key.angle_deg(), std::acos(std::cos(M_PI / 6) * -0.5) * 180 / M_PI, 1e-6);
      }
      if (question.task() == "relative_left_right") {
        bool of_the_bell = false;
        for (const char* words : {"of the bell", "with the bell", "to the bell", "than the bell"}) {
          of_the_bell |= question.text().find(words) != std::string::npos;
        }
        EXPECT_EQ(key.choice().value(), of_the_bell ? "left" : "right") << question.text();
      }
    }
  }
  EXPECT_EQ(tasks.size(), 6u);
  EXPECT_EQ(yes_or_no.size(), 4u);
  for (const auto& [task, answers] : yes_or_no) EXPECT_EQ(answers.size(), 2u) << task;
}

TEST(QuestionsTest, WhatIsOnASideNamesAllThatIsThereAndNothingElse) {
  v1::Scene scene = EmptyScene();
  AddSource(scene, "dog", 30, 0, 1.0, 1.0, 3.0);    // left and in front
  AddSource(scene, "bell", 150, 0, 4.0, 5.0, 8.0);  // left and behind
  const std::map<std::string, std::set<std::string>> there = {
      {"left", {"dog", "bell"}}, {"in front", {"dog"}}, {"behind", {"bell"}}};
  QuestionOptions options = Everything();
  options.form = AskForm::kOpen;
  options.tasks = {"identify_source_by_direction"};
  std::set<std::string> asked;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    for (const v1::Question& question : Ask(scene, options, seed)) {
      const auto& names = question.key().classes().class_names();
      for (const auto& [side, expected] : there) {
        // A quarter turn is asked about, not a direction of one source's own ("front left", "30 degrees left").
        const bool own = question.text().find("degree") != std::string::npos ||
                         question.text().find("front left") != std::string::npos ||
                         question.text().find("back left") != std::string::npos ||
                         question.text().find("front and to") != std::string::npos;
        if (own || (question.text().find(side + " of you") == std::string::npos &&
                    question.text().find("your " + side) == std::string::npos &&
                    question.text().find(side + " you") == std::string::npos)) {
          continue;
        }
        EXPECT_EQ(std::set<std::string>(names.begin(), names.end()), expected) << question.text();
        asked.insert(side);
      }
      EXPECT_EQ(question.text().find("your right"), std::string::npos) << question.text();
    }
  }
  EXPECT_EQ(asked.size(), 3u);
}

TEST(QuestionsTest, MovingSourcesAreAskedAboutTheirMotionAndNotTheirPlace) {
  v1::Scene scene = EmptyScene();
  v1::Source& car = AddSource(scene, "engine", 0, 0, 3.0, 0.0, 10.0);
  car.set_motion(v1::MOTION_KIND_MOVING_LEFT);
  for (int i = 0; i < 100; ++i) {
    car.mutable_frames(i)->mutable_direction()->set_azimuth_deg(-60.0 + 120.0 * i / 99.0);
  }
  std::set<std::string> tasks;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    QuestionOptions options = Everything();
    options.absent_share = 0.0;
    for (const v1::Question& question : Ask(scene, options, seed)) {
      tasks.insert(question.task());
      if (question.task() == "classify_motion" && question.form() == v1::QUESTION_FORM_OPEN) {
        EXPECT_EQ(question.key().choice().value(), "to the left");
      }
      if (question.task() == "motion_prediction") {
        EXPECT_NEAR(question.key().azimuth_deg(), 60.0 + 120.0 / 9.9, 1.0);
      }
    }
  }
  EXPECT_EQ(tasks.count("classify_motion"), 1u);
  EXPECT_EQ(tasks.count("motion_prediction"), 1u);
  EXPECT_EQ(tasks.count("estimate_azimuth"), 0u);
}

TEST(QuestionsTest, WhatWandersWithoutAPlainMotionIsAskedNeitherItsPlaceNorItsMotion) {
  v1::Scene scene = EmptyScene();
  v1::Source& dog = AddSource(scene, "dog", 0, 0, 3.0, 0.0, 10.0);
  dog.set_motion(v1::MOTION_KIND_UNSPECIFIED);
  const auto asked = [&] {
    QuestionOptions options = Everything();
    options.absent_share = 0.0;
    std::set<std::string> tasks;
    for (uint64_t seed = 0; seed < 50; ++seed) {
      for (const v1::Question& question : Ask(scene, options, seed)) tasks.insert(question.task());
    }
    return tasks;
  };
  EXPECT_EQ(asked().count("estimate_azimuth"), 1u);
  EXPECT_EQ(asked().count("estimate_distance"), 1u);
  for (int i = 0; i < 100; ++i) dog.mutable_frames(i)->mutable_direction()->set_azimuth_deg(i % 20 - 10);
  EXPECT_EQ(asked().count("estimate_azimuth"), 1u) << "ten degrees about its mean are within every tolerance";
  for (int i = 0; i < 100; ++i) dog.mutable_frames(i)->mutable_direction()->set_azimuth_deg(i % 40 - 20);
  EXPECT_EQ(asked().count("estimate_azimuth"), 0u);
  EXPECT_EQ(asked().count("classify_motion"), 0u);
  for (int i = 0; i < 100; ++i) {
    dog.mutable_frames(i)->mutable_direction()->set_azimuth_deg(0);
    dog.mutable_frames(i)->set_distance_m(i < 50 ? 2.0 : 4.0);
  }
  EXPECT_EQ(asked().count("estimate_distance"), 0u);
}

TEST(QuestionsTest, PromptTextHasTheOptionsWithLetters) {
  v1::Question question;
  question.set_text("Where is the dog?");
  question.set_form(v1::QUESTION_FORM_MULTIPLE_CHOICE);
  for (const char* option : {"left", "right", "behind", "in front"}) question.add_options(option);
  EXPECT_EQ(PromptText(question), "Where is the dog?\nA. left\nB. right\nC. behind\nD. in front");
  question.set_form(v1::QUESTION_FORM_OPEN);
  question.clear_options();
  EXPECT_EQ(PromptText(question), "Where is the dog?");
}

}  // namespace
}  // namespace auricle::sim
