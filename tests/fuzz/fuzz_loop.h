// The loop of a fuzz target: how long it goes on, what its inputs are made from, and what is kept of one that fails.
//
// Where the program reports what is reached (signals.h), inputs that reach something new are damaged further in their
// turn, so that what takes several lucky steps is reached one step at a time. Elsewhere every input is made from a good
// one.
//
// As a test each target tries a fixed number of damaged inputs, the same ones each time. The environment changes that:
//   AURICLE_FUZZ_ROUNDS=N    so many inputs instead
//   AURICLE_FUZZ_SECONDS=N   as many as fit into N seconds, with a line of progress now and then
//   AURICLE_FUZZ_SEED=N      other inputs than usual
//   AURICLE_FUZZ_KEEP=DIR    every input is written to DIR/TARGET.input before it is tried: a crash leaves it there, a
//                            failed expectation ends the target and leaves it there, and otherwise it goes at the end
//   AURICLE_FUZZ_REPLAY=FILE every round tries these bytes, one that was kept, and the program ends with the loop: 0
//   where
//                            nothing fails any more
// `./run fuzz` sets them, but for the first.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

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
  // What to damage next: `good`, or as often an input made from one of its kind that reached something new.
  const std::string& Parent(const std::string& good, int kind = 0);
  // Keeps the input that is tried next, and returns it (in a replay, what is replayed). What else a target draws for it
  // depends on these bytes alone, or goes through all there is within the usual rounds: so inputs can be replayed. One
  // that takes over a minute ends the program (by SIGALRM): to hang is a finding.
  const std::string& Try(std::string input);
  // Where it is kept; empty where nothing is.
  const std::string& kept() const { return path_; }

 private:
  using Clock = std::chrono::steady_clock;

  // Keeps the input that was tried last if it reached something new.
  void Learn();

  const std::string target_;
  const int rounds_;
  const double seconds_;  // 0: by rounds
  std::string path_;
  std::optional<std::string> replayed_;
  int file_ = -1;
  std::string input_;
  int kind_ = 0;
  std::map<int, std::vector<std::string>> fruitful_;  // by kind
  std::mt19937_64 random_;
  std::optional<int> reached_;
  int round_ = 0;
  bool failed_ = false;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point shown_ = start_;
};

}  // namespace auricle::test
