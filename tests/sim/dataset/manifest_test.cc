#include "sim/dataset/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/checkpoint/temporary_folder.h"

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;

// SHA-256 of "abc" (FIPS 180-2, appendix B.1).
constexpr char kAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

void Put(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::trunc) << text; }

TEST(ManifestTest, ComesBackAsItWasWritten) {
  TemporaryFolder folder;
  Manifest manifest{.made_from = R"({"seed":7,"spec":{"name":"b","a":[1.5]}})", .shards = {}};
  manifest.Put({"b.tar", 10, 10, 99, kAbc});
  manifest.Put({"a.tar", 0, 10, 98, kAbc});
  manifest.Put({"a.tar", 0, 11, 97, kAbc});
  ASSERT_TRUE(WriteManifest(folder.path(), manifest).ok());
  const absl::StatusOr<Manifest> read = ReadManifest(folder.path());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->made_from, manifest.made_from);
  ASSERT_EQ(read->shards.size(), 2u);
  EXPECT_EQ(read->shards[0].file, "a.tar");
  EXPECT_EQ(read->shards[0].scenes, 11);
  EXPECT_EQ(read->shards[0].bytes, 97u);
  EXPECT_EQ(read->shards[1].first_index, 10u);
  EXPECT_EQ(read->Find("b.tar"), &read->shards[1]);
  EXPECT_EQ(read->Find("c.tar"), nullptr);
}

TEST(ManifestTest, KnowsAShardByItsBytes) {
  TemporaryFolder folder;
  Put(folder.File("a.tar"), "abc");
  const absl::StatusOr<ShardEntry> entry = DescribeShard(folder.path(), "a.tar", 5, 2);
  ASSERT_TRUE(entry.ok());
  EXPECT_EQ(entry->sha256, kAbc);
  EXPECT_EQ(entry->bytes, 3u);
  EXPECT_TRUE(CheckShard(folder.path(), *entry).ok());
  Put(folder.File("a.tar"), "abd");
  EXPECT_EQ(CheckShard(folder.path(), *entry).code(), absl::StatusCode::kDataLoss);
  Put(folder.File("a.tar"), "ab");
  EXPECT_THAT(std::string(CheckShard(folder.path(), *entry).message()), HasSubstr("has 2 bytes, its manifest says 3"));
  std::filesystem::remove(folder.File("a.tar"));
  EXPECT_EQ(CheckShard(folder.path(), *entry).code(), absl::StatusCode::kNotFound);
}

TEST(ManifestTest, NamesTheFieldThatIsWrong) {
  TemporaryFolder folder;
  EXPECT_EQ(ReadManifest(folder.path()).status().code(), absl::StatusCode::kNotFound);
  const std::string sha = kAbc;
  const auto with = [&](const std::string& shard) {
    return R"({"format":"auricle-shards/1","made_from":{},"shards":[)" + shard + "]}";
  };
  const std::pair<std::string, std::string> bad[] = {
      {"{", "not a JSON object"},
      {"[]", "not a JSON object"},
      {R"({"format":"other"})", "format"},
      {R"({"format":"auricle-shards/1","shards":[]})", "made_from"},
      {R"({"format":"auricle-shards/1","made_from":{},"shards":{}})", "shards: must be a list"},
      {with("1"), "shards[0]: must be an object"},
      {with(R"({"file":"../a.tar"})"), "shards[0].file"},
      {with(R"({"file":".."})"), "shards[0].file"},
      {with(R"({"file":"a.tar","sha256":"ba78"})"), "shards[0].sha256"},
      {with(R"({"file":"a.tar","sha256":")" + sha + R"(","first_index":0,"scenes":-1,"bytes":1})"), "shards[0].scenes"},
      {with(R"({"file":"a.tar","sha256":")" + sha + R"(","first_index":0,"scenes":1,"bytes":1.5})"),
       "shards[0].bytes"}};
  for (const auto& [text, field] : bad) {
    Put(folder.File(kManifestName), text);
    const absl::Status status = ReadManifest(folder.path()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(field)) << text;
  }
}

}  // namespace
}  // namespace auricle::sim
