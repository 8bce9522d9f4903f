// The program auricle-train, killed without warning and started again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/train/synthetic_bank.h"

extern char** environ;

namespace auricle::train {
namespace {

namespace fs = std::filesystem;

// Losses by step, as text, so that equal means the same bits.
std::vector<std::string> Losses(const fs::path& curves) {
  std::vector<std::string> out;
  std::ifstream in(curves);
  std::string line;
  while (std::getline(in, line)) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object()) continue;
    std::string text = json["step"].dump();
    for (const auto& item : json.items()) {
      if (!item.key().starts_with("time_")) text += " " + item.key() + "=" + item.value().dump();
    }
    out.push_back(text);
  }
  return out;
}

class ResumeTest : public testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() {
    root_ = fs::temp_directory_path() / ("auricle-resume-" + std::to_string(getpid()));
    MakeSyntheticBank((root_ / "bank").string());
  }
  static void TearDownTestSuite() { fs::remove_all(root_); }

  pid_t Start(const std::string& run, std::vector<std::string> more) {
    std::vector<std::string> words = {std::string(AURICLE_BIN_DIR) + "/auricle-train",
                                      "--config",
                                      std::string(AURICLE_SOURCE_DIR) + "/model/train/configs/tiny.json",
                                      "--dir",
                                      (root_ / run).string(),
                                      "--bank",
                                      (root_ / "bank").string(),
                                      "--threads",
                                      "2"};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_t pid = 0;
    EXPECT_EQ(posix_spawn(&pid, argv[0], nullptr, nullptr, argv.data(), environ), 0);
    return pid;
  }
  int Wait(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  int Run(const std::string& run, std::vector<std::string> more) { return Wait(Start(run, std::move(more))); }

  static inline fs::path root_;
};

TEST_P(ResumeTest, GivesTheSameCurveBitForBitAfterKill9) {
  const std::string stage = GetParam();
  std::vector<std::string> options = {"--stage", stage};
  if (stage != "encoder") {
    // A decoder stage listens with a learned encoder.
    ASSERT_EQ(Run("ears", {"--stage", "encoder", "--steps", "2"}), 0);
    options.insert(options.end(), {"--init", (root_ / "ears/encoder/final.safetensors").string()});
  }
  ASSERT_EQ(Run(stage + "-straight", options), 0);
  const auto straight = Losses(root_ / (stage + "-straight") / stage / "curves.jsonl");
  ASSERT_EQ(straight.size(), 12u);

  const fs::path curves = root_ / (stage + "-killed") / stage / "curves.jsonl";
  const pid_t pid = Start(stage + "-killed", options);
  int status = 0;
  while (Losses(curves).size() < 6 && waitpid(pid, &status, WNOHANG) == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  kill(pid, SIGKILL);
  Wait(pid);
  EXPECT_LT(Losses(curves).size(), 12u) << "killed too late to test anything";
  ASSERT_EQ(Run(stage + "-killed", options), 0);
  EXPECT_EQ(Losses(curves), straight);
}

INSTANTIATE_TEST_SUITE_P(Stages, ResumeTest, testing::Values("encoder", "sft"));

using RunFolderTest = ResumeTest;

TEST_F(RunFolderTest, RefusesAFolderOfAnotherConfigurationAndNamesTheField) {
  ASSERT_EQ(Run("claimed", {"--stage", "encoder", "--steps", "1"}), 0);
  const fs::path config = root_ / "claimed/config.json";
  std::ifstream in(config);
  auto json = nlohmann::json::parse(in);
  json["encoder"]["rate"] = 0.5;
  std::ofstream(config) << json.dump();
  testing::internal::CaptureStderr();
  EXPECT_EQ(Run("claimed", {"--stage", "encoder"}), 2);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("encoder.rate"));
}

TEST_F(RunFolderTest, RefusesADeviceThatIsNotThereAndLeavesTheFolderAlone) {
  testing::internal::CaptureStderr();
  const int code = Run("gpu", {"--stage", "encoder", "--steps", "1", "--device", "cuda"});
  const std::string said = testing::internal::GetCapturedStderr();
  if (code == 0) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_EQ(code, 2);
  EXPECT_THAT(said, testing::HasSubstr("device is cuda"));
  EXPECT_FALSE(fs::exists(root_ / "gpu"));
}

// The header of a safetensors file: the names of its tensors.
std::string HeaderOf(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  uint64_t length = 0;
  in.read(reinterpret_cast<char*>(&length), sizeof(length));
  std::string header(in ? length : 0, ' ');
  in.read(header.data(), static_cast<std::streamsize>(header.size()));
  return header;
}

TEST_F(RunFolderTest, StagesOneByOneBuildOnEachOtherAsAllOfThemDo) {
  ASSERT_EQ(Run("steps", {"--stage", "encoder", "--steps", "1"}), 0);
  ASSERT_EQ(Run("steps", {"--stage", "language", "--steps", "1"}), 0);
  // A stage that hears nothing has no ears to hand on: its random ones would replace the learned ones.
  const std::string language = HeaderOf(root_ / "steps/language/final.safetensors");
  EXPECT_THAT(language, testing::HasSubstr("\"decoder."));
  EXPECT_THAT(language, testing::Not(testing::HasSubstr("\"ears.")));
  EXPECT_THAT(language, testing::Not(testing::HasSubstr("\"projector.")));
  // Finds the encoder that was learned here, without --init.
  ASSERT_EQ(Run("steps", {"--stage", "alignment", "--steps", "1"}), 0);
  EXPECT_THAT(HeaderOf(root_ / "steps/alignment/final.safetensors"), testing::HasSubstr("\"ears."));
}

TEST_F(RunFolderTest, StopsAtAnUnknownFlag) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(Run("flags", {"--colour", "blue"}), 2);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("--colour"));
}

}  // namespace
}  // namespace auricle::train
