// Ratios and audibility in a scene's truth, held against what was mixed.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <span>
#include <string>
#include <vector>

#include "sim/render/scene_renderer.h"
#include "tests/sim/scene/small_bank.h"

namespace auricle::sim {
namespace {

RenderedScene Render(const ScenePlan& plan) {
  auto scene = RenderScene(plan, *SmallBank());
  EXPECT_TRUE(scene.ok()) << scene.status();
  return scene.ok() ? *std::move(scene) : RenderedScene{};
}

ScenePlan Plan(const v1::SceneSpec& spec, uint64_t index) {
  auto plan = PlanScene(spec, *SmallBank(), 12, index);
  EXPECT_TRUE(plan.ok()) << plan.status();
  return *std::move(plan);
}

int LongRecording() {
  const auto& all = SmallBank()->recordings();
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].seconds == 3.0) return static_cast<int>(i);
  }
  ADD_FAILURE() << "no recording of 3 s";
  return 0;
}

double EnergyOf(std::span<const float> signal, size_t first, size_t last) {
  double sum = 0.0;
  for (size_t i = first; i < last; ++i) sum += static_cast<double>(signal[i]) * signal[i];
  return sum;
}

// Noise at -34.03 dBFS at 1 m in free field, over a white floor.
TEST(SceneTruth, SignalToNoiseIsTheRatioOfLevelsWhateverElseSounds) {
  ScenePlan plan;
  plan.split = "test";
  plan.free_field = true;
  plan.listener_m = {0, 0, 1.5};
  plan.noise_floor_dbfs = -50.0;
  plan.noise_slope_db = 0.0;
  plan.sources.push_back(
      {.recording = LongRecording(), .position_m = plan.listener_m + Vec3{1, 0, 0}, .onsets = {0.5}});
  plan.sources.push_back({.recording = LongRecording(),
                          .position_m = plan.listener_m + Vec3{0, 4, 0},
                          .level_offset_db = 6.0,
                          .onsets = {1.0}});
  const RenderedScene scene = Render(plan);
  const double direct = 20.0 * std::log10(0.25 / (4.0 * std::numbers::pi));
  // White noise loses up to 0.35 dB in the delay filter's transition band; the first and the last row are part silent.
  EXPECT_NEAR(scene.truth.sources(0).signal_to_noise_db(), direct + 50.0, 0.5);
  EXPECT_NEAR(scene.truth.sources(1).signal_to_noise_db(), direct + 6.0 - 12.04 + 50.0, 0.5);
}

// Both ratios of each source and row from the scene, the same scene without that source, and the floor alone.
TEST(SceneTruth, RatiosAndAudibilityAreThoseOfTheMixture) {
  v1::SceneSpec spec;
  spec.add_durations_seconds(2.0);
  spec.set_min_sources(2);
  spec.set_max_sources(4);
  spec.set_overlap_probability(1.0);
  spec.set_level_sd_db(10.0);
  spec.mutable_noise_below_db()->set_min(0.0);
  spec.mutable_noise_below_db()->set_max(30.0);
  spec.set_motion_probability(0.3);
  int audible_rows = 0, masked_rows = 0;
  for (uint64_t index = 0; index < 25; ++index) {
    ScenePlan plan = Plan(spec, index);
    plan.noise_slope_db = 0.0;  // of white noise a tenth of a second tells the level to a fifth of a decibel
    const RenderedScene scene = Render(plan);
    const std::span<const float> mix = scene.audio.channel(audio::kW);
    for (size_t i = 0; i < plan.sources.size(); ++i) {
      ScenePlan without = plan;
      without.sources.erase(without.sources.begin() + static_cast<ptrdiff_t>(i));
      const RenderedScene rest = Render(without);
      const v1::Source* truth = nullptr;
      const std::string& group = SmallBank()->recordings()[static_cast<size_t>(plan.sources[i].recording)].group;
      for (const v1::Source& s : scene.truth.sources()) {
        if (s.recording_group() == group) truth = &s;
      }
      ASSERT_NE(truth, nullptr);
      std::vector<float> own(mix.begin(), mix.end());
      for (size_t k = 0; k < own.size(); ++k) own[k] -= rest.audio.channel(audio::kW)[k];
      for (const v1::SourceFrame& frame : truth->frames()) {
        EXPECT_TRUE(frame.has_audible());
        if (frame.activity() < 0.5f) {
          EXPECT_FALSE(frame.audible());
          continue;
        }
        const size_t first = frame.frame() * 1600u, last = std::min(own.size(), first + 1600u);
        const double ratio =
            10.0 * std::log10(EnergyOf(own, first, last) / EnergyOf(rest.audio.channel(audio::kW), first, last));
        if (ratio < -40.0 || ratio > 55.0) continue;
        EXPECT_NEAR(frame.signal_to_rest_db(), ratio, 0.05);
        if (std::abs(ratio + 10.0) > 0.1) {
          EXPECT_EQ(frame.audible(), ratio > -10.0);
        }
        ++(frame.audible() ? audible_rows : masked_rows);
      }
      // The floor's expected energy: its level over the active rows, to what a chance of so few samples allows.
      double own_energy = 0.0, rows = 0.0;
      for (const v1::SourceFrame& frame : truth->frames()) {
        if (frame.activity() < 0.5f) continue;
        own_energy += EnergyOf(own, frame.frame() * 1600u, std::min(own.size(), (frame.frame() + 1) * size_t{1600}));
        rows += 1600.0;
      }
      const double floor_energy = rows * std::pow(10.0, plan.noise_floor_dbfs / 10.0);
      EXPECT_NEAR(truth->signal_to_noise_db(), 10.0 * std::log10(own_energy / floor_energy), 1.0) << plan.id;
    }
  }
  EXPECT_GT(audible_rows, 200);
  EXPECT_GT(masked_rows, 30);
}

}  // namespace
}  // namespace auricle::sim
