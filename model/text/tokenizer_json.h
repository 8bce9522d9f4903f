// Reads Hugging Face's tokenizer.json into the parts that Tokenizer works with.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "model/text/bpe.h"
#include "model/text/pre_tokenizer.h"

namespace auricle::model {

struct AddedTokenEntry {
  std::string content;
  TokenId id = 0;
  bool special = false;
};

struct TokenizerParts {
  BytePairEncoder encoder;
  std::vector<AddedTokenEntry> added;
  std::vector<UnicodeForm> normalisation;
  PreTokenizer pre_tokenizer;
};

// Fields that only matter elsewhere (truncation, padding, post_processor) are ignored: Auricle's chat template adds its
// own special tokens. DATA_LOSS with origin, field and reason.
absl::StatusOr<TokenizerParts> ParseTokenizerJson(std::string_view json, const std::string& origin);

}  // namespace auricle::model
