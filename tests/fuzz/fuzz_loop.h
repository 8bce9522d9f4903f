// The loop of a fuzz target: how long it goes on, and what is kept of an input that fails.
//
// As a test each target tries a fixed number of damaged inputs, the same ones each time. The environment changes that:
//   AURICLE_FUZZ_ROUNDS=N    so many inputs instead
//   AURICLE_FUZZ_SECONDS=N   as many as fit into N seconds, with a line of progress now and then
//   AURICLE_FUZZ_SEED=N      other inputs than usual
//   AURICLE_FUZZ_KEEP=DIR    every input is written to DIR/TARGET.input before it is tried: a crash leaves it there, a
//                            failed expectation ends the target and leaves it there, and otherwise it goes at the end
// `./run fuzz` sets the last three.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace auricle::test {

// The seed of a target's mutator: `usual`, moved by AURICLE_FUZZ_SEED.
uint64_t FuzzSeed(uint64_t usual);

class FuzzLoop {
 public:
  // `usual_rounds` where the environment says nothing.
  FuzzLoop(std::string target, int usual_rounds);
  // Says how many inputs were tried.
  ~FuzzLoop();
  FuzzLoop(const FuzzLoop&) = delete;
  FuzzLoop& operator=(const FuzzLoop&) = delete;

  // Whether there is another round: for (FuzzLoop loop(...); loop.Next();).
  bool Next();
  // Rounds begun so far, from 1.
  int round() const { return round_; }
  // Keeps the input that is tried next, and returns it. One that takes over a minute ends the program (by SIGALRM): to
  // hang is a finding.
  const std::string& Try(std::string input);
  // Where it is kept; empty where nothing is.
  const std::string& kept() const { return path_; }

 private:
  using Clock = std::chrono::steady_clock;

  const std::string target_;
  const int rounds_;
  const double seconds_;  // 0: by rounds
  std::string path_;
  int file_ = -1;
  std::string input_;
  int round_ = 0;
  bool failed_ = false;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point shown_ = start_;
};

}  // namespace auricle::test
