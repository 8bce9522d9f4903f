#include "sim/bench/scoring.h"

#include <cmath>
#include <functional>
#include <set>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "sim/bench/report.h"
#include "sim/question/questions.h"
#include "tests/sim/question/synthetic_scenes.h"

namespace auricle::sim {
namespace {

constexpr v1::QuestionForm kChoice = v1::QUESTION_FORM_MULTIPLE_CHOICE;
constexpr v1::QuestionForm kOpen = v1::QUESTION_FORM_OPEN;

// Questions about synthetic scenes with all their truths.
struct Fixture {
  std::vector<QuestionRow> questions;
  std::map<std::string, v1::Scene> truths;

  explicit Fixture(uint64_t scenes = 30) {
    for (uint64_t i = 0; i < scenes; ++i) {
      const v1::Scene scene = DrawScene(i);
      truths[scene.id()] = scene;
      QuestionOptions options;
      options.per_scene = 0;
      Random random(5, i, "scoring");
      for (const v1::Question& question : AskAbout(scene, options, random)) {
        questions.push_back({question, "audio/" + scene.id() + ".flac"});
      }
    }
  }

  std::vector<AnswerRow> Answers(const std::function<std::string(const v1::Question&)>& say) const {
    std::vector<AnswerRow> answers;
    for (const QuestionRow& row : questions) {
      AnswerRow answer;
      answer.id = row.question.id();
      answer.answer = say(row.question);
      if (row.question.form() == kChoice && answer.answer.size() == 1) answer.letter = answer.answer;
      answer.scene = truths.at(row.question.scene_id());
      answers.push_back(std::move(answer));
    }
    return answers;
  }
};

TEST(ScoringTest, TheTruthScoresPerfectlyInEveryGroup) {
  const Fixture fixture(90);
  const BenchmarkReport report = Score(fixture.questions, fixture.Answers(AnswerText), {}, fixture.truths);
  ASSERT_FALSE(report.groups.empty());
  for (const GroupScore& group : report.groups) {
    EXPECT_DOUBLE_EQ(group.accuracy, 1.0) << group.name;
    EXPECT_DOUBLE_EQ(group.low, 1.0) << group.name;
    EXPECT_DOUBLE_EQ(group.high, 1.0) << group.name;
    EXPECT_NEAR(group.reward, 1.0, 1e-9) << group.name;
    EXPECT_EQ(group.unanswered, 0) << group.name;
    EXPECT_DOUBLE_EQ(group.unique_ratio, 1.0) << group.name;
    // Whoever always says that nothing is there is right about everything that is not there.
    if (group.name != "absent sounds") {
      EXPECT_LT(group.constant, 1.0) << group.name;
    }
  }
  EXPECT_GT(report.azimuth_answers.count, 4);
  EXPECT_LE(report.azimuth_answers.median_error_deg, 5.0) << "answers are rounded to 10 degrees";
  EXPECT_DOUBLE_EQ(report.azimuth_answers.left_right, 1.0);
  EXPECT_GT(report.azimuth_evidence.count, 4);
  EXPECT_DOUBLE_EQ(report.azimuth_evidence.median_error_deg, 0.0);
  EXPECT_EQ(report.azimuth_matched.missing, 0);
  EXPECT_DOUBLE_EQ(report.detection.f_20, 1.0);
  for (const Measurement& one : Measurements(report)) EXPECT_TRUE(one.ok) << one.name;
}

TEST(ScoringTest, AConstantLetterScoresAsTheConstantBaselineSays) {
  const Fixture fixture;
  double best = 0;
  std::map<std::string, int> right;
  int asked = 0;
  for (const QuestionRow& row : fixture.questions) {
    if (row.question.form() != kChoice) continue;
    ++right[row.question.key().letter()];
    ++asked;
  }
  for (const auto& [letter, count] : right) {
    const BenchmarkReport report =
        Score(fixture.questions, fixture.Answers([&letter = letter](const v1::Question&) { return letter; }), {},
              fixture.truths);
    const GroupScore& all = *report.Find("all", kChoice);
    const double share = static_cast<double>(count) / asked;
    EXPECT_DOUBLE_EQ(all.accuracy, share);
    EXPECT_LE(all.low, share);
    EXPECT_GE(all.high, share);
    best = std::max(best, share);
    EXPECT_GE(all.constant, share);
  }
  const BenchmarkReport report = Score(fixture.questions, {}, {}, fixture.truths);
  EXPECT_DOUBLE_EQ(report.Find("all", kChoice)->constant, best);
}

TEST(ScoringTest, MissingAnswersErrorsAndNonsenseCountAsWrong) {
  const Fixture fixture(20);
  std::vector<AnswerRow> answers = fixture.Answers(AnswerText);
  for (size_t i = 0; i < answers.size(); i += 2) answers[i].error = "DEADLINE_EXCEEDED";
  const BenchmarkReport report = Score(fixture.questions, answers, {}, fixture.truths);
  EXPECT_EQ(report.errors, static_cast<int>((answers.size() + 1) / 2));
  int right = 0, count = 0, unanswered = 0;
  for (v1::QuestionForm form : {kChoice, kOpen}) {
    const GroupScore& all = *report.Find("all", form);
    right += static_cast<int>(std::lround(all.accuracy * all.count));
    count += all.count;
    unanswered += all.unanswered;
  }
  EXPECT_EQ(count, static_cast<int>(fixture.questions.size()));
  EXPECT_EQ(right, count - report.errors);
  EXPECT_EQ(unanswered, report.errors);
  const BenchmarkReport nothing =
      Score(fixture.questions, fixture.Answers([](const v1::Question&) { return "hm"; }), {}, fixture.truths);
  EXPECT_DOUBLE_EQ(nothing.Find("all", kChoice)->accuracy, 0.0);
  EXPECT_DOUBLE_EQ(nothing.Find("all", kChoice)->unique_ratio, 0.0);
}

TEST(ScoringTest, TheIntervalIsOverScenesAndNotOverQuestions) {
  // Half of the scenes all right, half all wrong: the interval must be that of 40 coin flips and not of 400.
  std::vector<QuestionRow> questions;
  std::vector<AnswerRow> answers;
  for (int scene = 0; scene < 40; ++scene) {
    for (int i = 0; i < 10; ++i) {
      v1::Question question;
      question.set_id(std::to_string(scene) + "/" + std::to_string(i));
      question.set_form(kOpen);
      question.set_task("count_sources");
      question.set_level(v1::QUESTION_LEVEL_ATOMIC);
      question.mutable_key()->set_count(2);
      question.mutable_key()->set_reference("2.");
      questions.push_back({question, "audio/scene" + std::to_string(scene) + ".flac"});
      AnswerRow answer;
      answer.id = question.id();
      answer.answer = scene % 2 == 0 ? "2" : "3";
      answers.push_back(answer);
    }
  }
  const BenchmarkReport report = Score(questions, answers, {}, {});
  const GroupScore& all = *report.Find("all", kOpen);
  EXPECT_DOUBLE_EQ(all.accuracy, 0.5);
  const double deviation = std::sqrt(0.25 / 40);  // of the mean of 40 scenes
  EXPECT_NEAR(all.low, 0.5 - 1.96 * deviation, 0.04);
  EXPECT_NEAR(all.high, 0.5 + 1.96 * deviation, 0.04);
}

TEST(ScoringTest, ControlsStandBesideAndTheDirectionBarUsesZeroSpatial) {
  const Fixture fixture;
  const std::map<std::string, std::vector<AnswerRow>> controls = {
      {"zero-spatial", fixture.Answers(AnswerText)},
      {"silence", fixture.Answers([](const v1::Question&) { return "hm"; })}};
  const BenchmarkReport report = Score(fixture.questions, fixture.Answers(AnswerText), controls, fixture.truths);
  EXPECT_DOUBLE_EQ(report.Find("direction tasks", kChoice)->controls.at("zero-spatial"), 1.0);
  EXPECT_DOUBLE_EQ(report.Find("all", kChoice)->controls.at("silence"), 0.0);
  int missed = 0;
  for (const Measurement& one : Measurements(report)) {
    if (one.ok) continue;
    ++missed;
    EXPECT_EQ(one.name, "mcq/direction tasks/zero-spatial") << "hearing directions without them is a leak";
  }
  EXPECT_EQ(missed, 1);
}

TEST(ScoringTest, EvidenceIsScoredInClassElevationAndDistanceEachByItself) {
  const Fixture fixture(30);
  std::vector<AnswerRow> answers = fixture.Answers(AnswerText);
  for (AnswerRow& answer : answers) {
    if (!answer.scene) continue;
    for (v1::Source& source : *answer.scene->mutable_sources()) {
      source.set_class_name("something else");
      // Two degrees towards the horizon, and half as far again.
      v1::Direction& direction = *source.mutable_direction();
      direction.set_elevation_deg(direction.elevation_deg() + (direction.elevation_deg() > 0 ? -2 : 2));
      source.set_distance_m(source.distance_m() * 1.5);
    }
  }
  const BenchmarkReport report = Score(fixture.questions, answers, {}, fixture.truths);
  EXPECT_DOUBLE_EQ(report.class_top1, 0.0);
  EXPECT_NEAR(report.elevation_median_deg, 2.0, 1e-6);
  EXPECT_NEAR(report.detection.median_distance_error, 0.5, 1e-6);
  EXPECT_NEAR(report.detection.relative_distance_error, 0.5, 1e-6);
  EXPECT_DOUBLE_EQ(report.detection.f_20, 0.0);
  EXPECT_DOUBLE_EQ(report.detection.f_20_any_class, 1.0);
  EXPECT_DOUBLE_EQ(report.azimuth_evidence.median_error_deg, 0.0);
}

TEST(ScoringTest, FalseAlarmsAreCountedWhereTheSoundIsAbsent) {
  std::vector<QuestionRow> questions;
  std::vector<AnswerRow> answers;
  const char* said[] = {"There is no elephant here.", "I hear no elephant.", "It is on the left.", "40 degrees left"};
  for (int i = 0; i < 4; ++i) {
    v1::Question question;
    question.set_id(std::to_string(i));
    question.set_form(kOpen);
    question.set_task("estimate_azimuth");
    question.set_level(v1::QUESTION_LEVEL_ATOMIC);
    question.mutable_key()->mutable_choice()->set_value("absent");
    question.mutable_key()->mutable_choice()->add_allowed("absent");
    question.mutable_key()->mutable_choice()->add_allowed("present");
    question.mutable_key()->set_reference("There is no elephant.");
    questions.push_back({question, "audio/scene.flac"});
    AnswerRow answer;
    answer.id = question.id();
    answer.answer = said[i];
    answers.push_back(answer);
  }
  const BenchmarkReport report = Score(questions, answers, {}, {});
  ASSERT_NE(report.Find("absent sounds", kOpen), nullptr);
  EXPECT_DOUBLE_EQ(report.Find("absent sounds", kOpen)->accuracy, 0.5);
  for (const Measurement& one : Measurements(report)) {
    if (one.name == "open/absent sounds") {
      EXPECT_FALSE(one.ok) << "half of the answers are false alarms";
    }
  }
}

TEST(ReportTest, EveryLineIsAnObjectWithNameValueUnitFloorAndOk) {
  const Fixture fixture(10);
  const BenchmarkReport report = Score(fixture.questions, fixture.Answers(AnswerText), {}, fixture.truths);
  std::istringstream lines(MeasurementLines(Measurements(report)));
  std::string line;
  std::set<std::string> barred;
  while (std::getline(lines, line)) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    ASSERT_TRUE(json.is_object()) << line;
    for (const char* field : {"name", "value", "unit", "floor", "ok"}) EXPECT_TRUE(json.contains(field)) << line;
    if (!json["floor"].is_null()) barred.insert(json["name"].get<std::string>());
  }
  for (const char* name :
       {"mcq/all", "mcq/level 1", "mcq/level 2", "mcq/level 3", "mcq/direction tasks", "azimuth_evidence/median",
        "azimuth_evidence/front_back", "azimuth_evidence/left_right", "elevation_evidence/median", "detection/F20",
        "detection/F20_any_class", "detection/LE_CD", "detection/median_distance_error", "detection/class_top1"}) {
    EXPECT_TRUE(barred.contains(name)) << name;
  }
  const std::string table = ReportTable(report);
  EXPECT_THAT(table, ::testing::HasSubstr("estimate_azimuth"));
  EXPECT_THAT(table, ::testing::HasSubstr("front/back"));
}

}  // namespace
}  // namespace auricle::sim
