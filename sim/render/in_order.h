// Work on several threads whose results are wanted in order.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace auricle::sim {

// As many threads as the machine has cores.
inline int EveryCore() { return static_cast<int>(std::max(1u, std::thread::hardware_concurrency())); }

// Calls make(i) for i in [begin, end) on `jobs` threads and take(i, result) on this one, in order. At most 2 jobs
// results wait, so memory does not grow with the range. Ends with the first error, in order, of make or take, or when
// `stop` says so (asked before each make; CANCELLED then); nothing is taken after that. make must be thread-safe and
// must not throw; it returns absl::StatusOr<Item>.
template <typename Item, typename Make, typename Take, typename Stop>
absl::Status MakeInOrder(uint64_t begin, uint64_t end, int jobs, const Make& make, const Take& take, const Stop& stop) {
  std::mutex mutex;
  std::condition_variable changed;
  uint64_t next = begin, taken = begin;
  bool over = false;
  std::map<uint64_t, absl::StatusOr<Item>> ready;

  const auto work = [&] {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [&] { return over || next >= end || next < taken + 2 * static_cast<uint64_t>(jobs); });
      if (over || next >= end) return;
      const uint64_t i = next++;
      lock.unlock();
      absl::StatusOr<Item> item = stop() ? absl::StatusOr<Item>(absl::CancelledError("interrupted")) : make(i);
      lock.lock();
      ready.emplace(i, std::move(item));
      changed.notify_all();
    }
  };
  std::vector<std::thread> threads;
  const uint64_t most = std::min<uint64_t>(static_cast<uint64_t>(std::max(1, jobs)), end - begin);
  for (uint64_t t = 0; t < most; ++t) threads.emplace_back(work);

  absl::Status status;
  while (status.ok() && taken < end) {
    std::optional<absl::StatusOr<Item>> item;
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return ready.contains(taken); });
      item = std::move(ready.extract(taken).mapped());
    }
    status = item->ok() ? take(taken, **std::move(item)) : item->status();
    const std::unique_lock lock(mutex);
    ++taken;
    changed.notify_all();
  }
  {
    const std::unique_lock lock(mutex);
    over = true;
    changed.notify_all();
  }
  for (std::thread& thread : threads) thread.join();
  return status;
}

}  // namespace auricle::sim
