// Data sets through the program: shards that are made, interrupted, verified, exported and imported.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "client/cli/scene_files.h"
#include "sim/scene/scene_json.h"
#include "tests/checkpoint/temporary_folder.h"
#include "tests/client/program.h"
#include "tests/train/synthetic_bank.h"

namespace auricle::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class CliDatasetTest : public ::testing::Test {
 protected:
  CliDatasetTest() {
    train::MakeSyntheticBank(folder_.File("bank"));
    std::ofstream spec(folder_.File("spec.json"));
    spec << R"({"min_sources": 2, "max_sources": 2, "durations_seconds": [2], "free_field_probability": 1})";
  }

  std::vector<std::string> SimulateWords(const std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> words = {"simulate", "--questions=2", "--sounds=" + folder_.File("bank"),
                                      "--spec=" + folder_.File("spec.json"), "--out=" + folder_.File(out)};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  ProgramResult Simulate(const std::string& out, const std::vector<std::string>& more) {
    return RunProgram(kAuricle, SimulateWords(out, more));
  }
  ProgramResult Auricle(const std::vector<std::string>& words) { return RunProgram(kAuricle, words); }

  // Names and bytes of a folder's files.
  std::map<std::string, std::string> Files(const std::string& name) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(folder_.File(name))) {
      if (entry.path().filename() == "lock") continue;
      std::ifstream file(entry.path(), std::ios::binary);
      std::stringstream bytes;
      bytes << file.rdbuf();
      files[entry.path().filename()] = bytes.str();
    }
    return files;
  }

  static constexpr char kAuricle[] = AURICLE_BIN_DIR "/auricle";
  TemporaryFolder folder_;
};

TEST_F(CliDatasetTest, ShardsAreTheSameForAnyNumberOfThreadsAndGoOnWhereTheyStopped) {
  ASSERT_EQ(Simulate("one", {"--count=7", "--shard-size=3", "--jobs=1"}).exit_code, 0);
  const auto whole = Files("one");
  EXPECT_EQ(whole.size(), 4u) << "three shards and the manifest";
  ASSERT_EQ(Simulate("four", {"--count=7", "--shard-size=3", "--jobs=4"}).exit_code, 0);
  EXPECT_EQ(Files("four"), whole);

  // First five scenes only: the second shard is not full, and is made again when more are wanted.
  ASSERT_EQ(Simulate("grown", {"--count=5", "--shard-size=3"}).exit_code, 0);
  ASSERT_EQ(Simulate("grown", {"--count=7", "--shard-size=3"}).exit_code, 0);
  EXPECT_EQ(Files("grown"), whole);

  // A shard that is damaged, and one that is gone, are made again.
  fs::resize_file(folder_.File("grown/scene-000000.tar"), 1000);
  fs::remove(folder_.File("grown/scene-000001.tar"));
  ASSERT_EQ(Simulate("grown", {"--count=7", "--shard-size=3"}).exit_code, 0);
  EXPECT_EQ(Files("grown"), whole);

  const ProgramResult other = Simulate("grown", {"--count=7", "--shard-size=3", "--seed=1"});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.err, HasSubstr("take another folder"));
  EXPECT_EQ(Files("grown"), whole);
}

TEST_F(CliDatasetTest, AKilledRunLeavesNoShardThatLooksWholeAndIsGoneOnWith) {
  {
    BackgroundProgram run(kAuricle, SimulateWords("killed", {"--count=2000", "--shard-size=4", "--jobs=2"}));
    while (!fs::exists(folder_.File("killed/manifest.json")) && run.Running()) {
    }
    run.Signal(SIGKILL);
    run.Wait();
  }
  ASSERT_TRUE(fs::exists(folder_.File("killed/manifest.json")));
  const auto verified = Auricle({"verify", folder_.File("killed")});
  EXPECT_EQ(verified.exit_code, 0) << verified.err;
  ASSERT_EQ(Simulate("killed", {"--count=8", "--shard-size=4"}).exit_code, 0);
  ASSERT_EQ(Simulate("straight", {"--count=8", "--shard-size=4"}).exit_code, 0);
  const auto killed = Files("killed");
  for (const auto& [name, bytes] : Files("straight")) {
    if (name != "manifest.json") {
      EXPECT_TRUE(killed.at(name) == bytes) << name;
    }
  }
}

// What a file may hold (1 block of ulimit is 512 bytes in dash, 1024 in bash) ends in the middle of the first shard, as
// a disk would. Not below half a MiB: ThreadSanitizer writes as much when a program starts.
TEST_F(CliDatasetTest, AShardThatDoesNotFitIsSaidAndMadeWhereThereIsRoom) {
  std::string command = "trap '' XFSZ; ulimit -f 1200; exec " + std::string(kAuricle);
  for (const std::string& word : SimulateWords("full", {"--count=8", "--shard-size=8"})) command += " '" + word + "'";
  const ProgramResult full = RunProgram("/bin/sh", {"-c", command});
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_THAT(full.err, HasSubstr("scene-000000.tar: cannot be written: File too large"));
  EXPECT_FALSE(fs::exists(folder_.File("full/scene-000000.tar")));
  EXPECT_FALSE(fs::exists(folder_.File("full/scene-000000.tar.part")));
  ASSERT_EQ(Simulate("full", {"--count=8", "--shard-size=8"}).exit_code, 0);
  ASSERT_EQ(Simulate("straight", {"--count=8", "--shard-size=8"}).exit_code, 0);
  EXPECT_EQ(Files("full"), Files("straight"));
}

TEST_F(CliDatasetTest, VerifyFindsATurnedBit) {
  ASSERT_EQ(Simulate("set", {"--count=4", "--shard-size=2"}).exit_code, 0);
  const auto good = Auricle({"verify", folder_.File("set")});
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_THAT(good.out, HasSubstr("4 scenes"));
  {
    std::fstream file(folder_.File("set/scene-000001.tar"), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(5000);
    file.put('\x7f');
  }
  const auto bad = Auricle({"verify", folder_.File("set")});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.err, HasSubstr("scene-000001.tar"));
  EXPECT_EQ(Auricle({"verify", folder_.File("bank")}).exit_code, 1) << "neither shards nor scenes";
}

TEST_F(CliDatasetTest, WhatIsExportedIsImportedAgain) {
  ASSERT_EQ(Simulate("set", {"--count=3", "--shard-size=2"}).exit_code, 0);
  ASSERT_EQ(Simulate("loose", {"--count=3"}).exit_code, 0);
  for (const char* from : {"set", "loose"}) {
    fs::remove_all(folder_.File("dcase"));
    fs::remove_all(folder_.File("back"));
    const auto exported = Auricle({"export", folder_.File(from), "--out", folder_.File("dcase")});
    ASSERT_EQ(exported.exit_code, 0) << exported.err;
    const auto imported = Auricle({"import", folder_.File("dcase/foa_dev"), folder_.File("dcase/metadata_dev"), "--out",
                                   folder_.File("back"), "--classes", folder_.File("dcase/classes.csv")});
    ASSERT_EQ(imported.exit_code, 0) << imported.err;
    for (const char* stem : {"scene-0-0", "scene-0-1", "scene-0-2"}) {
      const auto truth = sim::ReadSceneFile(folder_.File(std::string("loose/") + stem + ".scene.json"));
      const auto back = sim::ReadSceneFile(folder_.File(std::string("back/") + stem + ".scene.json"));
      ASSERT_TRUE(truth.ok()) << truth.status();
      ASSERT_TRUE(back.ok()) << back.status();
      ASSERT_EQ(back->sources_size(), truth->sources_size());
      EXPECT_NEAR(back->duration_seconds(), truth->duration_seconds(), 1e-3);
      for (const v1::Source& source : truth->sources()) {
        const auto same = std::ranges::find(back->sources(), source.class_name(), &v1::Source::class_name);
        ASSERT_NE(same, back->sources().end()) << source.class_name();
        EXPECT_NEAR(same->direction().azimuth_deg(), source.direction().azimuth_deg(), 0.51);
        EXPECT_NEAR(same->direction().elevation_deg(), source.direction().elevation_deg(), 0.51);
        EXPECT_NEAR(same->distance_m(), source.distance_m(), 0.0051);
      }
    }
  }
}

TEST_F(CliDatasetTest, ARecordingThatCannotBeImportedIsNamedAndTheOthersGoOn) {
  ASSERT_EQ(Simulate("loose", {"--count=2"}).exit_code, 0);
  ASSERT_EQ(Auricle({"export", folder_.File("loose"), "--out", folder_.File("dcase")}).exit_code, 0);
  std::ofstream(folder_.File("dcase/metadata_dev/scene-0-0.csv")) << "0,99,0,0,0\n";
  std::ofstream(folder_.File("dcase/foa_dev/words.wav")) << "no audio";
  const auto imported = Auricle({"import", folder_.File("dcase/foa_dev"), folder_.File("dcase/metadata_dev"), "--out",
                                 folder_.File("back"), "--classes", folder_.File("dcase/classes.csv")});
  EXPECT_EQ(imported.exit_code, 1);
  EXPECT_THAT(imported.err, HasSubstr("scene-0-0.csv: line 1: class"));
  EXPECT_THAT(imported.err, HasSubstr("words.wav: has no words.csv"));
  EXPECT_THAT(imported.out, HasSubstr("1 of 3"));
  EXPECT_TRUE(fs::exists(folder_.File("back/scene-0-1.flac")));
}

TEST_F(CliDatasetTest, OddNamesAndOffsetsAreRefused) {
  std::ofstream(folder_.File("spec.json")) << R"({"name": "../evil", "free_field_probability": 1})";
  for (const char* shards : {"--shard-size=0", "--shard-size=2"}) {
    const auto result = Simulate("out", {shards});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("name: of the spec"));
  }
  std::ofstream(folder_.File("spec.json")) << R"({"free_field_probability": 1})";
  EXPECT_THAT(Simulate("out", {"--shard-size=4", "--index=6"}).err, HasSubstr("index: is 6, must be a multiple"));
}

}  // namespace
}  // namespace auricle::test
