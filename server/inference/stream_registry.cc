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
  streams_[number].stream = std::move(stream);
  metrics_.streams_open.Set(static_cast<double>(streams_.size()));
  return number;
}

absl::Status StreamRegistry::ReserveAudio(uint64_t number, uint64_t bytes) {
  MutexLock lock(mutex_);
  if (audio_bytes_ > 0 && audio_bytes_ + bytes > max_audio_bytes_) {
    metrics_.CountRefusal("STREAM_MEMORY_FULL");
    return QueueFull("STREAM_MEMORY_FULL",
                     absl::StrCat("the stream's history may take ", bytes, " bytes, and ", audio_bytes_, " of ",
                                  max_audio_bytes_, " are taken; a shorter config.history_seconds takes less"),
                     absl::Seconds(1));
  }
  streams_.at(number).audio_bytes += bytes;
  audio_bytes_ += bytes;
  return absl::OkStatus();
}

void StreamRegistry::Remove(uint64_t number) {
  MutexLock lock(mutex_);
  if (const auto it = streams_.find(number); it != streams_.end()) {
    audio_bytes_ -= it->second.audio_bytes;
    streams_.erase(it);
  }
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
  for (const auto& [number, open] : streams_) {
    if (auto alive = open.stream.lock()) all.push_back(std::move(alive));
  }
  return all;
}

}  // namespace auricle::server
