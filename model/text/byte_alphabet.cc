#include "model/text/byte_alphabet.h"

#include <algorithm>
#include <numeric>

namespace auricle::model {
namespace {

constexpr bool StandsForItself(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

constexpr std::array<int, 256> CodePoints() {
  std::array<int, 256> points{};
  int next = 0x100;
  for (int byte = 0; byte < 256; ++byte) points[byte] = StandsForItself(byte) ? byte : next++;
  return points;
}
constexpr std::array<int, 256> kCodePoints = CodePoints();
constexpr int kPastLastCodePoint = 0x100 + 68;

constexpr std::array<int, kPastLastCodePoint> BytesByCodePoint() {
  std::array<int, kPastLastCodePoint> bytes{};
  bytes.fill(-1);
  for (int byte = 0; byte < 256; ++byte) bytes[kCodePoints[byte]] = byte;
  return bytes;
}
constexpr std::array<int, kPastLastCodePoint> kBytes = BytesByCodePoint();

}  // namespace

const std::array<std::string, 256>& ByteAlphabet() {
  static const std::array<std::string, 256> alphabet = [] {
    std::array<std::string, 256> made;
    for (int byte = 0; byte < 256; ++byte) {
      const int point = kCodePoints[byte];  // below U+0800: one or two bytes
      if (point < 0x80) {
        made[byte] = {static_cast<char>(point)};
      } else {
        made[byte] = {static_cast<char>(0xC0 | point >> 6), static_cast<char>(0x80 | (point & 0x3F))};
      }
    }
    return made;
  }();
  return alphabet;
}

const std::array<unsigned char, 256>& BytesInAlphabetOrder() {
  static const std::array<unsigned char, 256> order = [] {
    std::array<unsigned char, 256> bytes;
    std::iota(bytes.begin(), bytes.end(), 0);
    std::sort(bytes.begin(), bytes.end(), [](int a, int b) { return kCodePoints[a] < kCodePoints[b]; });
    return bytes;
  }();
  return order;
}

std::optional<std::string> BytesFromAlphabet(std::string_view spelled) {
  std::string bytes;
  for (size_t i = 0; i < spelled.size(); ++i) {
    int point = static_cast<unsigned char>(spelled[i]);
    if (point >= 0x80) {
      if ((point & 0xE0) != 0xC0 || i + 1 == spelled.size()) return std::nullopt;
      point = (point & 0x1F) << 6 | (static_cast<unsigned char>(spelled[++i]) & 0x3F);
    }
    if (point >= kPastLastCodePoint || kBytes[point] < 0) return std::nullopt;
    bytes += static_cast<char>(kBytes[point]);
  }
  return bytes;
}

std::string BytesToAlphabet(std::string_view bytes) {
  std::string spelled;
  for (unsigned char byte : bytes) spelled += ByteAlphabet()[byte];
  return spelled;
}

}  // namespace auricle::model
