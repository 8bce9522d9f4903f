// Shards held against tar itself: what we write it lists and unpacks, what it packs we read.
#include "sim/dataset/shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/checkpoint/temporary_folder.h"
#include "tests/client/program.h"

namespace auricle::sim {
namespace {

namespace fs = std::filesystem;
using test::RunProgram;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kTar[] = "/bin/tar";

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

void WriteAll(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

Sample SampleOf(const std::string& key) {
  return {key, {{"flac", "audio of " + key}, {"scene.json", std::string(3000, 'j')}, {"questions.jsonl", ""}}};
}

absl::Status WriteShard(const std::string& path, const std::vector<Sample>& samples) {
  absl::StatusOr<ShardWriter> writer = ShardWriter::Create(path);
  if (!writer.ok()) return writer.status();
  for (const Sample& sample : samples) {
    if (absl::Status s = writer->Add(sample); !s.ok()) return s;
  }
  return writer->Finish();
}

// Keys with the extensions of each: "a: flac scene.json".
absl::StatusOr<std::vector<std::string>> Contents(const std::string& path, const ShardLimits& limits = {}) {
  std::vector<std::string> lines;
  const absl::Status status = ReadShard(path, limits, [&](const Sample& sample) {
    lines.push_back(sample.key + ":");
    for (const SampleFile& file : sample.files) lines.back() += " " + file.extension;
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return lines;
}

TEST(ShardTest, TarReadsWhatIsWritten) {
  TemporaryFolder folder;
  const std::string path = folder.File("a.tar");
  ASSERT_TRUE(WriteShard(path, {SampleOf("scene-7-0"), SampleOf("scene-7-1")}).ok());
  const auto listed = RunProgram(kTar, {"-tf", path});
  ASSERT_EQ(listed.exit_code, 0) << listed.err;
  EXPECT_EQ(listed.out,
            "scene-7-0.flac\nscene-7-0.scene.json\nscene-7-0.questions.jsonl\n"
            "scene-7-1.flac\nscene-7-1.scene.json\nscene-7-1.questions.jsonl\n");
  ASSERT_EQ(RunProgram(kTar, {"-xf", path, "-C", folder.path()}).exit_code, 0);
  EXPECT_EQ(ReadAll(folder.File("scene-7-1.flac")), "audio of scene-7-1");
  EXPECT_EQ(ReadAll(folder.File("scene-7-0.scene.json")), std::string(3000, 'j'));
  EXPECT_FALSE(fs::exists(path + ".part"));
}

TEST(ShardTest, ReadsWhatTarPacks) {
  TemporaryFolder folder;
  fs::create_directory(folder.File("in"));
  for (const char* name : {"b.jpg", "a.x.flac", "a.cls"}) WriteAll(folder.File(std::string("in/") + name), name);
  ASSERT_EQ(RunProgram(kTar, {"-cf", folder.File("a.tar"), "-C", folder.path(), "in/a.cls", "in/a.x.flac", "in/b.jpg"})
                .exit_code,
            0);
  const auto contents = Contents(folder.File("a.tar"));
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_THAT(*contents, ElementsAre("in/a: cls x.flac", "in/b: jpg"));
}

TEST(ShardTest, SameSamplesSameBytes) {
  TemporaryFolder folder;
  for (const char* name : {"a.tar", "b.tar"}) ASSERT_TRUE(WriteShard(folder.File(name), {SampleOf("k")}).ok());
  EXPECT_EQ(ReadAll(folder.File("a.tar")), ReadAll(folder.File("b.tar")));
}

TEST(ShardTest, AShardThatIsNotFinishedHasNoName) {
  TemporaryFolder folder;
  {
    absl::StatusOr<ShardWriter> writer = ShardWriter::Create(folder.File("a.tar"));
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->Add(SampleOf("k")).ok());
    EXPECT_FALSE(fs::exists(folder.File("a.tar")));
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(ShardTest, AFullDiskIsAnErrorAndLeavesNothing) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  TemporaryFolder folder;
  fs::create_symlink("/dev/full", folder.File("a.tar.part"));
  const absl::Status full = WriteShard(folder.File("a.tar"), {SampleOf("k")});
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(full.message()), HasSubstr("a.tar: cannot be written: No space left on device"));
  EXPECT_TRUE(fs::is_empty(folder.path()));
  EXPECT_EQ(WriteShard(folder.File("nowhere/a.tar"), {}).code(), absl::StatusCode::kNotFound);
}

TEST(ShardTest, RefusesNamesThatWouldNotComeBackTheSame) {
  TemporaryFolder folder;
  for (const char* key : {"", "a.b", "../a", "a/b", "a b", "\xff"}) {
    const absl::Status status = WriteShard(folder.File("a.tar"), {{key, {{"flac", "x"}}}});
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << key;
    EXPECT_THAT(std::string(status.message()), HasSubstr("key")) << key;
  }
  EXPECT_THAT(std::string(WriteShard(folder.File("a.tar"), {{"a", {{"", "x"}}}}).message()), HasSubstr("extension"));
  EXPECT_THAT(std::string(WriteShard(folder.File("a.tar"), {{std::string(99, 'a'), {{"flac", "x"}}}}).message()),
              HasSubstr("100"));
}

TEST(ShardTest, EveryCutIsNoticed) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteShard(folder.File("a.tar"), {SampleOf("k"), SampleOf("l")}).ok());
  const std::string whole = ReadAll(folder.File("a.tar"));
  for (size_t length = 0; length < whole.size(); length += 256) {
    WriteAll(folder.File("cut.tar"), whole.substr(0, length));
    EXPECT_FALSE(Contents(folder.File("cut.tar")).ok()) << length << " of " << whole.size() << " bytes";
  }
  EXPECT_TRUE(Contents(folder.File("a.tar")).ok());
}

TEST(ShardTest, RefusesLinksAndWhatIsPastTheLimits) {
  TemporaryFolder folder;
  WriteAll(folder.File("a.flac"), std::string(5000, 'x'));
  fs::create_symlink("/etc/passwd", folder.File("b.flac"));
  const auto pack = [&](const std::vector<std::string>& names) {
    std::vector<std::string> words = {"-cf", folder.File("p.tar"), "-C", folder.path()};
    words.insert(words.end(), names.begin(), names.end());
    ASSERT_EQ(RunProgram(kTar, words).exit_code, 0);
  };
  pack({"b.flac"});
  EXPECT_THAT(std::string(Contents(folder.File("p.tar")).status().message()),
              HasSubstr("member b.flac: is not a plain"));
  pack({"a.flac"});
  EXPECT_THAT(
      std::string(
          Contents(folder.File("p.tar"), {.max_file_bytes = 4999, .max_files_per_sample = 64}).status().message()),
      HasSubstr("longer than 4999"));
  WriteAll(folder.File("a.b"), "");
  pack({"a.flac", "a.b"});
  EXPECT_THAT(
      std::string(
          Contents(folder.File("p.tar"), {.max_file_bytes = 5000, .max_files_per_sample = 1}).status().message()),
      HasSubstr("more than 1 files"));
  WriteAll(folder.File("plain"), "");
  pack({"plain"});
  EXPECT_THAT(std::string(Contents(folder.File("p.tar")).status().message()), HasSubstr("has no extension"));
  EXPECT_EQ(Contents(folder.File("none.tar")).status().code(), absl::StatusCode::kNotFound);
  WriteAll(folder.File("p.tar"), "four-channel text file");
  EXPECT_EQ(Contents(folder.File("p.tar")).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace auricle::sim
