// Normalisation and splitting: the two steps of a tokenizer.json before merging.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace auricle::model {

// GPT-2's pattern, inside every ByteLevel pre-tokeniser that does not switch it off.
inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
// Qwen2's: case-blind contractions, digits one by one, line breaks apart.
inline constexpr std::string_view kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

enum class UnicodeForm { kNfc, kNfd, kNfkc, kNfkd };

// INTERNAL where the text cannot be normalised (no memory). `text` is valid UTF-8.
absl::StatusOr<std::string> Normalise(std::string_view text, UnicodeForm form);

// A compiled split pattern. Matches and what lies between them both become pieces ("Isolated"). Immutable; safe for
// concurrent use.
class SplitPattern {
 public:
  // `\s` means Unicode's White_Space, as in the regex engines of the reference tokenisers: PCRE2's own also takes
  // U+180E. INVALID_ARGUMENT with PCRE2's reason and offset.
  static absl::StatusOr<SplitPattern> Compile(std::string_view pattern);

  // Appends the pieces of `text` (valid UTF-8); joined they are `text`. RESOURCE_EXHAUSTED where the pattern backtracks
  // without end.
  absl::Status Split(std::string_view text, std::vector<std::string_view>& pieces) const;

 private:
  std::shared_ptr<const void> code_;  // pcre2_code
};

// The file's list of steps, each applied inside every piece of the one before.
class PreTokenizer {
 public:
  void AddSplit(SplitPattern pattern) { steps_.push_back({std::move(pattern), false}); }
  // A space before every piece that does not begin with one (ByteLevel's add_prefix_space).
  void AddPrefixSpace() { steps_.push_back({{}, true}); }

  absl::Status Split(std::string_view text, std::vector<std::string>& pieces) const;

 private:
  struct Step {
    SplitPattern pattern;
    bool prefix_space;
  };
  std::vector<Step> steps_;
};

}  // namespace auricle::model
