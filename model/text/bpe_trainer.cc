#include "model/text/bpe_trainer.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "model/text/byte_alphabet.h"
#include "model/text/pre_tokenizer.h"
#include "model/text/utf8.h"

namespace auricle::model {
namespace {

using Pair = std::pair<int32_t, int32_t>;

// One distinct piece of the corpus, as ids that shrink with every merge.
struct Word {
  std::vector<int32_t> ids;
  int64_t count;
};

absl::StatusOr<std::map<std::string, int64_t>> CountPieces(std::span<const std::string> lines) {
  absl::StatusOr<SplitPattern> pattern = SplitPattern::Compile(kQwen2Pattern);
  if (!pattern.ok()) return pattern.status();
  std::map<std::string, int64_t> counts;  // ordered: the result must not depend on a hash
  std::vector<std::string_view> pieces;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (FirstInvalidUtf8(lines[i])) return absl::InvalidArgumentError(absl::StrCat("line ", i, " is not valid UTF-8"));
    absl::StatusOr<std::string> text = Normalise(lines[i], UnicodeForm::kNfc);
    if (!text.ok()) return text.status();
    pieces.clear();
    if (absl::Status status = pattern->Split(*text, pieces); !status.ok()) return status;
    for (std::string_view piece : pieces) ++counts[std::string(piece)];
  }
  return counts;
}

// The corpus and how often each adjacent pair occurs in it, kept up to date merge by merge.
class PairCounter {
 public:
  explicit PairCounter(const std::map<std::string, int64_t>& pieces) {
    std::array<int32_t, 256> id_of_byte;
    for (int id = 0; id < 256; ++id) id_of_byte[BytesInAlphabetOrder()[id]] = id;
    for (const auto& [piece, count] : pieces) {
      Word word{{}, count};
      for (unsigned char byte : piece) word.ids.push_back(id_of_byte[byte]);
      words_.push_back(std::move(word));
      AddPairs(words_.size() - 1, +1);
    }
  }

  // The most frequent pair, the smallest of equals; {-1, -1} where none occurs twice.
  Pair MostFrequent() const {
    Pair best = {-1, -1};
    int64_t best_count = 1;
    for (const auto& [pair, count] : counts_) {
      if (count > best_count || (count == best_count && best.first >= 0 && pair < best))
        best = pair, best_count = count;
    }
    return best;
  }

  void Merge(Pair pair, int32_t merged) {
    const absl::flat_hash_set<size_t> where = std::move(words_with_[pair]);
    for (size_t index : where) {
      AddPairs(index, -1);
      std::vector<int32_t>& ids = words_[index].ids;
      size_t out = 0;
      for (size_t i = 0; i < ids.size(); ++i) {
        const bool found = i + 1 < ids.size() && ids[i] == pair.first && ids[i + 1] == pair.second;
        ids[out++] = found ? merged : ids[i];
        i += found;
      }
      ids.resize(out);
      AddPairs(index, +1);
    }
    counts_.erase(pair);
    words_with_.erase(pair);
  }

 private:
  void AddPairs(size_t index, int sign) {
    const Word& word = words_[index];
    for (size_t i = 0; i + 1 < word.ids.size(); ++i) {
      const Pair pair(word.ids[i], word.ids[i + 1]);
      counts_[pair] += sign * word.count;
      if (sign > 0) words_with_[pair].insert(index);  // never taken out: a superset is enough
    }
  }

  std::vector<Word> words_;
  absl::flat_hash_map<Pair, int64_t> counts_;
  absl::flat_hash_map<Pair, absl::flat_hash_set<size_t>> words_with_;
};

nlohmann::ordered_json FileWithoutModel(const std::vector<std::pair<std::string_view, int>>& special) {
  nlohmann::ordered_json file;
  file["version"] = "1.0";
  file["truncation"] = nullptr;
  file["padding"] = nullptr;
  file["added_tokens"] = nlohmann::ordered_json::array();
  for (const auto& [content, id] : special) {
    file["added_tokens"].push_back({{"id", id},
                                    {"content", content},
                                    {"single_word", false},
                                    {"lstrip", false},
                                    {"rstrip", false},
                                    {"normalized", false},
                                    {"special", true}});
  }
  file["normalizer"] = {{"type", "NFC"}};
  const nlohmann::ordered_json split = {
      {"type", "Split"}, {"pattern", {{"Regex", kQwen2Pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
  const nlohmann::ordered_json byte_level = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false}, {"use_regex", false}};
  file["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", {split, byte_level}}};
  file["post_processor"] = nullptr;
  file["decoder"] = byte_level;
  return file;
}

}  // namespace

absl::StatusOr<std::string> TrainBpe(std::span<const std::string> lines, int vocab_size,
                                     std::span<const std::string_view> special_tokens) {
  const int special_count = static_cast<int>(special_tokens.size());
  if (vocab_size < 256 + special_count || vocab_size > 1'000'000) {
    return absl::InvalidArgumentError(absl::StrCat("vocab_size: ", vocab_size, " outside ", 256 + special_count,
                                                   " (256 bytes + special tokens) to 1000000"));
  }
  std::set<std::string_view> distinct(special_tokens.begin(), special_tokens.end());
  if (distinct.contains("") || distinct.size() != special_tokens.size()) {
    return absl::InvalidArgumentError("special_tokens: must not be empty or repeat");
  }
  absl::StatusOr<std::map<std::string, int64_t>> pieces = CountPieces(lines);
  if (!pieces.ok()) return pieces.status();

  std::vector<std::string> tokens;  // raw bytes by id
  std::set<std::string> taken;
  for (unsigned char byte : BytesInAlphabetOrder()) tokens.emplace_back(1, static_cast<char>(byte));
  taken.insert(tokens.begin(), tokens.end());
  nlohmann::ordered_json merges = nlohmann::ordered_json::array();
  PairCounter counter(*pieces);
  while (static_cast<int>(tokens.size()) + special_count < vocab_size) {
    const Pair pair = counter.MostFrequent();
    if (pair.first < 0) break;
    merges.push_back({BytesToAlphabet(tokens[pair.first]), BytesToAlphabet(tokens[pair.second])});
    std::string joined = tokens[pair.first] + tokens[pair.second];
    // Two ways to spell one token ("a" + "bc", "ab" + "c") share its id.
    if (taken.insert(joined).second) {
      tokens.push_back(joined);
      counter.Merge(pair, static_cast<int32_t>(tokens.size()) - 1);
    } else {
      const auto id = std::find(tokens.begin(), tokens.end(), joined) - tokens.begin();
      counter.Merge(pair, static_cast<int32_t>(id));
    }
  }

  std::vector<std::pair<std::string_view, int>> special;
  for (std::string_view content : special_tokens) {
    special.emplace_back(content, static_cast<int>(tokens.size() + special.size()));
  }
  nlohmann::ordered_json file = FileWithoutModel(special);
  // A plain map of vocabulary entries would be slow in ordered_json (linear look-up): filled as a list of pairs.
  nlohmann::ordered_json::object_t vocabulary;
  vocabulary.reserve(tokens.size());
  for (size_t id = 0; id < tokens.size(); ++id) vocabulary.push_back({BytesToAlphabet(tokens[id]), id});
  file["model"] = {{"type", "BPE"},
                   {"dropout", nullptr},
                   {"unk_token", nullptr},
                   {"continuing_subword_prefix", nullptr},
                   {"end_of_word_suffix", nullptr},
                   {"fuse_unk", false},
                   {"byte_fallback", false},
                   {"ignore_merges", false}};
  file["model"]["vocab"] = std::move(vocabulary);
  file["model"]["merges"] = std::move(merges);
  return file.dump(1);
}

}  // namespace auricle::model
