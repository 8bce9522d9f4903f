// Token ids to text while they are being generated.
#pragma once

#include <memory>
#include <string>

#include "model/text/tokenizer.h"

namespace auricle::model {

// Emits text as soon as it is certain: an incomplete but so far valid UTF-8 sequence is held back until its last byte
// comes; each maximal invalid part becomes one U+FFFD at once. All deltas and the flush joined equal
// Tokenizer::Decode of all ids. One object for one answer; not thread-safe.
class StreamDecoder {
 public:
  explicit StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special = true);

  // Text that became certain with `id`; often empty. Always valid UTF-8.
  std::string Push(TokenId id);
  // At the end: a held part becomes one U+FFFD. The object may be used anew afterwards.
  std::string Flush();

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  bool skip_special_;
  std::string held_;  // at most three bytes, a proper prefix of one character
};

}  // namespace auricle::model
