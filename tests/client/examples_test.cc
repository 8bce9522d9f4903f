// The example scenes of the repository: complete, small, licensed, and asked about with keys that fit their truth.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "client/cli/question_json.h"
#include "model/audio/audio_file.h"
#include "sim/question/verifier.h"
#include "sim/scene/scene_json.h"
#include "tests/client/fake_server.h"
#include "tests/client/program.h"

namespace auricle::client {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kExamples = AURICLE_SOURCE_DIR "/client/examples";

std::vector<KeyedQuestion> Questions() {
  std::vector<KeyedQuestion> questions;
  std::ifstream file(kExamples / "questions.jsonl");
  for (std::string line; std::getline(file, line);) {
    const auto question = QuestionFromJson(line);
    EXPECT_TRUE(question.ok()) << question.status() << " " << line;
    if (question.ok()) questions.push_back(*question);
  }
  return questions;
}

TEST(Examples, AskSixQuestionsOfThreeLevelsAboutThreeScenes) {
  std::set<std::string> scenes;
  std::set<int> levels;
  for (const KeyedQuestion& asked : Questions()) {
    scenes.insert(asked.audio);
    levels.insert(asked.question.level());
  }
  EXPECT_EQ(Questions().size(), 6u);
  EXPECT_EQ(scenes.size(), 3u);
  EXPECT_EQ(levels, (std::set<int>{1, 2, 3}));
}

TEST(Examples, HaveKeysThatTheVerifierAcceptsInWordsAndRefusesOtherwise) {
  for (const KeyedQuestion& asked : Questions()) {
    const v1::AnswerKey& key = asked.question.key();
    const std::string answer = key.letter().empty() ? key.reference() : key.letter();
    EXPECT_TRUE(sim::Verify(asked.question, answer).correct()) << asked.question.text();
    EXPECT_FALSE(sim::Verify(asked.question, "an airplane above you").correct()) << asked.question.text();
  }
}

TEST(Examples, AreFourChannelClipsWithTheirTruthBesideThem) {
  uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kExamples)) {
    bytes += entry.file_size();
    if (entry.path().extension() != ".flac") continue;
    const auto clip = audio::ReadFoaFile(entry.path().string(), audio::FoaFormat::kAmbiX);
    ASSERT_TRUE(clip.ok()) << clip.status();
    EXPECT_EQ(clip->sample_rate, 16000);
    const auto truth =
        sim::ReadSceneFile(std::filesystem::path(entry.path()).replace_extension(".scene.json").string());
    ASSERT_TRUE(truth.ok()) << truth.status();
    EXPECT_NEAR(clip->seconds(), truth->duration_seconds(), 1e-3);
    EXPECT_GE(truth->sources_size(), 2);
    EXPECT_EQ(truth->split(), "test") << "no model shipped here may have heard it";
  }
  EXPECT_LT(bytes, 3'000'000u);
}

TEST(Examples, NameAuthorAndLicenceOfEveryRecording) {
  std::ifstream file(kExamples / "LICENSES.md");
  std::stringstream licences;
  licences << file.rdbuf();
  for (const auto& entry : std::filesystem::directory_iterator(kExamples)) {
    const std::string name = entry.path().filename().string();
    if (name.find(".scene.json") == std::string::npos) continue;
    const auto truth = sim::ReadSceneFile(entry.path().string());
    ASSERT_TRUE(truth.ok());
    for (const v1::Source& source : truth->sources()) {
      // Groups of these recordings are "fs" and their number at freesound.org.
      ASSERT_EQ(source.recording_group().substr(0, 2), "fs");
      EXPECT_THAT(licences.str(), HasSubstr("| " + name.substr(0, name.find('.')) + " |"));
      EXPECT_THAT(licences.str(), HasSubstr("[freesound " + source.recording_group().substr(2) + "]"));
    }
  }
}

TEST(Demo, ShowsTruthBesideEveryAnswer) {
  const test::FakeServer server;
  const auto result = test::RunProgram(AURICLE_BIN_DIR "/auricle", {"demo", "--scenes", kExamples.string(), "--server",
                                                                    server.address(), "--metrics", "127.0.0.1:1234"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  size_t truths = 0;
  for (size_t at = result.out.find("  truth  "); at != std::string::npos; at = result.out.find("  truth  ", at + 1))
    ++truths;
  EXPECT_EQ(truths, 6u);
  EXPECT_THAT(result.out, HasSubstr("http://127.0.0.1:1234/metrics"));
  EXPECT_THAT(result.out, HasSubstr("●1 a dog barking"));
  EXPECT_EQ(test::RunProgram(AURICLE_BIN_DIR "/auricle", {"demo", "--scenes", "/nonexistent"}).exit_code, 1);
}

TEST(QuestionJson, ComesBackAsItWentOut) {
  v1::Question question;
  question.set_id("s/1");
  question.set_text("Where?");
  question.set_task("estimate_azimuth");
  question.set_level(v1::QUESTION_LEVEL_ATOMIC);
  question.set_form(v1::QUESTION_FORM_MULTIPLE_CHOICE);
  for (const char* option : {"left", "right", "front", "back"}) question.add_options(option);
  question.mutable_key()->set_letter("A");
  question.mutable_key()->set_azimuth_deg(87.5);
  const auto back = QuestionFromJson(QuestionToJson(question, "a.flac").dump());
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->audio, "a.flac");
  EXPECT_EQ(back->question.SerializeAsString(), question.SerializeAsString());
  for (const char* line : {"", "[]", "{}", R"({"question": 1, "audio": "a", "key": {}})",
                           R"({"question": "q", "audio": "a", "key": {"nope": 1}})",
                           R"({"question": "q", "audio": "a", "key": {}, "options": [1]})"}) {
    EXPECT_EQ(QuestionFromJson(line).status().code(), absl::StatusCode::kInvalidArgument) << line;
  }
}

}  // namespace
}  // namespace auricle::client
