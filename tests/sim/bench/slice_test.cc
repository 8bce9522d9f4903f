#include "sim/bench/slice.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/audio/audio_file.h"
#include "sim/bench/benchmark.h"
#include "sim/question/questions.h"
#include "sim/question/tasks.h"
#include "sim/question/verifier.h"
#include "sim/scene/scene_json.h"
#include "tests/sim/measures/audible_questions.h"
#include "tests/sim/scene/small_bank.h"

namespace auricle::sim {
namespace {

namespace fs = std::filesystem;

TEST(SliceTest, OnlyWhatAsksForANameMayBeGivenOn) {
  for (const char* free : {"CC0", "CC0-1.0", "CC-BY", "CC-BY-3.0", "CC-BY-4.0", "public domain", "MIT", "BSD-2-Clause"})
    EXPECT_TRUE(MayBeGivenOn(free)) << free;
  for (const char* bound : {"CC-BY-SA-3.0", "CC-BY-NC-4.0", "CC-BY-ND", "GPL-2+", "LGPL-2.1+", "ODbL-1.0 / DbCL-1.0",
                            "free-art", "Artistic-1.0", "MPL-2.0", ""})
    EXPECT_FALSE(MayBeGivenOn(bound)) << bound;
}

TEST(SliceTest, HoldsAFewScenesWholeWithTheirQuestionsAndLicences) {
  const fs::path folder = fs::path(::testing::TempDir()) / ("slice_" + std::to_string(::getpid()));
  BenchmarkSpec spec;
  spec.seed = 5;
  spec.scenes = 6;
  spec.questions = 40;
  spec.scene_spec.add_durations_seconds(2.0);
  spec.scene_spec.set_free_field_probability(1.0);
  ASSERT_TRUE(GenerateBenchmark(spec, *SmallBank(), (folder / "whole").string()).ok());
  // Around one of them something sounds of which nobody knows whose it is.
  const auto whole = ReadQuestionRows((folder / "whole/questions.jsonl").string());
  ASSERT_TRUE(whole.ok() && !whole->empty());
  const std::string bound = whole->front().audio;
  const std::string truth_path = (folder / "whole" / bound).replace_extension(".scene.json").string();
  absl::StatusOr<v1::Scene> surrounded = ReadSceneFile(truth_path);
  ASSERT_TRUE(surrounded.ok()) << surrounded.status();
  surrounded->mutable_ambience()->set_recording_path("audio/of/nobody.wav");
  std::ofstream(truth_path) << SceneToJsonText(*surrounded);

  const SliceOptions options = {.questions = 12, .scenes = 3, .longest_seconds = 2.0};
  const absl::Status written =
      WriteSlice((folder / "whole").string(), *SmallBank(), options, (folder / "slice").string());
  ASSERT_TRUE(written.ok()) << written;

  const auto slice = ReadQuestionRows((folder / "slice/questions.jsonl").string());
  ASSERT_TRUE(slice.ok());
  EXPECT_EQ(slice->size(), 12U);
  std::set<std::string> lines, scenes, tasks;
  for (const QuestionRow& row : *whole) lines.insert(QuestionRowToJson(row));
  for (const QuestionRow& row : *slice) {
    EXPECT_TRUE(lines.contains(QuestionRowToJson(row))) << row.question.text();
    EXPECT_NE(row.audio, bound);
    scenes.insert(row.audio);
    tasks.insert(row.question.task());
    const auto truth = ReadSceneFile((folder / "slice" / row.audio).replace_extension(".scene.json").string());
    EXPECT_TRUE(truth.ok()) << truth.status();
    // 16 bits: half a step from the 24 of the benchmark, and nothing else.
    const auto clip = audio::ReadFoaFile((folder / "slice" / row.audio).string(), audio::FoaFormat::kAmbiX);
    const auto full = audio::ReadFoaFile((folder / "whole" / row.audio).string(), audio::FoaFormat::kAmbiX);
    ASSERT_TRUE(clip.ok() && full.ok());
    ASSERT_EQ(clip->samples.size(), full->samples.size());
    for (size_t i = 0; i < clip->samples.size(); i += 97) {
      ASSERT_NEAR(clip->samples[i], full->samples[i], 1.01 / 32768) << i;
    }
  }
  EXPECT_LE(scenes.size(), 3U);
  EXPECT_GE(tasks.size(), 6U) << "few kinds of question";
  std::ifstream file(folder / "slice/LICENSES.md");
  const std::string licences((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_NE(licences.find("| CC0 |"), std::string::npos);
  fs::remove_all(folder);
}

// The slice in the repository: of every task, audible, and answered by its own truth.
TEST(SliceTest, TheOneInTheRepositoryIsWhole) {
  const fs::path folder = fs::path(AURICLE_SOURCE_DIR) / "sim/bench/smoke";
  const auto rows = ReadQuestionRows((folder / "questions.jsonl").string());
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->size(), 60U);
  std::ifstream file(folder / "LICENSES.md");
  const std::string licences((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::set<std::string> tasks;
  for (const QuestionRow& row : *rows) {
    tasks.insert(row.question.task());
    const auto clip = audio::ReadFoaFile((folder / row.audio).string(), audio::FoaFormat::kAmbiX);
    const auto truth = ReadSceneFile((folder / row.audio).replace_extension(".scene.json").string());
    ASSERT_TRUE(clip.ok() && truth.ok()) << clip.status() << truth.status();
    EXPECT_EQ(static_cast<double>(clip->frames()), truth->duration_seconds() * clip->sample_rate);
    EXPECT_THAT(InaudibleIn(row.question, *truth), ::testing::IsEmpty());
    EXPECT_TRUE(Verify(row.question, AnswerText(row.question)).correct()) << row.question.text();
    for (const v1::Source& source : truth->sources()) {
      const std::string named = "| " + truth->id() + " | " + source.class_name() + " |";
      EXPECT_NE(licences.find(named), std::string::npos) << named;
    }
  }
  EXPECT_EQ(tasks.size(), AllTasks().size());
}

}  // namespace
}  // namespace auricle::sim
