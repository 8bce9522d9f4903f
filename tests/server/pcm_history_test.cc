#include "server/inference/pcm_history.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace auricle::server {
namespace {

std::string Join(const std::vector<Bytes>& pieces) {
  std::string joined;
  for (const Bytes& piece : pieces) joined.append(piece.view.data(), piece.view.size());
  return joined;
}

TEST(PcmHistoryTest, GivesBackWhatWasAppendedWhateverTheChunks) {
  std::mt19937 random(7);
  std::string all(16 * 30'000, '\0');
  for (char& byte : all) byte = static_cast<char>(random());
  constexpr uint64_t kRemembered = 10'000;
  PcmHistory history(16, kRemembered);
  size_t sent = 0;
  while (sent < all.size()) {
    const size_t count = std::min(all.size() - sent, size_t{16} * (1 + random() % 3000));
    history.Append(absl::string_view(all).substr(sent, count));
    sent += count;
    ASSERT_EQ(history.end_frame(), sent / 16);
    ASSERT_EQ(history.first_frame(), sent / 16 > kRemembered ? sent / 16 - kRemembered : 0);
    const uint64_t first = history.first_frame() + random() % (history.end_frame() - history.first_frame());
    const uint64_t last = first + 1 + random() % (history.end_frame() - first);
    ASSERT_EQ(Join(history.Slice(first, last)), all.substr(first * 16, (last - first) * 16));
  }
}

TEST(PcmHistoryTest, ASliceOutlivesWhatTheHistoryForgets) {
  PcmHistory history(8, 4);
  history.Append("aaaaaaaabbbbbbbb");
  const std::vector<Bytes> slice = history.Slice(0, 2);
  for (int i = 0; i < 100'000; ++i) history.Append("cccccccc");
  EXPECT_EQ(Join(slice), "aaaaaaaabbbbbbbb");
  EXPECT_EQ(history.first_frame(), 100'002u - 4);
}

}  // namespace
}  // namespace auricle::server
