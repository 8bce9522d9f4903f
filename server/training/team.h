// A fixed team of threads that does one job together and meets again: rendering, forward and backward, updates.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"

namespace auricle::training {

// Threads live as long as the team, so that what LibTorch keeps for each thread (thread counts, caches) is kept too.
class Team {
 public:
  // `prepare` runs once on each thread, first thing.
  Team(int size, std::function<void(int)> prepare);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const { return static_cast<int>(threads_.size()); }

  // Runs job(0) ... job(size - 1), each on its own thread, and returns when all have returned. Jobs must not throw.
  void Run(const std::function<void(int)>& job);

  // Runs job(0) ... job(count - 1), each on whichever thread is free. The first error of the first thread that had one;
  // jobs may throw c10::Error, which becomes INTERNAL and ends that thread's share.
  absl::Status ForEach(int64_t count, const std::function<absl::Status(int64_t)>& job);

 private:
  void Loop(int index);

  std::function<void(int)> prepare_;
  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void(int)>* job_ = nullptr;  // guarded by mutex_
  uint64_t round_ = 0;                             // guarded by mutex_
  int busy_ = 0;                                   // guarded by mutex_
  bool stopping_ = false;                          // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace auricle::training
