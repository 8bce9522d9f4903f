// UTF-8 as the Unicode standard defines it (section 3.9, table 3-7): no surrogates, no overlong forms.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace auricle::model {

struct Utf8Part {
  enum Kind {
    kCharacter,   // one whole character
    kInvalid,     // a maximal invalid part: what one U+FFFD stands for
    kIncomplete,  // the text ends inside a character that is valid so far
  };
  Kind kind;
  size_t bytes;
};

// The first part of `text`, which must not be empty.
Utf8Part FirstUtf8Part(std::string_view text);

// Offset of the first byte that is not part of a whole character; nothing where all of `text` is valid.
std::optional<size_t> FirstInvalidUtf8(std::string_view text);

// Appends `text` to `out`; each invalid or incomplete part becomes one U+FFFD.
void AppendRepairedUtf8(std::string_view text, std::string& out);

// U+FFFD in UTF-8.
inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

}  // namespace auricle::model
