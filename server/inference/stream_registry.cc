#include "server/inference/stream_registry.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/runtime/error_details.h"

namespace auricle::server {

absl::StatusOr<uint64_t> StreamRegistry::Add(std::weak_ptr<RegisteredStream> stream) {
  MutexLock lock(mutex_);
  if (draining_) return server::Draining();
  if (streams_.size() >= max_streams_) {
    metrics_.CountRefusal("TOO_MANY_STREAMS");
    return QueueFull("TOO_MANY_STREAMS", absl::StrCat(streams_.size(), " streams are open; at most ", max_streams_),
                     absl::Seconds(1));
  }
  const uint64_t number = next_++;
  streams_[number] = std::move(stream);
  metrics_.streams_open.Set(static_cast<double>(streams_.size()));
  return number;
}

void StreamRegistry::Remove(uint64_t number) {
  MutexLock lock(mutex_);
  streams_.erase(number);
  metrics_.streams_open.Set(static_cast<double>(streams_.size()));
}

void StreamRegistry::Tick(absl::Time now) {
  for (const auto& stream : All()) stream->OnTick(now);
}

void StreamRegistry::StartDrain() {
  {
    MutexLock lock(mutex_);
    draining_ = true;
  }
  for (const auto& stream : All()) stream->OnDrain();
}

bool StreamRegistry::empty() const {
  MutexLock lock(mutex_);
  return streams_.empty();
}

std::vector<std::shared_ptr<RegisteredStream>> StreamRegistry::All() const {
  std::vector<std::shared_ptr<RegisteredStream>> all;
  MutexLock lock(mutex_);
  for (const auto& [number, stream] : streams_) {
    if (auto alive = stream.lock()) all.push_back(std::move(alive));
  }
  return all;
}

}  // namespace auricle::server
