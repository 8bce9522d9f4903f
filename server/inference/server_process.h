// A serving process from the first signal to the last: prints the ready line, waits, drains, ends.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "server/inference/inference_server.h"

namespace auricle::server {

// The signals of a process, from its first line to its last. Made before any other thread, so that all of them inherit
// it: no thread is interrupted by SIGTERM or SIGINT, and a connection or a pipe that breaks is an error of the write
// and not the end of the process (SIGPIPE).
//
// While models load SIGTERM and SIGINT end the process at once, with 128 + signal; there is nothing to lose yet. The
// signals' own default would do as much, but not for the first process of a container, which ignores what it does not
// ask for.
class EndSignals {
 public:
  EndSignals();
  // As Hold.
  ~EndSignals();
  // From here on SIGTERM and SIGINT wait to be asked for. Safe to repeat, by one thread.
  void Hold();

 private:
  std::atomic<bool> held_{false};
  std::thread until_held_;
};

// Holds the signals, starts the server and prints {"event":"serving","address":...,"metrics":...} on stdout. On SIGTERM
// or SIGINT it drains for at most config.drain_seconds and stops. A second signal ends the process at once. Returns the
// exit status: 0, or 1 when the server cannot start.
int RunServerProcess(EndSignals& signals, const ServerConfig& config,
                     std::vector<std::shared_ptr<InferenceModel>> models,
                     std::vector<std::unique_ptr<ServicePlugin>> plugins = {});

}  // namespace auricle::server
