// The process as an operator sees it: the ready line, SIGTERM while it loads and while it serves, a second SIGTERM, a
// port that is taken.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/server/probes.h"
#include "tests/server/server_fixture.h"

extern char** environ;

namespace auricle::server {
namespace {

// A child process whose stdout is read. Where its stderr is read instead, its stdout is a pipe that nobody reads.
class Child {
 public:
  explicit Child(std::vector<std::string> arguments, int read_from = STDOUT_FILENO) {
    arguments.insert(arguments.begin(), std::string(AURICLE_BIN_DIR) + "/auricle-fake-server");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], read_from);
    int unread[2] = {-1, -1};
    if (read_from != STDOUT_FILENO) {
      EXPECT_EQ(::pipe2(unread, O_CLOEXEC), 0);
      ::close(unread[0]);
      posix_spawn_file_actions_adddup2(&actions, unread[1], STDOUT_FILENO);
    }
    // As from a shell: libraries in this process may have SIGPIPE ignored, which children inherit.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    EXPECT_EQ(::posix_spawn(&pid_, argv[0], &actions, &attributes, argv.data(), environ), 0);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (unread[1] >= 0) ::close(unread[1]);
    out_ = ::fdopen(ends[0], "r");
  }
  ~Child() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::fclose(out_);
  }

  // The next line of what is read; empty at the end.
  std::string ReadLine() {
    char line[4096];
    return ::fgets(line, sizeof(line), out_) == nullptr ? "" : std::string(line);
  }
  void Signal(int signal) { ::kill(pid_, signal); }
  // Exit status, or 1000 + signal.
  int Wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = 0;
  FILE* out_ = nullptr;
};

std::vector<std::string> FreePorts(std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"--listen=127.0.0.1:0", "--metrics-listen=127.0.0.1:0", "--log-level=error"});
  return more;
}

struct Ready {
  std::string address, metrics;
};
Ready ReadReady(Child& child) {
  const nlohmann::json line = nlohmann::json::parse(child.ReadLine(), nullptr, false);
  EXPECT_TRUE(line.is_object());
  EXPECT_EQ(line.value("event", ""), "serving");
  return {line.value("address", ""), line.value("metrics", "")};
}

TEST(ProcessTest, TellsItsPortsAndEndsOnSigterm) {
  Child child(FreePorts());
  const Ready ready = ReadReady(child);
  EXPECT_NE(HttpGet(ready.metrics, "/metrics").find("auricle_num_requests_running 0"), std::string::npos);
  const auto channel = grpc::CreateChannel(ready.address, grpc::InsecureChannelCredentials());
  EXPECT_EQ(HealthClient(channel).Check(), "SERVING");
  EXPECT_EQ(HealthClient(channel).Check("auricle.v1.SpatialQa"), "SERVING");
  child.Signal(SIGTERM);
  EXPECT_EQ(child.Wait(), 0);
}

TEST(ProcessTest, ASignalWhileItLoadsEndsItAtOnce) {
  for (const int signal : {SIGTERM, SIGINT}) {
    const std::string folder = ::testing::TempDir() + "auricle_loading_" + std::to_string(::getpid());
    ::unlink(folder.c_str());
    ASSERT_EQ(::mkfifo(folder.c_str(), 0600), 0);
    Child child(FreePorts({"--model=" + folder}));
    const int writer = ::open(folder.c_str(), O_WRONLY | O_CLOEXEC);  // returns once the child has begun to load
    ASSERT_GE(writer, 0);
    child.Signal(signal);
    EXPECT_EQ(child.Wait(), 128 + signal);
    ::close(writer);
    ::unlink(folder.c_str());
  }
}

TEST(ProcessTest, APipeThatNobodyReadsDoesNotEndIt) {
  Child child({"--listen=127.0.0.1:0", "--metrics-listen=", "--log-level=info"}, STDERR_FILENO);
  // It says so in its log after it has tried to print the ready line.
  std::string line;
  do {
    line = child.ReadLine();
  } while (!line.empty() && line.find(" serving ") == std::string::npos);
  EXPECT_NE(line, "");
  child.Signal(SIGTERM);
  EXPECT_EQ(child.Wait(), 0);
}

TEST(ProcessTest, SigtermLetsAnswersInFlightFinish) {
  Child child(FreePorts({"--max-new-tokens=400", "--default-new-tokens=400"}));
  const Ready ready = ReadReady(child);
  const auto channel = grpc::CreateChannel(ready.address, grpc::InsecureChannelCredentials());
  const auto stub = v1::SpatialQa::NewStub(channel);
  StreamClient client(*stub);
  client.Configure();
  client.SendAudio(PlaneWave(1, 16000));
  client.Query("q", "count to 400");
  client.ReadUntil(v1::StreamAskResponse::kToken, "q");
  child.Signal(SIGTERM);
  const v1::StreamAskResponse finished = client.ReadUntil(v1::StreamAskResponse::kFinished, "q");
  EXPECT_EQ(finished.finished().finish_reason(), v1::FINISH_REASON_STOP);
  EXPECT_EQ(finished.finished().usage().completion_tokens(), 400u);
  EXPECT_EQ(ReadError(client.Finish()).reason, "DRAINING");
  EXPECT_EQ(child.Wait(), 0);
}

TEST(ProcessTest, GivesUpOnAnswersAfterDrainSeconds) {
  Child child(FreePorts({"--max-new-tokens=60000", "--default-new-tokens=60000", "--drain-seconds=0.2"}));
  const Ready ready = ReadReady(child);
  const auto channel = grpc::CreateChannel(ready.address, grpc::InsecureChannelCredentials());
  const auto stub = v1::SpatialQa::NewStub(channel);
  StreamClient client(*stub);
  client.Configure();
  client.SendAudio(PlaneWave(1, 16000));
  client.Query("q", "count to 60000");
  client.ReadUntil(v1::StreamAskResponse::kToken, "q");
  child.Signal(SIGTERM);
  EXPECT_EQ(ReadError(client.ReadUntil(v1::StreamAskResponse::kError, "q").error()).reason, "DRAINING");
  EXPECT_EQ(client.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(child.Wait(), 0);
}

TEST(ProcessTest, ASecondSignalEndsAtOnce) {
  Child child(FreePorts({"--max-new-tokens=60000", "--default-new-tokens=60000", "--drain-seconds=3600"}));
  const Ready ready = ReadReady(child);
  const auto channel = grpc::CreateChannel(ready.address, grpc::InsecureChannelCredentials());
  const auto stub = v1::SpatialQa::NewStub(channel);
  StreamClient client(*stub);
  client.Configure();
  client.SendAudio(PlaneWave(1, 16000));
  client.Query("q", "count to 60000");
  client.ReadUntil(v1::StreamAskResponse::kToken, "q");
  child.Signal(SIGTERM);
  HealthClient health(channel);
  while (health.Check() == "SERVING") {
  }
  child.Signal(SIGTERM);
  EXPECT_EQ(child.Wait(), 128 + SIGTERM);
  EXPECT_FALSE(client.Finish().ok());
}

TEST(ProcessTest, SaysWhenItsPortIsTaken) {
  Child first(FreePorts());
  const Ready ready = ReadReady(first);
  Child second({"--listen=" + ready.address, "--metrics-listen=", "--log-level=error"});
  EXPECT_EQ(second.ReadLine(), "");
  EXPECT_EQ(second.Wait(), 1);
  Child third({"--listen=127.0.0.1:0", "--metrics-listen=" + ready.metrics, "--log-level=error"});
  EXPECT_EQ(third.Wait(), 1);
  first.Signal(SIGINT);
  EXPECT_EQ(first.Wait(), 0);
}

}  // namespace
}  // namespace auricle::server
