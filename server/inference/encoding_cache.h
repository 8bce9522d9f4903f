// The last clips that Ask heard, so that a second question on the same clip pays for its answer only.
//
// Keyed by SHA-256 over model, audio bytes, layout and span: who can produce the key has the audio already.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "server/inference/audio_intake.h"
#include "server/inference/heard_audio.h"
#include "server/runtime/mutex.h"

namespace auricle::server {

// Thread-safe. Least recently used goes first.
//
// A clip that waits to be heard is shared too, but takes no other's place before Keep: a burst of requests that come to
// nothing must not push out what was heard. Whoever added a clip ends its wait with Keep or Forget.
class EncodingCache {
 public:
  explicit EncodingCache(size_t clips) : capacity_(clips) {}

  struct Found {
    std::shared_ptr<HeardAudio> audio;
    bool added = false;
  };
  // What is remembered of equal audio for the model of this name and version, or `payload` as new.
  Found FindOrAdd(const std::string& model, AudioPayload payload, double max_seconds);
  // It was heard: now it is worth a place. Harmless where it has been forgotten.
  void Keep(const std::shared_ptr<HeardAudio>& audio);
  // It was refused or could not be heard.
  void Forget(const std::shared_ptr<HeardAudio>& audio);

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<HeardAudio> audio;
    bool kept = false;
  };
  const size_t capacity_;  // of entries that are kept
  Mutex mutex_;
  std::list<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // most recent first
  absl::flat_hash_map<std::string, std::list<Entry>::iterator> by_key_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace auricle::server
