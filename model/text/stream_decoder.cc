#include "model/text/stream_decoder.h"

#include <utility>

#include "model/text/utf8.h"

namespace auricle::model {

StreamDecoder::StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special)
    : tokenizer_(std::move(tokenizer)), skip_special_(skip_special) {}

std::string StreamDecoder::Push(TokenId id) {
  if (skip_special_ && tokenizer_->IsSpecial(id)) return "";
  held_ += tokenizer_->TokenBytes(id);
  std::string text;
  std::string_view rest = held_;
  while (!rest.empty()) {
    const Utf8Part part = FirstUtf8Part(rest);
    if (part.kind == Utf8Part::kIncomplete) break;
    text += part.kind == Utf8Part::kCharacter ? rest.substr(0, part.bytes) : kReplacementCharacter;
    rest.remove_prefix(part.bytes);
  }
  held_ = std::string(rest);
  return text;
}

std::string StreamDecoder::Flush() {
  std::string text;
  AppendRepairedUtf8(std::exchange(held_, {}), text);
  return text;
}

}  // namespace auricle::model
