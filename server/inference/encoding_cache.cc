#include "server/inference/encoding_cache.h"

#include <openssl/evp.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"

namespace auricle::server {
namespace {

std::string KeyOf(const std::string& model, const AudioPayload& payload) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr);
  const std::string header = absl::StrFormat("%s|%d|%d|%d|%.17g|%.17g|", model, static_cast<int>(payload.layout.format),
                                             static_cast<int>(payload.layout.encoding), payload.layout.sample_rate,
                                             payload.start_seconds, payload.end_seconds);
  EVP_DigestUpdate(digest.get(), header.data(), header.size());
  for (const Bytes& piece : payload.pieces) EVP_DigestUpdate(digest.get(), piece.view.data(), piece.view.size());
  std::string key(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  EVP_DigestFinal_ex(digest.get(), reinterpret_cast<unsigned char*>(key.data()), &size);
  key.resize(size);
  return key;
}

}  // namespace

EncodingCache::Found EncodingCache::FindOrAdd(const std::string& model, AudioPayload payload, double max_seconds) {
  if (capacity_ == 0) return {.audio = std::make_shared<HeardAudio>(std::move(payload), max_seconds), .added = false};
  std::string key = KeyOf(model, payload);
  MutexLock lock(mutex_);
  if (const auto it = by_key_.find(key); it != by_key_.end()) {
    entries_.splice(entries_.begin(), entries_, it->second);
    return {.audio = entries_.front().audio, .added = false};
  }
  entries_.push_front(
      Entry{.key = key, .audio = std::make_shared<HeardAudio>(std::move(payload), max_seconds), .kept = false});
  by_key_[std::move(key)] = entries_.begin();
  return {.audio = entries_.front().audio, .added = true};
}

void EncodingCache::Keep(const std::shared_ptr<HeardAudio>& audio) {
  MutexLock lock(mutex_);
  const auto heard =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.audio == audio; });
  if (heard == entries_.end()) return;
  heard->kept = true;
  entries_.splice(entries_.begin(), entries_, heard);
  size_t kept = 0;
  for (auto it = entries_.begin(); it != entries_.end();) {
    if (it->kept && ++kept > capacity_) {
      by_key_.erase(it->key);
      it = entries_.erase(it);
    } else {
      ++it;
    }
  }
}

void EncodingCache::Forget(const std::shared_ptr<HeardAudio>& audio) {
  MutexLock lock(mutex_);
  for (auto it = entries_.begin(); it != entries_.end(); ++it) {
    if (it->audio != audio) continue;
    by_key_.erase(it->key);
    entries_.erase(it);
    return;
  }
}

}  // namespace auricle::server
