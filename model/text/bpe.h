// The merging step of byte-pair encoding.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "model/text/tokenizer.h"

namespace auricle::model {

// Tokens and merges. Filled once, then only read.
class BytePairEncoder {
 public:
  // INVALID_ARGUMENT: bytes empty or given twice, or id given twice or negative or above 2^24.
  absl::Status AddToken(std::string bytes, TokenId id);
  // Merges apply lowest rank first, in the order in which they are added. INVALID_ARGUMENT: left, right or both joined
  // are no tokens.
  absl::Status AddMerge(std::string_view left, std::string_view right);
  // Whether a piece that is one token as a whole is taken as such without merging.
  void set_ignore_merges(bool ignore) { ignore_merges_ = ignore; }

  // Appends the ids of one piece. Bytes that no token spells vanish, as in the reference tokenisers.
  // O(n log n) in the length of the piece.
  void Encode(std::string_view piece, std::vector<TokenId>& ids) const;

  // Empty where there is none.
  std::string_view Bytes(TokenId id) const;
  // -1 where there is none.
  TokenId Find(std::string_view bytes) const;
  int64_t size() const { return static_cast<int64_t>(bytes_.size()); }

 private:
  struct Merge {
    int32_t rank;
    int32_t merged;
  };
  using Pair = std::pair<int32_t, int32_t>;

  std::vector<std::string> bytes_;  // by id; empty: no token
  absl::flat_hash_map<std::string, TokenId> ids_;
  absl::flat_hash_map<Pair, Merge> merges_;
  int32_t next_rank_ = 0;
  bool ignore_merges_ = false;
};

}  // namespace auricle::model
