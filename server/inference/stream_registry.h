// The open streams: how many there may be, and who must hear of time passing and of the server going away.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/runtime/metrics.h"
#include "server/runtime/mutex.h"

namespace auricle::server {

// A stream as the registry sees it. Both calls come from any thread but never with the registry's lock held.
class RegisteredStream {
 public:
  virtual ~RegisteredStream() = default;
  // Several times a second.
  virtual void OnTick(absl::Time now) = 0;
  // Finish what is asked, then end.
  virtual void OnDrain() = 0;
};

// Thread-safe.
class StreamRegistry {
 public:
  StreamRegistry(size_t max_streams, Metrics& metrics) : max_streams_(max_streams), metrics_(metrics) {}

  // The stream's number, from 1. RESOURCE_EXHAUSTED (TOO_MANY_STREAMS) or UNAVAILABLE (DRAINING) with RetryInfo.
  absl::StatusOr<uint64_t> Add(std::weak_ptr<RegisteredStream> stream);
  void Remove(uint64_t number);

  void Tick(absl::Time now);
  // No new streams; tells those that are open.
  void StartDrain();
  bool empty() const;

 private:
  std::vector<std::shared_ptr<RegisteredStream>> All() const;

  const size_t max_streams_;
  Metrics& metrics_;
  mutable Mutex mutex_;
  absl::flat_hash_map<uint64_t, std::weak_ptr<RegisteredStream>> streams_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace auricle::server
