// The open streams: how many there may be, how much audio they may remember together, and who must hear of time passing
// and of the server going away.
#pragma once

#include <cstdint>
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
  // Several times a second. `now`: SteadyNow.
  virtual void OnTick(absl::Time now) = 0;
  // Finish what is asked, then end.
  virtual void OnDrain() = 0;
};

// Thread-safe.
class StreamRegistry {
 public:
  // `max_audio_bytes`: what the histories of all streams may take together.
  StreamRegistry(size_t max_streams, uint64_t max_audio_bytes, Metrics& metrics)
      : max_streams_(max_streams), max_audio_bytes_(max_audio_bytes), metrics_(metrics) {}

  // The stream's number, from 1. RESOURCE_EXHAUSTED (TOO_MANY_STREAMS) or UNAVAILABLE (DRAINING) with RetryInfo.
  absl::StatusOr<uint64_t> Add(std::weak_ptr<RegisteredStream> stream);
  // Sets `bytes` aside for the history of an open stream, until Remove. RESOURCE_EXHAUSTED (STREAM_MEMORY_FULL) with
  // RetryInfo. Where no other stream holds any, one has room whatever it asks for: or it would never be served.
  absl::Status ReserveAudio(uint64_t number, uint64_t bytes);
  void Remove(uint64_t number);

  void Tick(absl::Time now);
  // No new streams; tells those that are open.
  void StartDrain();
  bool empty() const;

 private:
  struct Open {
    std::weak_ptr<RegisteredStream> stream;
    uint64_t audio_bytes = 0;
  };

  std::vector<std::shared_ptr<RegisteredStream>> All() const;

  const size_t max_streams_;
  const uint64_t max_audio_bytes_;
  Metrics& metrics_;
  mutable Mutex mutex_;
  absl::flat_hash_map<uint64_t, Open> streams_ ABSL_GUARDED_BY(mutex_);
  uint64_t audio_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // sum over streams_
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace auricle::server
