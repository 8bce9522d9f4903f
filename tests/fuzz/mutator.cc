#include "tests/fuzz/mutator.h"

#include <algorithm>
#include <iterator>

namespace auricle::test {
namespace {

constexpr uint64_t kOddIntegers[] = {0,      1,          0x7f,       0x80,       0xff,        0x7fff,
                                     0x8000, 0xffff,     0x7fffffff, 0x80000000, 0xffffffff,  0x100000000,
                                     ~0ull,  ~0ull >> 1, 1ull << 63, ~0ull - 7,  ~0ull >> 16, 0x3fffffffffffffff};

}  // namespace

size_t Mutator::Below(size_t bound) { return bound == 0 ? 0 : static_cast<size_t>(random_() % bound); }

void Mutator::MutateOnce(std::string& bytes) {
  const size_t at = Below(bytes.size());
  // Short stretches mostly: they leave more of the file's structure standing.
  const size_t length = std::min(bytes.size() - std::min(at, bytes.size()), size_t{1} + Below(size_t{1} << Below(10)));
  switch (Below(8)) {
    case 0:
      if (!bytes.empty()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << Below(8)));
      break;
    case 1:
      if (!bytes.empty()) bytes[at] = static_cast<char>(random_());
      break;
    case 2: {
      const uint64_t value = kOddIntegers[Below(std::size(kOddIntegers))];
      const size_t width = size_t{1} << Below(4);
      for (size_t i = 0; i < width && at + i < bytes.size(); ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
      break;
    }
    case 3:
      bytes.erase(at, length);
      break;
    case 4:
      bytes.insert(at, bytes.substr(at, length));
      break;
    case 5: {
      const std::string piece = bytes.substr(at, length);
      bytes.erase(at, length);
      bytes.insert(Below(bytes.size() + 1), piece);
      break;
    }
    case 6:
      bytes.resize(at);
      break;
    default:
      if (words_.empty()) break;
      if (Below(2) == 0) bytes.erase(at, length);
      bytes.insert(std::min(at, bytes.size()), words_[Below(words_.size())]);
  }
}

std::string Mutator::Mutate(std::string bytes) {
  for (size_t n = 1 + Below(6); n > 0; --n) MutateOnce(bytes);
  return bytes;
}

std::vector<std::string> JsonWords() {
  return {"null",
          "true",
          "-1",
          "0",
          "1e309",
          "-0.0",
          "18446744073709551616",
          "9223372036854775807",
          "0.5",
          "\"\"",
          "[]",
          "{}",
          "[[[[[[[[",
          "{\"a\":{\"a\":{\"a\":",
          "\\u0000",
          "\\ud800",
          "\xff",
          "\"",
          ",",
          ":",
          "}",
          "]",
          "\"shape\":[-1]",
          "\"data_offsets\":[0,18446744073709551615]"};
}

}  // namespace auricle::test
