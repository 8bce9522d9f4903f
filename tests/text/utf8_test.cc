// Truths: the Unicode standard, table 3-7 (well-formed sequences) and section 3.9 (U+FFFD for maximal invalid parts).
#include "model/text/utf8.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace auricle::model {
namespace {

std::string Repaired(std::string_view text) {
  std::string out;
  AppendRepairedUtf8(text, out);
  return out;
}

// UTF-8 straight from the bit layout, without any check.
std::string EncodeBits(uint32_t point) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | (point >> shift & 0x3F)); };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xC0 | point >> 6), tail(0)};
  if (point < 0x10000) return {static_cast<char>(0xE0 | point >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | point >> 18), tail(12), tail(6), tail(0)};
}

TEST(Utf8Test, AcceptsEveryScalarValueAndNoSurrogate) {
  for (uint32_t point = 0; point < 0x110100; ++point) {
    const bool scalar = point < 0x110000 && !(point >= 0xD800 && point < 0xE000);
    EXPECT_EQ(FirstInvalidUtf8(EncodeBits(point)).has_value(), !scalar) << std::hex << point;
  }
}

TEST(Utf8Test, RefusesOverlongForms) {
  for (std::string_view overlong : {"\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF"}) {
    EXPECT_EQ(FirstInvalidUtf8(overlong), 0u);
  }
}

TEST(Utf8Test, NamesTheOffsetOfTheFirstBadByte) {
  EXPECT_EQ(FirstInvalidUtf8("caf\xC3\xA9 \xFF!"), 6u);
  EXPECT_EQ(FirstInvalidUtf8("ok\xE2\x82"), 2u);
  EXPECT_EQ(FirstInvalidUtf8("caf\xC3\xA9"), std::nullopt);
}

TEST(Utf8Test, ReplacesEachMaximalInvalidPartOnce) {
  // The standard's own example, table 3-11.
  EXPECT_EQ(Repaired("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), "\uFFFD\uFFFD\uFFFD\uFFFD\x41");
  // Table 3-8: surrogates and overlong forms fall apart byte by byte.
  EXPECT_EQ(Repaired("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(Repaired("\xF0\x80\x80\x41"), "\uFFFD\uFFFD\uFFFD\x41");
}

}  // namespace
}  // namespace auricle::model
