#include "client/cli/eval_run.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/client/fake_server.h"
#include "tests/client/wav_bytes.h"

namespace auricle::client {
namespace {

class EvalRunTest : public ::testing::Test {
 protected:
  EvalRunTest() {
    char pattern[] = "/tmp/auricle_eval_run_XXXXXX";
    folder_ = mkdtemp(pattern);
    std::ofstream(folder_ + "/clip.wav", std::ios::binary) << test::SilentWav(4, 16000, 100);
    options_.concurrency = 1;
    options_.max_retries = 3;
    options_.first_retry_delay = options_.max_retry_delay = absl::Milliseconds(1);
  }
  ~EvalRunTest() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<EvalCounts> Run(const std::vector<std::string>& questions) {
    std::vector<QuestionRow> rows;
    for (const std::string& question : questions) {
      QuestionRow& row = rows.emplace_back();
      row.line = rows.size();
      row.id_json = std::to_string(rows.size());
      row.audio_path = folder_ + "/clip.wav";
      row.format = v1::FOA_FORMAT_AMBIX;
      row.question = question;
    }
    const auto client = SpatialQaClient::Connect(server_.address());
    if (!client.ok()) return client.status();
    const std::atomic<bool> stop = false;
    return RunEval(
        **client, rows, {}, folder_ + "/answers.jsonl", options_, [](const EvalCounts&) {}, stop);
  }

  test::FakeServer server_;
  std::string folder_;
  EvalOptions options_;
};

TEST_F(EvalRunTest, WaitsOnceForAServerThatIsAwayAndNotForEveryRow) {
  const auto counts = Run({"gone 1", "gone 2", "gone 3"});
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->failed, 3u);
  EXPECT_TRUE(counts->server_away);
  EXPECT_EQ(server_.asked().size(), 4u + 1u + 1u);
}

TEST_F(EvalRunTest, WaitsAgainOnceTheServerHasAnsweredInBetween) {
  const auto counts = Run({"gone 1", "here", "gone 2", "here again"});
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->failed, 2u);
  EXPECT_FALSE(counts->server_away);
  EXPECT_EQ(server_.asked().size(), 4u + 1u + 4u + 1u);
}

}  // namespace
}  // namespace auricle::client
