#include "model/decoder/kv_cache.h"

#include <torch/torch.h>

namespace auricle::model {

KvCache::KvCache(const DecoderConfig& config, int64_t batch, int64_t capacity, at::ScalarType dtype)
    : keys_(at::empty({config.num_hidden_layers, batch, config.num_key_value_heads, capacity, config.head_dim}, dtype)),
      values_(at::empty_like(keys_)) {}

int64_t KvCache::Bytes() const { return static_cast<int64_t>(keys_.nbytes() + values_.nbytes()); }

void KvCache::Truncate(int64_t length) {
  TORCH_CHECK(length >= 0 && length <= length_, "KvCache::Truncate(", length, "): the cache holds ", length_);
  length_ = length;
}

KvCache KvCache::Fork(int64_t rows, int64_t capacity) const {
  TORCH_CHECK(batch() == rows || batch() == 1, "KvCache::Fork: ", rows, " rows from ", batch());
  TORCH_CHECK(capacity >= length_, "KvCache::Fork: capacity ", capacity, " below the length ", length_);
  at::NoGradGuard no_grad;
  KvCache fork;
  for (auto [from, to] : {std::pair{&keys_, &fork.keys_}, std::pair{&values_, &fork.values_}}) {
    *to = at::empty({from->size(0), rows, from->size(2), capacity, from->size(4)}, from->options());
    to->narrow(3, 0, length_).copy_(from->narrow(3, 0, length_));  // one row broadcasts to all
  }
  fork.length_ = length_;
  return fork;
}

}  // namespace auricle::model
