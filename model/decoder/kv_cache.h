// Keys and values of the positions that a decoder has already seen.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "model/decoder/decoder_config.h"

namespace auricle::model {

// Memory is taken once, for `capacity` positions; appending writes in place. Every row of the batch has the same length
// (rows of unequal length: left padding and a mask, or one cache for each request). Not thread-safe. Copying the object
// would share the memory, so it is move-only: Fork() is the copy, and its name says what it costs.
// Not for training: nothing here keeps a gradient.
class KvCache {
 public:
  // Bytes: 2 * layers * batch * kv_heads * capacity * head_dim * sizeof(dtype).
  KvCache(const DecoderConfig& config, int64_t batch, int64_t capacity, at::ScalarType dtype);
  KvCache(KvCache&&) = default;
  KvCache& operator=(KvCache&&) = default;

  int64_t length() const { return length_; }
  int64_t capacity() const { return keys_.size(3); }
  int64_t batch() const { return keys_.size(1); }
  int64_t Bytes() const;

  // Forgets every position from `length` on (0 <= length <= length()). Free.
  void Truncate(int64_t length);

  // A new cache of `rows` rows and `capacity` positions that begins with this one's `length()` positions; this cache
  // must have `rows` rows, or one row that is then repeated. Copies length() positions for each row: how several
  // questions share one encoded clip.
  KvCache Fork(int64_t rows, int64_t capacity) const;

 private:
  friend class Decoder;
  KvCache() = default;
  at::Tensor keys_, values_;  // [layers, batch, kv_heads, capacity, head_dim]
  int64_t length_ = 0;
};

}  // namespace auricle::model
