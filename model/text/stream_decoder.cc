#include "model/text/stream_decoder.h"

#include <utility>

#include "model/text/utf8.h"

namespace auricle::model {
namespace {

// The first two bytes of a UTF-16 surrogate put into UTF-8. No third byte can make them valid, but the reference
// decoders (CPython's incremental one) wait for it before they give up on all three, and so do we.
bool IsHalfASurrogate(std::string_view bytes) {
  return bytes.size() == 2 && bytes[0] == '\xED' && static_cast<unsigned char>(bytes[1]) >= 0xA0 &&
         static_cast<unsigned char>(bytes[1]) <= 0xBF;
}

}  // namespace

StreamDecoder::StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special)
    : tokenizer_(std::move(tokenizer)), skip_special_(skip_special) {}

std::string StreamDecoder::Push(TokenId id) {
  if (skip_special_ && tokenizer_->IsSpecial(id)) return "";
  held_ += tokenizer_->TokenBytes(id);
  std::string text;
  std::string_view rest = held_;
  while (!rest.empty()) {
    const Utf8Part part = FirstUtf8Part(rest);
    if (part.kind == Utf8Part::kIncomplete || IsHalfASurrogate(rest)) break;
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
