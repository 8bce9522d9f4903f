#include "model/text/bpe.h"

#include <queue>

#include "absl/strings/str_cat.h"

namespace auricle::model {
namespace {
constexpr TokenId kMaxId = 1 << 24;  // far above any real vocabulary; a lying file must not make us take gigabytes
}

absl::Status BytePairEncoder::AddToken(std::string bytes, TokenId id) {
  if (bytes.empty()) return absl::InvalidArgumentError(absl::StrCat("token ", id, " is empty"));
  if (id < 0 || id > kMaxId) return absl::InvalidArgumentError(absl::StrCat("token id ", id, " outside 0..", kMaxId));
  if (id >= size()) bytes_.resize(static_cast<size_t>(id) + 1);
  if (!bytes_[id].empty()) return absl::InvalidArgumentError(absl::StrCat("token id ", id, " is given twice"));
  if (!ids_.emplace(bytes, id).second) {
    return absl::InvalidArgumentError(absl::StrCat("token ", id, " has the bytes of another"));
  }
  bytes_[id] = std::move(bytes);
  return absl::OkStatus();
}

absl::Status BytePairEncoder::AddMerge(std::string_view left, std::string_view right) {
  const TokenId a = Find(left), b = Find(right), merged = Find(std::string(left) += right);
  if (a < 0 || b < 0 || merged < 0) {
    return absl::InvalidArgumentError(absl::StrCat("merge ", next_rank_, " names something that is not a token"));
  }
  // The first of two equal merges counts, as its rank is the lower.
  merges_.emplace(Pair(a, b), Merge{next_rank_++, static_cast<int32_t>(merged)});
  return absl::OkStatus();
}

void BytePairEncoder::Encode(std::string_view piece, std::vector<TokenId>& ids) const {
  if (ignore_merges_) {
    if (const TokenId whole = Find(piece); whole >= 0) {
      ids.push_back(whole);
      return;
    }
  }
  // A linked list of symbols; merging two takes the right one out.
  struct Symbol {
    int32_t id;  // -1: merged away
    int32_t previous, next;
  };
  std::vector<Symbol> symbols;
  symbols.reserve(piece.size());
  for (size_t i = 0; i < piece.size(); ++i) {
    const TokenId id = Find(piece.substr(i, 1));
    if (id < 0) continue;
    const auto at = static_cast<int32_t>(symbols.size());
    symbols.push_back({static_cast<int32_t>(id), at - 1, at + 1});
  }
  const auto count = static_cast<int32_t>(symbols.size());

  struct Candidate {
    int32_t rank, at, left, right, merged;
    // The queue gives the largest: lowest rank first, then leftmost.
    bool operator<(const Candidate& other) const { return rank != other.rank ? rank > other.rank : at > other.at; }
  };
  std::priority_queue<Candidate> queue;
  const auto consider = [&](int32_t at) {
    if (at < 0 || symbols[at].next >= count) return;
    const int32_t left = symbols[at].id, right = symbols[symbols[at].next].id;
    const auto merge = merges_.find(Pair(left, right));
    if (merge != merges_.end()) queue.push({merge->second.rank, at, left, right, merge->second.merged});
  };
  for (int32_t i = 0; i < count; ++i) consider(i);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Symbol& left = symbols[best.at];
    // Stale where either side has been merged meanwhile.
    if (left.id != best.left || left.next >= count || symbols[left.next].id != best.right) continue;
    Symbol& right = symbols[left.next];
    left.id = best.merged;
    right.id = -1;
    left.next = right.next;
    if (left.next < count) symbols[left.next].previous = best.at;
    consider(left.previous);
    consider(best.at);
  }
  for (int32_t i = 0; i < count; i = symbols[i].next) ids.push_back(symbols[i].id);
}

std::string_view BytePairEncoder::Bytes(TokenId id) const {
  return id >= 0 && id < size() ? std::string_view(bytes_[id]) : std::string_view();
}

TokenId BytePairEncoder::Find(std::string_view bytes) const {
  const auto found = ids_.find(absl::string_view(bytes.data(), bytes.size()));
  return found == ids_.end() ? -1 : found->second;
}

}  // namespace auricle::model
