#include "server/inference/server_process.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "absl/time/time.h"
#include "server/runtime/log.h"
#include "server/runtime/steady_clock.h"

namespace auricle::server {
namespace {

constexpr long kPollNanoseconds = 20'000'000;
constexpr int kEndedBySignal = 128;

sigset_t EndSignalSet() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// The signal, or 0 when none came in time.
int PollEndSignal() {
  const sigset_t signals = EndSignalSet();
  const timespec patience{.tv_sec = 0, .tv_nsec = kPollNanoseconds};
  const int signal = sigtimedwait(&signals, nullptr, &patience);
  return signal > 0 ? signal : 0;
}

void EndAtOnceOnSecondSignal() {
  if (const int signal = PollEndSignal(); signal != 0) {
    Log(LogLevel::kWarning, "ended_by_second_signal", {});
    _exit(kEndedBySignal + signal);
  }
}

}  // namespace

EndSignals::EndSignals() {
  ::signal(SIGPIPE, SIG_IGN);
  const sigset_t signals = EndSignalSet();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  until_held_ = std::thread([this] {
    while (!held_) {
      const int signal = PollEndSignal();
      if (signal == 0) continue;
      std::fprintf(stderr, "auricle-server: ended by signal %d before it served\n", signal);
      _exit(kEndedBySignal + signal);
    }
  });
}

EndSignals::~EndSignals() { Hold(); }

void EndSignals::Hold() {
  held_ = true;
  if (until_held_.joinable()) until_held_.join();
}

int RunServerProcess(EndSignals& signals, const ServerConfig& config,
                     std::vector<std::shared_ptr<InferenceModel>> models,
                     std::vector<std::unique_ptr<ServicePlugin>> plugins) {
  signals.Hold();
  absl::StatusOr<std::unique_ptr<InferenceServer>> started =
      InferenceServer::Start(config, std::move(models), std::move(plugins));
  if (!started.ok()) {
    std::fprintf(stderr, "auricle-server: %s\n", std::string(started.status().message()).c_str());
    return 1;
  }
  InferenceServer& server = **started;
  const nlohmann::ordered_json ready = {
      {"event", "serving"}, {"address", server.address()}, {"metrics", server.metrics_address()}};
  std::printf("%s\n", ready.dump().c_str());
  std::fflush(stdout);
  Log(LogLevel::kInfo, "serving", {{"address", server.address()}, {"metrics", server.metrics_address()}});

  while (PollEndSignal() == 0) {
  }
  Log(LogLevel::kInfo, "draining", {{"seconds", config.drain_seconds}});
  server.StartDrain();
  const absl::Time until = SteadyNow() + absl::Seconds(config.drain_seconds);
  while (!server.Idle() && SteadyNow() < until) EndAtOnceOnSecondSignal();
  const bool in_time = server.Idle();

  std::atomic<bool> stopped{false};
  std::thread stop([&] {
    server.Stop();
    stopped = true;
  });
  while (!stopped) EndAtOnceOnSecondSignal();
  stop.join();
  Log(in_time ? LogLevel::kInfo : LogLevel::kWarning, "stopped", {{"drained", in_time}});
  return 0;
}

}  // namespace auricle::server
