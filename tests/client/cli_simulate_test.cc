// auricle simulate as a subprocess, with a bank of tones: what lies in its folder afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "tests/client/program.h"
#include "tests/train/synthetic_bank.h"

namespace auricle::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class CliSimulateTest : public ::testing::Test {
 protected:
  CliSimulateTest() {
    char pattern[] = "/tmp/auricle_simulate_XXXXXX";
    folder_ = mkdtemp(pattern);
    train::MakeSyntheticBank(folder_ + "/bank");
    std::ofstream spec(folder_ + "/spec.json");
    spec << R"({"min_sources": 2, "max_sources": 2, "durations_seconds": [5], "free_field_probability": 1})";
    std::filesystem::create_directory(folder_ + "/out");
  }
  ~CliSimulateTest() override { std::filesystem::remove_all(folder_); }

  ProgramResult Run(const std::vector<std::string>& more) {
    std::vector<std::string> words = {"simulate", "--questions=2", "--sounds=" + folder_ + "/bank"};
    words.push_back("--spec=" + folder_ + "/spec.json");
    words.push_back("--out=" + folder_ + "/out");
    words.insert(words.end(), more.begin(), more.end());
    return RunProgram(AURICLE_BIN_DIR "/auricle", words);
  }
  std::string Questions() {
    std::ifstream file(folder_ + "/out/questions.jsonl");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::string folder_;
};

TEST_F(CliSimulateTest, AddsTheQuestionsOfALaterIndexToThoseThatAreThere) {
  const ProgramResult first = Run({"--count", "2"});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const std::string two = Questions();
  EXPECT_THAT(two, HasSubstr("scene-0-0.flac"));
  EXPECT_THAT(two, HasSubstr("scene-0-1.flac"));
  ASSERT_EQ(Run({"--index", "2"}).exit_code, 0);
  EXPECT_THAT(Questions(), StartsWith(two));
  EXPECT_THAT(Questions(), HasSubstr("scene-0-2.flac"));
  ASSERT_EQ(Run({"--count", "2"}).exit_code, 0);
  EXPECT_EQ(Questions(), two) << "index 0 begins anew";
}

TEST_F(CliSimulateTest, SaysThatQuestionsCannotBeWritten) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  std::filesystem::create_symlink("/dev/full", folder_ + "/out/questions.jsonl");
  const ProgramResult result = Run({"--count", "2"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("questions.jsonl: cannot be written"));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/out/scene-0-1.flac"));
}

TEST_F(CliSimulateTest, SaysThatQuestionsCannotBeOpenedBeforeItRendersAScene) {
  std::filesystem::create_directory(folder_ + "/out/questions.jsonl");
  const ProgramResult result = Run({});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("questions.jsonl: cannot be written"));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/out/scene-0-0.flac"));
}

TEST_F(CliSimulateTest, SaysWhatIsWrongWithASpec) {
  for (const auto& [json, words] :
       {std::pair{R"({"room_lenght_m": {"min": 3, "max": 4}})", "room_lenght_m"},
        {R"({"room_length_m": {"min": 0, "max": 4}})", "room_length_m.min = 0 is out of range [2, 50]"},
        {R"({"room_height_m": {"min": 3, "max": 1000}})", "room_height_m.max = 1000 is out of range [2, 50]"},
        {R"({"room_width_m": {"min": "NaN", "max": 4}})", "room_width_m.min = nan is out of range [2, 50]"},
        {R"({"reverberation_seconds": {"min": 0.2, "max": 9}})",
         "reverberation_seconds.max = 9 is out of range [0.1, 2]"},
        {R"({"distance_m": {"min": 0.005, "max": 1}})", "distance_m.min = 0.005 is out of range [0.3, 20]"},
        {R"({"classes": ["unicorn"]})", "classes names \"unicorn\""},
        {R"({"ambience": {"classes": ["unicorn"]}})", "ambience.classes names \"unicorn\""},
        {"", "is not a SceneSpec in JSON"}}) {
    std::ofstream(folder_ + "/spec.json", std::ios::trunc) << json;
    for (const char* shards : {"--shard-size=0", "--shard-size=2"}) {
      const ProgramResult result = Run({shards});
      EXPECT_EQ(result.exit_code, 1) << json;
      EXPECT_THAT(result.err, HasSubstr(words));
    }
  }
  std::filesystem::remove(folder_ + "/spec.json");
  EXPECT_THAT(Run({}).err, HasSubstr("spec.json: no such file"));
}

TEST_F(CliSimulateTest, NamesARecordingThatIsSpoiledOrGone) {
  for (const char* bytes : {"", "this is no sound"}) {
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder_ + "/bank")) {
      if (file.is_regular_file() && file.path().filename() != "bank.tsv") {
        std::ofstream(file.path(), std::ios::binary | std::ios::trunc) << bytes;
      }
    }
    for (const char* shards : {"--shard-size=0", "--shard-size=2"}) {
      const ProgramResult result = Run({shards});
      EXPECT_EQ(result.exit_code, 1);
      EXPECT_THAT(result.err, HasSubstr("DATA_LOSS"));
      EXPECT_THAT(result.err, HasSubstr(folder_ + "/bank/"));
    }
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_ + "/out") || Questions().empty());
}

}  // namespace
}  // namespace auricle::test
