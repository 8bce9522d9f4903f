// What a spec can ask of a scene beside ranges: how many sources, whether they overlap, how much silence, how high.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "sim/scene/scene_sampler.h"
#include "sim/scene/scene_spec.h"
#include "tests/sim/scene/small_bank.h"

namespace auricle::sim {
namespace {

constexpr uint64_t kScenes = 500;

ScenePlan Plan(const v1::SceneSpec& spec, uint64_t index) {
  auto plan = PlanScene(spec, *SmallBank(), 31, index);
  EXPECT_TRUE(plan.ok()) << plan.status();
  return plan.ok() ? *std::move(plan) : ScenePlan{};
}

double EndOf(const PlannedSource& source) { return source.onsets.back() + source.max_seconds; }

// Seconds in which two sources or more play.
double SharedSeconds(const ScenePlan& plan) {
  double shared = 0.0;
  for (size_t i = 0; i < plan.sources.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const PlannedSource &a = plan.sources[i], &b = plan.sources[j];
      for (double one : a.onsets) {
        for (double other : b.onsets) {
          shared += std::max(0.0, std::min(one + a.max_seconds, other + b.max_seconds) - std::max(one, other));
        }
      }
    }
  }
  return shared;
}

void ExpectSameRoom(const ScenePlan& a, const ScenePlan& b) {
  EXPECT_EQ(a.duration_seconds, b.duration_seconds);
  EXPECT_EQ(a.noise_floor_dbfs, b.noise_floor_dbfs);
  EXPECT_EQ(a.noise_key, b.noise_key);
  EXPECT_EQ(a.free_field, b.free_field);
  EXPECT_EQ(a.ground, b.ground);
}

TEST(SceneDistribution, SourcesAreCountedByTheirWeights) {
  v1::SceneSpec spec;
  for (double weight : {1.0, 0.0, 2.0, 1.0}) spec.add_source_count_weights(weight);
  std::array<int, 5> counts{};
  for (uint64_t i = 0; i < kScenes; ++i) ++counts[Plan(spec, i).sources.size()];
  EXPECT_EQ(counts[2], 0);
  for (const auto& [count, share] : {std::pair{1, 0.25}, {3, 0.5}, {4, 0.25}}) {
    EXPECT_NEAR(static_cast<double>(counts[static_cast<size_t>(count)]) / kScenes, share,
                4 * std::sqrt(share * (1 - share) / kScenes));
  }
}

TEST(SceneDistribution, TheStatedShareOfScenesOverlapsAndTheOthersDoNot) {
  v1::SceneSpec spec;
  spec.set_min_sources(2);
  spec.set_max_sources(4);
  for (double probability : {0.0, 0.3, 1.0}) {
    spec.set_overlap_probability(probability);
    int overlapping = 0;
    for (uint64_t i = 0; i < kScenes; ++i) {
      const ScenePlan plan = Plan(spec, i);
      EXPECT_TRUE(Validate(plan).ok());
      overlapping += SharedSeconds(plan) > 0.0;
    }
    EXPECT_NEAR(static_cast<double>(overlapping) / kScenes, probability,
                4 * std::sqrt(probability * (1 - probability) / kScenes));
  }
}

TEST(SceneDistribution, OverlapChangesNothingButTimes) {
  v1::SceneSpec plain;
  plain.set_min_sources(2);
  v1::SceneSpec asked = plain;
  asked.set_overlap_probability(0.5);
  for (uint64_t i = 0; i < 60; ++i) {
    const ScenePlan a = Plan(plain, i), b = Plan(asked, i);
    ExpectSameRoom(a, b);
    ASSERT_EQ(a.sources.size(), b.sources.size());
    for (size_t k = 0; k < a.sources.size(); ++k) {
      EXPECT_EQ(a.sources[k].recording, b.sources[k].recording);
      EXPECT_EQ(Norm(a.sources[k].position_m - b.sources[k].position_m), 0.0);
      EXPECT_EQ(a.sources[k].key, b.sources[k].key);
      EXPECT_EQ(a.sources[k].level_offset_db, b.sources[k].level_offset_db);
    }
  }
}

TEST(SceneDistribution, SilenceTakesItsShareBeforeAndAfterWhatSounds) {
  v1::SceneSpec spec;
  spec.set_min_sources(1);
  spec.set_max_sources(4);
  spec.set_overlap_probability(0.5);
  spec.mutable_silence_share()->set_min(0.5);
  spec.mutable_silence_share()->set_max(0.9);
  double before = 0.0, after = 0.0;
  for (uint64_t i = 0; i < kScenes; ++i) {
    const ScenePlan plan = Plan(spec, i);
    double first = plan.duration_seconds, last = 0.0;
    for (const PlannedSource& source : plan.sources) {
      first = std::min(first, source.onsets.front());
      last = std::max(last, EndOf(source));
    }
    EXPECT_LE(last - first, 0.5 * plan.duration_seconds + 1e-9);
    EXPECT_LE(last, plan.duration_seconds + 1e-9);
    before += first / plan.duration_seconds;
    after += 1.0 - last / plan.duration_seconds;
  }
  EXPECT_GT(before / kScenes, 0.3);
  EXPECT_GT(after / kScenes, 0.3);
  // A scene of one second cannot be silent for nine tenths of it: half a second is left.
  spec.add_durations_seconds(1.0);
  for (uint64_t i = 0; i < 50; ++i) EXPECT_TRUE(Validate(Plan(spec, i)).ok());
}

TEST(SceneDistribution, SourcesKeepToTheirElevations) {
  for (const auto& [low, high] : {std::pair{-5.0, 5.0}, {30.0, 60.0}, {-90.0, -20.0}}) {
    v1::SceneSpec spec;
    spec.mutable_elevation_deg()->set_min(low);
    spec.mutable_elevation_deg()->set_max(high);
    double least = 90.0, most = -90.0;
    for (uint64_t i = 0; i < 200; ++i) {
      const ScenePlan plan = Plan(spec, i);
      for (const PlannedSource& source : plan.sources) {
        const double elevation = ElevationDeg(source.position_m - plan.listener_m);
        EXPECT_GE(elevation, low - 1e-9);
        EXPECT_LE(elevation, high + 1e-9);
        least = std::min(least, elevation), most = std::max(most, elevation);
      }
    }
    EXPECT_LT(least, low + 0.3 * (high - low));
    EXPECT_GT(most, high - 0.3 * (high - low));
  }
}

TEST(SceneDistribution, AtFullStrengthScenesAreOfEveryKind) {
  const v1::SceneSpec spec = FullSceneSpec();
  double nearest = 99, farthest = 0, driest = 99, longest = 0, lowest = 90, highest = -90;
  std::array<int, 5> counts{};
  int overlapping = 0, several = 0, moving = 0, sources = 0, walking = 0, free_fields = 0;
  for (uint64_t i = 0; i < kScenes; ++i) {
    const ScenePlan plan = Plan(spec, i);
    EXPECT_TRUE(Validate(plan).ok());
    ++counts[plan.sources.size()];
    walking += plan.listener_track.has_value();
    free_fields += plan.free_field;
    if (plan.sources.size() > 1) ++several, overlapping += SharedSeconds(plan) > 0.0;
    if (!plan.free_field) {
      const double seconds = MidEyringSeconds(plan.room);
      driest = std::min(driest, seconds), longest = std::max(longest, seconds);
    }
    for (const PlannedSource& source : plan.sources) {
      const Vec3 to_source = source.position_m - plan.listener_m;
      nearest = std::min(nearest, Norm(to_source)), farthest = std::max(farthest, Norm(to_source));
      lowest = std::min(lowest, ElevationDeg(to_source)), highest = std::max(highest, ElevationDeg(to_source));
      ++sources, moving += source.trajectory.has_value();
    }
  }
  for (size_t n = 1; n <= 4; ++n) EXPECT_GT(counts[n], 60) << n;
  EXPECT_GE(nearest, 0.3 - 1e-9);
  EXPECT_LT(nearest, 0.35);
  EXPECT_LE(farthest, 15.0 + 1e-9);
  EXPECT_GT(farthest, 12.0);
  EXPECT_GE(driest, spec.reverberation_seconds().min() * 0.999);
  EXPECT_LT(driest, 0.15);
  EXPECT_LE(longest, spec.reverberation_seconds().max() * 1.001);
  EXPECT_GT(longest, 0.95 * spec.reverberation_seconds().max());
  EXPECT_LT(lowest, -50.0);
  EXPECT_GT(highest, 50.0);
  const auto near = [](int part, int whole, double share, double lost) {
    const double found = static_cast<double>(part) / whole, deviation = 4 * std::sqrt(share * (1 - share) / whole);
    EXPECT_LE(found, share + deviation);
    EXPECT_GE(found, share - deviation - lost);
  };
  near(overlapping, several, spec.overlap_probability(), 0.0);
  near(free_fields, kScenes, spec.free_field_probability(), 0.0);
  // A few find no way.
  near(moving, sources, spec.motion_probability(), 0.05);
  near(walking, kScenes, spec.listener_motion_probability(), 0.05);
}

}  // namespace
}  // namespace auricle::sim
