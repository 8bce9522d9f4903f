// Byte-level BPE read from a Hugging Face tokenizer.json: the tokenisers of GPT-2, Llama 3, Qwen2 and SmolLM2.
//
// Text becomes ids in four steps: (1) added tokens such as <|im_start|> are cut out where the caller allows it;
// (2) what lies between is normalised (NFC where the file says so); (3) split into pieces by regular expressions;
// (4) each piece's bytes are merged pair by pair, lowest rank first. No LibTorch here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace auricle::model {

using TokenId = int64_t;

// Whether text may spell special tokens. Users' text is always kAsText: "<|im_end|>" typed by a person is ten or so
// ordinary characters and can never end a turn or stand for audio.
enum class SpecialTokens { kAsText, kRecognise };

// Immutable; safe for concurrent use.
class Tokenizer {
 public:
  // The file: NOT_FOUND, or DATA_LOSS with the field and the reason where it is not JSON of the known kind (model other
  // than byte-level BPE, unknown normaliser or pre-tokeniser, a merge of unknown tokens, a bad pattern, ids that
  // repeat). Files above 64 MB are refused.
  static absl::StatusOr<std::shared_ptr<const Tokenizer>> Load(const std::string& path);
  // `origin` stands for the file in error messages.
  static absl::StatusOr<std::shared_ptr<const Tokenizer>> FromJson(std::string_view json, const std::string& origin);

  ~Tokenizer();
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  // INVALID_ARGUMENT where `text` is not UTF-8 (with the byte's offset). Empty text gives no ids.
  absl::StatusOr<std::vector<TokenId>> Encode(std::string_view text, SpecialTokens special) const;

  // Steps 1-3 only: added tokens (as themselves) and normalised pieces, before merging.
  absl::StatusOr<std::vector<std::string>> Split(std::string_view text, SpecialTokens special) const;

  // Bytes of all ids joined, each maximal invalid UTF-8 part as one U+FFFD. Ids without text (a model's vocabulary may
  // be larger than the tokeniser's) give nothing. text/stream_decoder.h does the same one id at a time.
  std::string Decode(const std::vector<TokenId>& ids, bool skip_special) const;

  // Raw bytes of one token; may end inside a character; empty where `id` has no text.
  std::string_view TokenBytes(TokenId id) const;
  bool IsSpecial(TokenId id) const;
  // Id of an added token by its content, e.g. "<|im_end|>".
  std::optional<TokenId> AddedToken(std::string_view content) const;
  // One past the largest id.
  int64_t size() const;

 private:
  struct Tables;
  explicit Tokenizer(std::unique_ptr<const Tables> tables);
  std::unique_ptr<const Tables> tables_;
};

}  // namespace auricle::model
