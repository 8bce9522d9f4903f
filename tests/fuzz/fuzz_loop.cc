#include "tests/fuzz/fuzz_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace auricle::test {
namespace {

constexpr unsigned kHangSeconds = 60;

double FromEnvironment(const char* name, double usual) {
  const char* given = std::getenv(name);
  return given == nullptr || *given == '\0' ? usual : std::atof(given);
}

}  // namespace

uint64_t FuzzSeed(uint64_t usual) {
  const char* given = std::getenv("AURICLE_FUZZ_SEED");
  const uint64_t moved = given == nullptr ? 0 : std::strtoull(given, nullptr, 10);
  return usual + 0x9e3779b97f4a7c15u * moved;
}

FuzzLoop::FuzzLoop(std::string target, int usual_rounds)
    : target_(std::move(target)),
      rounds_(std::max(1, static_cast<int>(FromEnvironment("AURICLE_FUZZ_ROUNDS", usual_rounds)))),
      seconds_(FromEnvironment("AURICLE_FUZZ_SECONDS", 0.0)) {
  const char* folder = std::getenv("AURICLE_FUZZ_KEEP");
  if (folder == nullptr || *folder == '\0') return;
  path_ = std::string(folder) + "/" + target_ + ".input";
  file_ = open(path_.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  EXPECT_GE(file_, 0) << path_ << " cannot be written";
}

FuzzLoop::~FuzzLoop() {
  alarm(0);
  if (file_ >= 0) close(file_);
  const bool failed = failed_ || ::testing::Test::HasFailure();
  if (!failed && !path_.empty()) unlink(path_.c_str());
  if (seconds_ <= 0.0 && !failed) return;
  std::fprintf(stderr, "%s: %d inputs in %.0f s, %s\n", target_.c_str(), round_,
               std::chrono::duration<double>(Clock::now() - start_).count(),
               !failed         ? "no finding"
               : path_.empty() ? "A FINDING"
                               : ("A FINDING, kept in " + path_).c_str());
}

bool FuzzLoop::Next() {
  alarm(0);
  if (::testing::Test::HasFailure()) {
    failed_ = true;
    return false;
  }
  const Clock::time_point now = Clock::now();
  if (seconds_ > 0.0) {
    const double gone = std::chrono::duration<double>(now - start_).count();
    if (gone >= seconds_) return false;
    if (now - shown_ >= std::chrono::seconds(10)) {
      std::fprintf(stderr, "%s: %.0f of %.0f s, %d inputs\n", target_.c_str(), gone, seconds_, round_);
      shown_ = now;
    }
  } else if (round_ >= rounds_) {
    return false;
  }
  ++round_;
  return true;
}

const std::string& FuzzLoop::Try(std::string input) {
  input_ = std::move(input);
  if (file_ >= 0) {
    // No sync: the page outlives the program, and only a program that ends is looked for.
    if (ftruncate(file_, 0) != 0 || pwrite(file_, input_.data(), input_.size(), 0) < 0) {
      ADD_FAILURE() << path_ << " cannot be written";
    }
  }
  alarm(kHangSeconds);
  return input_;
}

}  // namespace auricle::test
