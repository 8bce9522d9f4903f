// The alphabet in which byte-level tokenisers spell raw bytes inside JSON (GPT-2's bytes_to_unicode): printable Latin-1
// bytes stand for themselves, the other 68 take the characters from U+0100 on, so that a space reads "Ġ".
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace auricle::model {

// byte -> its character in UTF-8.
const std::array<std::string, 256>& ByteAlphabet();

// The 256 bytes in the order of their characters' code points: the usual ids 0..255.
const std::array<unsigned char, 256>& BytesInAlphabetOrder();

// A token as the file spells it -> raw bytes; nothing where a character is not of the alphabet.
std::optional<std::string> BytesFromAlphabet(std::string_view spelled);

// Raw bytes -> the file's spelling.
std::string BytesToAlphabet(std::string_view bytes);

}  // namespace auricle::model
