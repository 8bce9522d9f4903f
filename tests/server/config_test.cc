#include "server/runtime/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace auricle::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<ServerConfig> Parse(const std::vector<std::string>& arguments) {
  bool help = false;
  return ParseServerConfig(arguments, &help);
}

std::string FileWith(const std::string& text) {
  const std::string path = ::testing::TempDir() + "auricle_config_" + std::to_string(::getpid()) + ".json";
  std::ofstream(path) << text;
  return path;
}

TEST(ConfigTest, TakesFlagsInEverySpelling) {
  const auto config = Parse({"--model", "a", "--model=b", "--reflection", "--max-clip-seconds=12.5",
                             "--max-queued-requests", "7", "--log-format", "json"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->models, ElementsAre("a", "b"));
  EXPECT_TRUE(config->reflection);
  EXPECT_DOUBLE_EQ(config->max_clip_seconds, 12.5);
  EXPECT_EQ(config->max_queued_requests, 7);
  EXPECT_EQ(config->log_format, "json");
  EXPECT_EQ(config->listen, "127.0.0.1:50051");
}

TEST(ConfigTest, FlagsWinOverTheFile) {
  const std::string path =
      FileWith(R"({"listen": "0.0.0.0:1", "model": ["x", "y"], "max-running-requests": 3, "reflection": true})");
  const auto config = Parse({"--max-running-requests=5", "--config", path, "--noreflection", "--model", "z"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->listen, "0.0.0.0:1");
  EXPECT_THAT(config->models, ElementsAre("z"));
  EXPECT_EQ(config->max_running_requests, 5);
  EXPECT_FALSE(config->reflection);
}

TEST(ConfigTest, ErrorsNameTheSettingAndItsRange) {
  struct Row {
    std::vector<std::string> arguments;
    const char *name, *allowed;
  };
  const std::vector<Row> rows = {
      {{"--max-running-requests=0"}, "max-running-requests", "1 to 1024"},
      {{"--max-running-requests=many"}, "max-running-requests", "a whole number"},
      {{"--max-clip-seconds=nan"}, "max-clip-seconds", "0.1 to 600"},
      {{"--default-new-tokens=600"}, "default-new-tokens", "at most max-new-tokens, 512"},
      {{"--max-queued-audio-seconds=10"}, "max-queued-audio-seconds", "at least max-clip-seconds, 30"},
      {{"--max-stream-audio-bytes=0"}, "max-stream-audio-bytes", "1048576 to 1099511627776"},
      {{"--max-transport-bytes=100000000"}, "max-transport-bytes", "at least twice max-message-bytes, 67108864"},
      {{"--log-format=xml"}, "log-format", "text or json"},
      {{"--log-level=loud"}, "log-level", "debug"},
      {{"--listen=here"}, "listen", "host:port"},
      {{"--nonsense=1"}, "--nonsense", "--help"},
      {{"--listen"}, "--listen", "needs a value"},
      {{"word"}, "word", "--help"},
      {{"--config", FileWith(R"({"max-streams": "two"})")}, "max-streams", "a whole number"},
  };
  for (const Row& row : rows) {
    const auto config = Parse(row.arguments);
    ASSERT_FALSE(config.ok()) << row.name;
    EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(config.status().message()), HasSubstr(row.name));
    EXPECT_THAT(std::string(config.status().message()), HasSubstr(row.allowed));
  }
}

TEST(ConfigTest, AsksForAListWhereTextWasGiven) {
  const auto config = Parse({"--config", FileWith(R"({"model": "models/nano"})")});
  ASSERT_FALSE(config.ok());
  EXPECT_THAT(std::string(config.status().message()), HasSubstr("model: '\"models/nano\"'; must be a list of texts"));
}

TEST(ConfigTest, RefusesUnknownSettingsAndBrokenFiles) {
  EXPECT_THAT(std::string(Parse({"--config", FileWith(R"({"lisen": "x"})")}).status().message()), HasSubstr("lisen"));
  EXPECT_THAT(std::string(Parse({"--config", FileWith("{")}).status().message()), HasSubstr("JSON"));
  EXPECT_EQ(Parse({"--config", "/nowhere/at/all.json"}).status().code(), absl::StatusCode::kNotFound);
}

TEST(ConfigTest, HelpTellsEverySettingWithDefaultAndRange) {
  bool help = false;
  ASSERT_TRUE(ParseServerConfig({"--help"}, &help).ok());
  EXPECT_TRUE(help);
  const std::string text = ServerConfigHelp();
  for (const char* part : {"--listen (default 127.0.0.1:50051)", "--max-queued-requests (default 64, 1 to 65536)",
                           "--reflection (default false)", "--config FILE", "SIGTERM",
                           "--max-stream-audio-bytes (default 4294967296, 1048576 to 1099511627776)",
                           "--max-transport-bytes (default 4294967296, 67108864 to 1099511627776)"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

}  // namespace
}  // namespace auricle::server
