#include "sim/render/activity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace auricle::sim {
namespace {

std::string Print(const std::vector<bool>& rows) {
  std::string out;
  for (bool row : rows) out += row ? '1' : '0';
  return out;
}

TEST(SoundingSpans, FindBurstsWithinAFrame) {
  std::vector<float> x(32000, 0.0f);
  for (size_t i = 4000; i < 8000; ++i) x[i] = (i % 2) ? 0.5f : -0.5f;
  for (size_t i = 20000; i < 21600; ++i) x[i] = (i % 2) ? 0.2f : -0.2f;    // 8 dB below: active
  for (size_t i = 26000; i < 28000; ++i) x[i] = (i % 2) ? 0.03f : -0.03f;  // 24 dB below: not
  const auto spans = SoundingSpans(x, 16000);
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_NEAR(spans[0].start, 0.25, 0.02);
  EXPECT_NEAR(spans[0].end, 0.5, 0.02);
  EXPECT_NEAR(spans[1].start, 1.25, 0.02);
  EXPECT_NEAR(spans[1].end, 1.35, 0.02);
  EXPECT_TRUE(SoundingSpans(std::vector<float>(1000, 0.0f), 16000).empty());
  EXPECT_TRUE(SoundingSpans({}, 16000).empty());
}

TEST(MergeSpans, ClosesShortGapsAndCutsAtTheEnds) {
  const auto merged = MergeSpans({{2.0, 2.5}, {-0.5, 0.3}, {0.45, 0.9}, {1.2, 1.6}, {4.8, 5.6}}, 5.0);
  ASSERT_EQ(merged.size(), 4u);
  EXPECT_EQ(merged[0].start, 0.0);
  EXPECT_EQ(merged[0].end, 0.9);  // gap of 0.15 closed
  EXPECT_EQ(merged[1].start, 1.2);
  EXPECT_EQ(merged[2].start, 2.0);
  EXPECT_EQ(merged[3].end, 5.0);
}

TEST(MergeSpans, DropsBlipsButNeverEverything) {
  EXPECT_EQ(MergeSpans({{1.0, 1.02}, {2.0, 3.0}}, 5.0).size(), 1u);
  const auto alone = MergeSpans({{1.0, 1.02}, {2.0, 2.03}}, 5.0);
  ASSERT_EQ(alone.size(), 1u);
  EXPECT_EQ(alone[0].start, 2.0);
  EXPECT_TRUE(MergeSpans({{6.0, 7.0}}, 5.0).empty());
}

TEST(ActiveRows, AreThoseAtLeastHalfCovered) {
  const std::vector<Span> spans = {{0.14, 0.46}};
  EXPECT_EQ(Print(ActiveRows(spans, 1.0)), "0111100000");
  const std::vector<Span> later = {{0.16, 0.44}};
  EXPECT_EQ(Print(ActiveRows(later, 1.0)), "0011000000");
}

TEST(ActiveRows, KeepARowForEvenTheShortestSpan) {
  const std::vector<Span> spans = {{0.18, 0.21}, {0.95, 0.97}};
  EXPECT_EQ(Print(ActiveRows(spans, 1.0)), "0100000001");
  EXPECT_EQ(Print(ActiveRows({}, 0.25)), "000");
}

}  // namespace
}  // namespace auricle::sim
