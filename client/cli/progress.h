// How far a long command is, on stderr: a bar on a terminal, else a line now and then.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace auricle::client {

// Not thread-safe.
class Progress {
 public:
  Progress();

  // `kept` of the `done` cost no time: they are left out of the rate. `note` is shown behind the numbers. Shows at most
  // ten times a second on a terminal, every ten seconds elsewhere, and always the last.
  void Show(size_t done, size_t total, size_t kept = 0, const std::string& note = "");

 private:
  using Clock = std::chrono::steady_clock;
  bool terminal_;
  Clock::time_point start_, last_;
};

}  // namespace auricle::client
