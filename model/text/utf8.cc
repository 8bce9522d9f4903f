#include "model/text/utf8.h"

#include <cstdint>

namespace auricle::model {

Utf8Part FirstUtf8Part(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {Utf8Part::kCharacter, 1};
  size_t length = 0;
  // Allowed range of the second byte; the later ones are always 80..BF.
  uint8_t low = 0x80, high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;   // overlong
    if (lead == 0xED) high = 0x9F;  // surrogates
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;   // overlong
    if (lead == 0xF4) high = 0x8F;  // above U+10FFFF
  } else {
    return {Utf8Part::kInvalid, 1};
  }
  for (size_t i = 1; i < length; ++i) {
    if (i == text.size()) return {Utf8Part::kIncomplete, i};
    if (byte(i) < low || byte(i) > high) return {Utf8Part::kInvalid, i};
    low = 0x80, high = 0xBF;
  }
  return {Utf8Part::kCharacter, length};
}

std::optional<size_t> FirstInvalidUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const Utf8Part part = FirstUtf8Part(text.substr(at));
    if (part.kind != Utf8Part::kCharacter) return at;
    at += part.bytes;
  }
  return std::nullopt;
}

void AppendRepairedUtf8(std::string_view text, std::string& out) {
  while (!text.empty()) {
    const Utf8Part part = FirstUtf8Part(text);
    out += part.kind == Utf8Part::kCharacter ? text.substr(0, part.bytes) : kReplacementCharacter;
    text.remove_prefix(part.bytes);
  }
}

}  // namespace auricle::model
