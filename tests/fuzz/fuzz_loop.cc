#include "tests/fuzz/fuzz_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "tests/fuzz/fuzz_folder.h"
#include "tests/fuzz/signals.h"

namespace auricle::test {
namespace {

constexpr unsigned kHangSeconds = 60;
// Of inputs that are damaged further: more, or longer ones, cost more than they find.
constexpr size_t kMostFruitful = 4096, kLongestFruitful = size_t{1} << 16;

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
      seconds_(FromEnvironment("AURICLE_FUZZ_SECONDS", 0.0)),
      random_(FuzzSeed(29)),
      reached_(ReachedSignals()) {
  if (const char* replayed = std::getenv("AURICLE_FUZZ_REPLAY"); replayed != nullptr && *replayed != '\0') {
    EXPECT_TRUE(std::filesystem::is_regular_file(replayed)) << replayed << ": no such file";
    replayed_ = ReadAll(replayed);
    return;
  }
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
  const std::string signals = reached_ ? std::to_string(*reached_) : "-";
  std::fprintf(stderr, "%s: %d inputs in %.0f s, %s signals, %s\n", target_.c_str(), round_,
               std::chrono::duration<double>(Clock::now() - start_).count(), signals.c_str(),
               !failed         ? "no finding"
               : path_.empty() ? "A FINDING"
                               : ("A FINDING, kept in " + path_).c_str());
}

bool FuzzLoop::Next() {
  alarm(0);
  if (::testing::Test::HasFailure()) failed_ = true;
  if (replayed_ && (failed_ || round_ >= rounds_)) {
    // What a target says about its inputs as a whole is not meant here.
    std::fprintf(stderr, "%s: replayed, %s\n", target_.c_str(), failed_ ? "A FINDING" : "no finding");
    std::exit(failed_ ? 1 : 0);
  }
  if (failed_) return false;
  Learn();
  const Clock::time_point now = Clock::now();
  if (seconds_ > 0.0) {
    const double gone = std::chrono::duration<double>(now - start_).count();
    if (gone >= seconds_) return false;
    if (now - shown_ >= std::chrono::seconds(10)) {
      std::fprintf(stderr, "%s: %.0f of %.0f s, %d inputs, %s signals\n", target_.c_str(), gone, seconds_, round_,
                   reached_ ? std::to_string(*reached_).c_str() : "-");
      shown_ = now;
    }
  } else if (round_ >= rounds_) {
    return false;
  }
  ++round_;
  return true;
}

const std::string& FuzzLoop::Parent(const std::string& good, int kind) {
  kind_ = kind;
  const std::vector<std::string>& others = fruitful_[kind];
  if (others.empty() || random_() % 2 == 0) return good;
  return others[random_() % others.size()];
}

void FuzzLoop::Learn() {
  const std::optional<int> now = ReachedSignals();
  const bool more = now && *now > *reached_;
  reached_ = now;
  if (!more || round_ == 0 || input_.size() > kLongestFruitful) return;
  std::vector<std::string>& kept = fruitful_[kind_];
  if (kept.size() < kMostFruitful) kept.push_back(input_);
}

const std::string& FuzzLoop::Try(std::string input) {
  input_ = replayed_ ? *replayed_ : std::move(input);
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
