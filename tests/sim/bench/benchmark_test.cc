#include "sim/bench/benchmark.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/audio/audio_file.h"
#include "sim/question/questions.h"
#include "sim/question/verifier.h"
#include "sim/scene/scene_json.h"
#include "tests/sim/question/synthetic_scenes.h"
#include "tests/sim/scene/small_bank.h"

namespace auricle::sim {
namespace {

namespace fs = std::filesystem;

// A folder that goes away with the test.
class BenchmarkTest : public ::testing::Test {
 protected:
  BenchmarkTest() : folder_(fs::path(::testing::TempDir()) / ("bench_" + std::to_string(::getpid()))) {}
  ~BenchmarkTest() override { fs::remove_all(folder_); }

  BenchmarkSpec SmallSpec() const {
    BenchmarkSpec spec;
    spec.seed = 3;
    spec.scenes = 4;
    spec.questions = 24;
    spec.scene_spec.add_durations_seconds(2.0);
    spec.scene_spec.set_free_field_probability(0.5);
    spec.scene_spec.mutable_reverberation_seconds()->set_min(0.15);
    spec.scene_spec.mutable_reverberation_seconds()->set_max(0.3);
    return spec;
  }
  std::string folder() const { return folder_.string(); }

  fs::path folder_;
};

TEST_F(BenchmarkTest, WritesScenesOfTheTestSplitAndQuestionsAboutThem) {
  const absl::StatusOr<BenchmarkStamp> stamp = GenerateBenchmark(SmallSpec(), *SmallBank(), folder());
  ASSERT_TRUE(stamp.ok()) << stamp.status();
  const auto rows = ReadQuestionRows(folder() + "/questions.jsonl");
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(static_cast<int>(rows->size()), stamp->multiple_choice + stamp->open);
  EXPECT_GT(stamp->multiple_choice, 10);
  EXPECT_GT(stamp->open, 10);
  for (const QuestionRow& row : *rows) {
    const auto truth = ReadSceneFile((folder_ / row.audio).replace_extension(".scene.json").string());
    ASSERT_TRUE(truth.ok()) << truth.status();
    EXPECT_EQ(truth->split(), "test");
    for (const v1::Source& source : truth->sources()) {
      EXPECT_NE(source.recording_path().find("_test"), std::string::npos) << source.recording_path();
    }
    const auto clip = audio::ReadFoaFile((folder_ / row.audio).string(), audio::FoaFormat::kAmbiX);
    ASSERT_TRUE(clip.ok()) << clip.status();
    EXPECT_NEAR(clip->seconds(), truth->duration_seconds(), 1e-3);
    EXPECT_TRUE(Verify(row.question, AnswerText(row.question)).correct()) << row.question.text();
  }
}

TEST_F(BenchmarkTest, TheSameSpecGivesTheSameStampsAndDamageIsNoticed) {
  const absl::StatusOr<BenchmarkStamp> first = GenerateBenchmark(SmallSpec(), *SmallBank(), folder());
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::StatusOr<BenchmarkStamp> elsewhere = GenerateBenchmark(SmallSpec(), *SmallBank(), folder() + "/again");
  ASSERT_TRUE(elsewhere.ok()) << elsewhere.status();
  EXPECT_EQ(first->questions_hash, elsewhere->questions_hash);
  EXPECT_EQ(first->audio_hash, elsewhere->audio_hash);
  EXPECT_TRUE(CheckBenchmark(folder()).ok());

  bool rendered = false;
  ASSERT_TRUE(GenerateBenchmark(SmallSpec(), *SmallBank(), folder(), [&](size_t, size_t) { rendered = true; }).ok());
  EXPECT_FALSE(rendered) << "what is there was made again";

  absl::StatusOr<std::vector<QuestionRow>> rows = ReadQuestionRows(folder() + "/questions.jsonl");
  ASSERT_TRUE(rows.ok()) << rows.status();
  rows->back().question.mutable_key()->set_reference("Something else.");
  std::ofstream changed(folder() + "/questions.jsonl");
  for (const QuestionRow& row : *rows) changed << QuestionRowToJson(row) << "\n";
  changed.close();
  EXPECT_EQ(CheckBenchmark(folder()).status().code(), absl::StatusCode::kDataLoss);
  ASSERT_TRUE(GenerateBenchmark(SmallSpec(), *SmallBank(), folder(), [&](size_t, size_t) { rendered = true; }).ok());
  EXPECT_TRUE(rendered);
  EXPECT_TRUE(CheckBenchmark(folder()).ok());
}

TEST_F(BenchmarkTest, ControlsTakeAwayWhatTheySayAndNothingElse) {
  ASSERT_TRUE(GenerateBenchmark(SmallSpec(), *SmallBank(), folder()).ok());
  const auto rows = ReadQuestionRows(folder() + "/questions.jsonl");
  ASSERT_TRUE(rows.ok());
  for (Control control : AllControls()) {
    ASSERT_TRUE(WriteControl(folder(), control).ok());
    const auto changed = ReadQuestionRows(folder() + "/questions-" + std::string(ControlName(control)) + ".jsonl");
    ASSERT_TRUE(changed.ok()) << changed.status();
    ASSERT_EQ(changed->size(), rows->size());
    for (size_t i = 0; i < rows->size(); ++i) {
      EXPECT_EQ((*changed)[i].question.SerializeAsString(), (*rows)[i].question.SerializeAsString());
    }
    const auto before = audio::ReadFoaFile((folder_ / rows->at(0).audio).string(), audio::FoaFormat::kAmbiX);
    const auto after = audio::ReadFoaFile((folder_ / changed->at(0).audio).string(), audio::FoaFormat::kAmbiX);
    ASSERT_TRUE(before.ok() && after.ok());
    for (size_t i = 0; i < before->frames(); i += 97) {
      const float w = before->channel(audio::kW)[i];
      EXPECT_EQ(after->channel(audio::kW)[i], control == Control::kSilence ? 0.0f : w);
      EXPECT_EQ(after->channel(audio::kX)[i], control == Control::kMono ? w : 0.0f);
      EXPECT_EQ(after->channel(audio::kZ)[i], control == Control::kMono ? w : 0.0f);
    }
  }
}

TEST_F(BenchmarkTest, ASpecOutOfRangeNamesTheField) {
  BenchmarkSpec spec = SmallSpec();
  spec.scenes = 0;
  EXPECT_THAT(std::string(GenerateBenchmark(spec, *SmallBank(), folder()).status().message()),
              ::testing::HasSubstr("scenes"));
  spec = SmallSpec();
  spec.questions = -1;
  EXPECT_THAT(std::string(GenerateBenchmark(spec, *SmallBank(), folder()).status().message()),
              ::testing::HasSubstr("questions"));
}

TEST(SelectQuestionsTest, TasksAndScenesGetEvenShares) {
  std::vector<std::vector<v1::Question>> by_scene;
  QuestionOptions options;
  options.per_scene = 0;
  for (uint64_t i = 0; i < 200; ++i) {
    Random random(1, i, "select");
    by_scene.push_back(AskAbout(DrawScene(i), options, random));
  }
  const std::vector<v1::Question> chosen = SelectQuestions(by_scene, 480, 9);
  std::map<int, int> forms;
  std::map<std::string, int> tasks, scenes;
  std::map<std::string, std::map<std::string, int>> letters;
  int left = 0, right = 0;
  std::set<std::string> ids;
  for (const v1::Question& question : chosen) {
    ++forms[question.form()];
    ++tasks[question.task()];
    ++scenes[question.scene_id()];
    if (question.form() == v1::QUESTION_FORM_MULTIPLE_CHOICE) ++letters[question.task()][question.key().letter()];
    left += question.key().reference() == "Left." && question.key().choice().value() == "left" ? 1 : 0;
    right += question.key().reference() == "Right." && question.key().choice().value() == "right" ? 1 : 0;
    EXPECT_TRUE(Verify(question, AnswerText(question)).correct()) << question.id();
    EXPECT_TRUE(ids.insert(question.id()).second) << question.id();
  }
  EXPECT_EQ(forms[v1::QUESTION_FORM_MULTIPLE_CHOICE], 480);
  EXPECT_EQ(forms[v1::QUESTION_FORM_OPEN], 480);
  for (const auto& [task, count] : tasks) EXPECT_EQ(count, 40) << task;
  EXPECT_LE(std::abs(left - right), 4) << "closed answers are not even";
  for (const auto& [task, counts] : letters) {
    for (const auto& [letter, count] : counts) EXPECT_EQ(count, 5) << task << " " << letter;
  }
  for (const auto& [scene, count] : scenes) EXPECT_LE(count, 10) << scene;
}

TEST(SelectQuestionsTest, LevelsGetTheirShares) {
  std::vector<std::vector<v1::Question>> by_scene;
  QuestionOptions options;
  options.per_scene = 0;
  for (uint64_t i = 0; i < 300; ++i) {
    Random random(2, i, "select");
    by_scene.push_back(AskAbout(DrawScene(i), options, random));
  }
  std::map<std::pair<int, int>, int> count;  // by form and level
  for (const v1::Question& question : SelectQuestions(by_scene, 500, 9, {0.4, 0.25, 0.35})) {
    ++count[{question.form(), question.level()}];
  }
  for (const int form : {v1::QUESTION_FORM_MULTIPLE_CHOICE, v1::QUESTION_FORM_OPEN}) {
    EXPECT_EQ((count[{form, 1}]), 200);
    EXPECT_EQ((count[{form, 2}]), 125);
    EXPECT_EQ((count[{form, 3}]), 175);
  }
}

TEST(BenchmarkSpecTest, IsReadFromJsonOrNamesTheField) {
  const auto spec = ParseBenchmarkSpec(
      R"({"seed": 7, "scenes": 3, "questions": 9, "level_shares": [0.5, 0.25, 0.25], "scene_spec": {"max_sources": 2}})");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->seed, 7u);
  EXPECT_EQ(spec->level_shares[0], 0.5);
  EXPECT_EQ(spec->scene_spec.max_sources(), 2u);
  const std::pair<const char*, const char*> bad[] = {{"[]", "JSON object"},
                                                     {R"({"seed": -1})", "seed"},
                                                     {R"({"scenes": 0})", "scenes"},
                                                     {R"({"questions": "many"})", "questions"},
                                                     {R"({"level_shares": [1, 2]})", "level_shares"},
                                                     {R"({"level_shares": [0.5, 0.2, 0.2]})", "level_shares"},
                                                     {R"({"scene_spec": {"rooms": 1}})", "scene_spec"},
                                                     {R"({"colour": 1})", "colour"}};
  for (const auto& [json, field] : bad) {
    const absl::Status status = ParseBenchmarkSpec(json).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << json;
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(field)) << json;
  }
  EXPECT_GE(AsaBenchmark().scenes, 400);
  EXPECT_GE(AsaBenchmark().questions, 1200);
}

TEST_F(BenchmarkTest, OtherQuestionsThanTheSpecSaysAreAnError) {
  BenchmarkSpec spec = SmallSpec();
  spec.questions_hash = "0123456789abcdef";
  const absl::Status status = GenerateBenchmark(spec, *SmallBank(), folder()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(CheckBenchmark(folder()).ok()) << "it must not look whole";
}

TEST(BenchmarkRowsTest, RowsAreReadBackAsTheyWereWritten) {
  Random random(1, 0, "rows");
  QuestionOptions options;
  options.per_scene = 0;
  for (const v1::Question& question : AskAbout(DrawScene(4), options, random)) {
    const auto back = QuestionRowFromJson(QuestionRowToJson({question, "audio/x.flac"}));
    ASSERT_TRUE(back.ok()) << back.status();
    v1::Question expected = question;
    expected.clear_scene_id();
    EXPECT_EQ(back->question.SerializeAsString(), expected.SerializeAsString());
    EXPECT_EQ(back->audio, "audio/x.flac");
  }
}

TEST(BenchmarkRowsTest, DamagedRowsNameTheField) {
  const auto message = [](const std::string& line) {
    return std::string(QuestionRowFromJson(line).status().message());
  };
  EXPECT_THAT(message("["), ::testing::HasSubstr("JSON"));
  EXPECT_THAT(message("{}"), ::testing::HasSubstr("id"));
  EXPECT_THAT(message(R"({"id": "a", "question": "?"})"), ::testing::HasSubstr("audio"));
  EXPECT_THAT(message(R"({"id": "a", "question": "?", "audio": "x", "options": 3})"), ::testing::HasSubstr("options"));
  EXPECT_THAT(message(R"({"id": "a", "question": "?", "audio": "x", "key": 3})"), ::testing::HasSubstr("key"));
  EXPECT_FALSE(AnswerRowFromJson(R"({"answer": "B"})").ok());
  const auto answer = AnswerRowFromJson(
      R"({"id": 17, "answer": "B. left", "letter": "B", "scene": {"sources": [{"id": "1", "confidence": 0.9}], "new": 1}})");
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->id, "17");
  EXPECT_EQ(answer->scene->sources_size(), 1);
  EXPECT_EQ(AnswerRowFromJson(R"({"id": "a", "error": {"code": 3}, "scene": null})")->error.empty(), false);
  EXPECT_EQ(ReadQuestionRows("/nowhere/questions.jsonl").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace auricle::sim
