#include "sim/scene/timing_sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace auricle::sim {
namespace {

struct Playing {
  double start = 0.0, end = 0.0;
  size_t source = 0;
};

std::vector<Playing> PlayingsOf(const std::vector<Timing>& timings) {
  std::vector<Playing> playings;
  for (size_t i = 0; i < timings.size(); ++i) {
    for (double onset : timings[i].onsets) playings.push_back({onset, onset + timings[i].max_seconds, i});
  }
  std::ranges::sort(playings, {}, &Playing::start);
  return playings;
}

// The longest time that two sources share, over what it takes to call that an overlap.
double BestOverlap(const std::vector<Timing>& timings) {
  double best = 0.0;
  const std::vector<Playing> all = PlayingsOf(timings);
  for (const Playing& a : all) {
    for (const Playing& b : all) {
      if (a.source == b.source) continue;
      const double shared = std::min(a.end, b.end) - std::max(a.start, b.start);
      best = std::max(best, shared / std::min(0.3, 0.5 * std::min(a.end - a.start, b.end - b.start)));
    }
  }
  return best;
}

std::vector<Timing> Draw(double scene_seconds, Random& random) {
  std::vector<Timing> timings(static_cast<size_t>(random.Int(2, 4)));
  for (Timing& t : timings) t = DrawTiming(random.LogUniform(0.05, 20.0), scene_seconds, random);
  return timings;
}

void ExpectInside(const std::vector<Timing>& timings, double scene_seconds) {
  for (const Timing& t : timings) {
    EXPECT_GT(t.max_seconds, 0.0);
    ASSERT_FALSE(t.onsets.empty());
    EXPECT_GE(t.onsets.front(), 0.0);
    EXPECT_LE(t.onsets.back() + t.max_seconds, scene_seconds + 1e-9);
    for (size_t k = 1; k < t.onsets.size(); ++k) EXPECT_GE(t.onsets[k], t.onsets[k - 1] + t.max_seconds + 0.2);
  }
}

TEST(DrawTiming, EverySoundBeginsAndEndsInsideTheScene) {
  Random random(1, 2, "timing");
  for (int i = 0; i < 3000; ++i) {
    const double recording = random.LogUniform(0.05, 20.0), scene = random.Uniform(0.5, 12.0);
    const Timing timing = DrawTiming(recording, scene, random);
    ExpectInside({timing}, scene);
    EXPECT_LE(timing.max_seconds, recording + 1e-12);
  }
}

TEST(MakeOverlap, SomeTwoSourcesSoundAtOnceAndWhatDidAlreadyIsLeftAlone) {
  Random random(1, 3, "timing");
  int left_alone = 0, moved = 0;
  for (int i = 0; i < 3000; ++i) {
    const double scene = random.Uniform(0.5, 12.0);
    const std::vector<Timing> drawn = Draw(scene, random);
    std::vector<Timing> timings = drawn;
    MakeOverlap(scene, timings, random);
    EXPECT_GE(BestOverlap(timings), 1.0 - 1e-9);
    ExpectInside(timings, scene);
    int changed = 0;
    for (size_t k = 0; k < timings.size(); ++k) {
      EXPECT_EQ(timings[k].max_seconds, drawn[k].max_seconds);
      changed += timings[k].onsets != drawn[k].onsets;
    }
    if (BestOverlap(drawn) >= 1.0) {
      EXPECT_EQ(changed, 0);
      ++left_alone;
    } else {
      EXPECT_LE(changed, 1);
      ++moved;
    }
  }
  EXPECT_GT(left_alone, 100);
  EXPECT_GT(moved, 100);
}

TEST(MakeSuccessive, SourcesSoundOneAfterTheOtherInAnyOrder) {
  Random random(1, 4, "timing");
  int shortened = 0, whole = 0, first_first = 0;
  constexpr int kScenes = 3000;
  for (int i = 0; i < kScenes; ++i) {
    const double scene = random.Uniform(0.5, 12.0);
    const std::vector<Timing> drawn = Draw(scene, random);
    std::vector<Timing> timings = drawn;
    MakeSuccessive(scene, timings, random);
    ExpectInside(timings, scene);
    const std::vector<Playing> playings = PlayingsOf(timings);
    for (size_t k = 1; k < playings.size(); ++k) {
      const double gap = playings[k].start - playings[k - 1].end;
      EXPECT_GE(gap, std::min(0.15, 0.05 * scene) - 1e-9);
    }
    // Once one has ended for good, it does not come back: the number of changes of source is the least there can be.
    size_t changes = 0;
    for (size_t k = 1; k < playings.size(); ++k) changes += playings[k].source != playings[k - 1].source;
    EXPECT_EQ(changes, timings.size() - 1);
    bool cut = false;
    for (size_t k = 0; k < timings.size(); ++k) {
      EXPECT_LE(timings[k].max_seconds, drawn[k].max_seconds);
      cut |= timings[k].max_seconds < drawn[k].max_seconds;
    }
    ++(cut ? shortened : whole);
    if (timings.size() == 2) first_first += playings.front().source == 0 ? 1 : -1;
  }
  EXPECT_GT(shortened, 100);
  EXPECT_GT(whole, 100);
  EXPECT_LT(std::abs(first_first), 4 * std::sqrt(kScenes / 3.0));
}

}  // namespace
}  // namespace auricle::sim
