#include "sim/render/scene_renderer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numbers>
#include <thread>

#include "sim/render/activity.h"
#include "sim/room/directivity.h"
#include "sim/scene/scene_spec.h"
#include "sim/scene/trajectory.h"
#include "sim/source/dry_signal.h"
#include "tests/sim/scene/small_bank.h"

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;

ScenePlan PlanOf(const v1::SceneSpec& spec, uint64_t seed, uint64_t index) {
  auto plan = PlanScene(spec, *SmallBank(), seed, index);
  EXPECT_TRUE(plan.ok()) << plan.status();
  return *plan;
}

RenderedScene Render(const ScenePlan& plan) {
  auto scene = RenderScene(plan, *SmallBank());
  EXPECT_TRUE(scene.ok()) << scene.status();
  return scene.ok() ? *std::move(scene) : RenderedScene{};
}

// A recording of this length in the small bank, stationary noise.
int RecordingOf(double seconds) {
  const auto& all = SmallBank()->recordings();
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].seconds == seconds) return static_cast<int>(i);
  }
  ADD_FAILURE() << "no recording of " << seconds;
  return 0;
}

// One source in free field, hardly any noise.
ScenePlan FreeFieldPlan(Vec3 to_source) {
  ScenePlan plan;
  plan.id = "free";
  plan.split = "test";
  plan.free_field = true;
  plan.listener_m = {0, 0, 1.5};
  plan.noise_floor_dbfs = -130;
  plan.sources.push_back({.recording = RecordingOf(0.8), .position_m = plan.listener_m + to_source, .onsets = {1.0}});
  return plan;
}

TEST(RenderScene, FreeFieldSourceHasTheLevelOfItsDistance) {
  for (double distance : {0.5, 1.0, 4.0}) {
    for (double offset : {-6.0, 0.0, 5.0}) {
      ScenePlan plan = FreeFieldPlan(distance * UnitVector(50, 10));
      plan.sources[0].level_offset_db = offset;
      const RenderedScene scene = Render(plan);
      const double rms = ActiveRms(scene.audio.channel(0), 16000);
      // 0.25 at 1 m in free field is 0.25 / (4 pi): -34 dBFS. White noise loses up to 0.35 dB in the delay filter's
      // transition band below the Nyquist frequency.
      EXPECT_NEAR(20 * std::log10(rms), 20 * std::log10(0.25 / (4 * std::numbers::pi * distance)) + offset, 0.45);
    }
  }
}

TEST(RenderScene, IntensityPointsWhereTheTruthSays) {
  for (const auto& [azimuth, elevation] :
       {std::pair{0.0, 0.0}, {90.0, 0.0}, {-135.0, 20.0}, {180.0, -30.0}, {37.0, 55.0}}) {
    const RenderedScene scene = Render(FreeFieldPlan(2.0 * UnitVector(azimuth, elevation)));
    std::array<double, 4> sum{};
    for (int c = 0; c < 4; ++c) {
      for (size_t i = 0; i < scene.audio.frames(); ++i)
        sum[c] += static_cast<double>(scene.audio.channel(0)[i]) * scene.audio.channel(c)[i];
    }
    const double heard_azimuth = std::atan2(sum[1], sum[3]) * 180 / std::numbers::pi;
    const double heard_elevation = std::atan2(sum[2], std::hypot(sum[1], sum[3])) * 180 / std::numbers::pi;
    EXPECT_NEAR(std::cos((heard_azimuth - azimuth) * std::numbers::pi / 180), 1.0, 1e-6);
    EXPECT_NEAR(heard_elevation, elevation, 0.05);
    const v1::Source& truth = scene.truth.sources(0);
    EXPECT_NEAR(truth.direction().azimuth_deg(), azimuth, 1e-9);
    EXPECT_NEAR(truth.direction().elevation_deg(), elevation, 1e-9);
    EXPECT_NEAR(truth.distance_m(), 2.0, 1e-9);
    EXPECT_TRUE(scene.truth.room().free_field());
    EXPECT_FALSE(scene.truth.room().has_size_m());
    EXPECT_EQ(scene.truth.room().t30_seconds(), 0.0);
  }
}

TEST(RenderScene, GroundReflectsAndATurnedTalkerIsWeaker) {
  ScenePlan plan = FreeFieldPlan({3, 0, 0});  // both 1.5 m high
  const auto rms = [](const RenderedScene& scene) { return ActiveRms(scene.audio.channel(0), 16000); };
  const double open = rms(Render(plan));
  plan.ground = "concrete_smooth";
  const RenderedScene hard = Render(plan);
  // The reflection comes by 3 sqrt(2) m and has lost little: 1 + 1 / 2 of the energy, about 1.8 dB; the noise is white,
  // so the two add up as energies.
  EXPECT_NEAR(20 * std::log10(rms(hard) / open), 1.7, 0.4);
  EXPECT_EQ(hard.truth.room().wall_materials(0), "concrete_smooth");
  ASSERT_EQ(hard.truth.room().band_absorption_size(), 7);
  EXPECT_EQ(hard.truth.room().band_absorption(6).walls(0), 0.05);
  plan.sources[0].directivity = "cardioid";
  plan.sources[0].facing = UnitVector(90, 0);  // the listener is to his right
  const RenderedScene turned = Render(plan);
  EXPECT_NEAR(20 * std::log10(rms(turned) / rms(hard)), -6.02, 0.3);
  EXPECT_EQ(turned.truth.sources(0).directivity(), "cardioid");
  EXPECT_NEAR(turned.truth.sources(0).facing().azimuth_deg(), 90.0, 1e-9);
  EXPECT_NEAR(turned.truth.sources(0).facing().elevation_deg(), 0.0, 1e-9);
}

TEST(RenderScene, ActivityIsWhenTheSoundArrives) {
  ScenePlan plan = FreeFieldPlan({6.86, 0, 0});  // 20 ms away
  plan.sources[0].onsets = {0.5, 2.1, 3.6};
  const RenderedScene scene = Render(plan);
  const v1::Source& truth = scene.truth.sources(0);
  ASSERT_EQ(truth.active_size(), 3);
  const double expected[] = {0.52, 2.12, 3.62};
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(truth.active(i).start_seconds(), expected[i], 0.021);
    EXPECT_NEAR(truth.active(i).end_seconds(), expected[i] + 0.8, 0.041);
  }
  ASSERT_EQ(truth.frames_size(), 50);
  for (int row = 0; row < 50; ++row) {
    EXPECT_EQ(truth.frames(row).frame(), static_cast<uint32_t>(row));
    const double middle = row * 0.1 + 0.05;
    bool sounds = false, edge = false;
    for (double start : expected) {
      sounds |= middle > start && middle < start + 0.8;
      edge |= std::abs(middle - start) < 0.06 || std::abs(middle - start - 0.8) < 0.06;
    }
    if (!edge) {
      EXPECT_EQ(truth.frames(row).activity(), sounds ? 1.0f : 0.0f) << row;
      EXPECT_EQ(truth.frames(row).has_signal_to_rest_db(), sounds) << row;
    }
  }
}

TEST(RenderScene, SignalToRestIsTheRatioOfLevels) {
  ScenePlan plan = FreeFieldPlan({1, 0, 0});
  plan.noise_floor_dbfs = -50.0;
  plan.noise_slope_db = 0.0;
  const RenderedScene scene = Render(plan);
  // Stationary noise at -34.03 dBFS over a floor of -50.
  for (const v1::SourceFrame& frame : scene.truth.sources(0).frames()) {
    if (frame.frame() <= 10 || frame.frame() >= 17) continue;
    EXPECT_NEAR(frame.signal_to_rest_db(), 15.97, 0.7);
  }
  EXPECT_EQ(scene.truth.noise_floor_dbfs(), -50.0);
}

// The ratio of a source of stationary noise at 1 m, -34.03 dBFS, to whatever else is there.
void ExpectRatio(const ScenePlan& plan, double ratio_db, double tolerance_db) {
  const RenderedScene scene = Render(plan);
  for (const v1::SourceFrame& frame : scene.truth.sources(0).frames()) {
    if (frame.frame() <= 10 || frame.frame() >= 17) continue;
    EXPECT_NEAR(frame.signal_to_rest_db(), ratio_db, tolerance_db);
  }
}

TEST(RenderScene, BedsSelfNoiseAndCodingAreRest) {
  ScenePlan plan = FreeFieldPlan({1, 0, 0});
  for (v1::AmbienceKind kind : {v1::AMBIENCE_KIND_NOISE, v1::AMBIENCE_KIND_RECORDING}) {
    plan.ambience =
        PlannedAmbience{.kind = kind, .level_dbfs = -50.0, .slope_db = 0.0, .recording = RecordingOf(7.0), .key = 3};
    ExpectRatio(plan, 15.97, 0.8);
  }
  // Too loud a bed hides the source: no question is asked from 10 dB over it.
  plan.ambience->level_dbfs = -20.0;
  ExpectRatio(plan, -14.03, 0.8);
  plan.ambience.reset();
  plan.microphone.emplace().self_noise_dbfs = -50.0;
  ExpectRatio(plan, 15.97, 0.8);
  // A step of 2^-7 has an error of -52.94 dBFS: 18.91 dB below.
  plan.microphone = PlannedMicrophone{};
  plan.microphone->coding = SampleCoding{v1::SAMPLE_LAW_LINEAR, 8};
  ExpectRatio(plan, 18.91, 1.0);
}

TEST(RenderScene, WhatCodingLeavesNothingOfIsNotThere) {
  ScenePlan plan = FreeFieldPlan({18, 0, 0});
  plan.sources[0].level_offset_db = -12.0;  // -71 dBFS, 1/3600: never half a step of 1/128
  plan.microphone.emplace().coding = SampleCoding{v1::SAMPLE_LAW_LINEAR, 8};
  const RenderedScene scene = Render(plan);
  for (float sample : scene.audio.channel(0)) ASSERT_EQ(sample, 0.0f);
  for (const v1::SourceFrame& frame : scene.truth.sources(0).frames()) {
    if (frame.has_signal_to_rest_db()) {
      EXPECT_EQ(frame.signal_to_rest_db(), -60.0f);
    }
  }
}

// Gains, axes, aliasing and clipping change what is heard, not where the sources are nor what hides them.
TEST(RenderScene, FaultsOfTheArrayLeaveTheTruthOfTheSources) {
  const ScenePlan plan = FreeFieldPlan(2.0 * UnitVector(37, 20));
  ScenePlan faulty = plan;
  PlannedMicrophone& microphone = faulty.microphone.emplace();
  microphone.gain_db = {1.0, -2.0, 0.5, 1.5};
  microphone.tilts.emplace()[2] = {8.0, 30.0};
  microphone.array_radius_m = 0.03;
  microphone.overload_db = 8.0;
  const RenderedScene good = Render(plan), bad = Render(faulty);
  EXPECT_NE(good.audio.samples, bad.audio.samples);
  ASSERT_EQ(good.truth.sources_size(), 1);
  EXPECT_EQ(good.truth.sources(0).SerializeAsString(), bad.truth.sources(0).SerializeAsString());
  EXPECT_FALSE(good.truth.has_microphone());
  EXPECT_FALSE(good.truth.has_ambience());
}

TEST(RenderScene, TruthSaysWhatBedAndWhatMicrophone) {
  ScenePlan plan = FreeFieldPlan({1, 0, 0});
  plan.ambience = PlannedAmbience{.kind = v1::AMBIENCE_KIND_RECORDING,
                                  .level_dbfs = -55.0,
                                  .slope_db = 0.0,
                                  .recording = RecordingOf(7.0),
                                  .key = 3};
  PlannedMicrophone& microphone = plan.microphone.emplace();
  microphone.gain_db = {1.0, -2.0, 0.5, 1.5};
  microphone.tilts.emplace()[2] = {8.0, 30.0};
  microphone.self_noise_dbfs = -80.0;
  microphone.array_radius_m = 0.02;
  microphone.overload_db = 3.0;
  microphone.coding = SampleCoding{v1::SAMPLE_LAW_MU_LAW, 8};
  const v1::Scene truth = Render(plan).truth;
  const Recording& recording = SmallBank()->recordings()[static_cast<size_t>(RecordingOf(7.0))];
  EXPECT_EQ(truth.ambience().kind(), v1::AMBIENCE_KIND_RECORDING);
  EXPECT_EQ(truth.ambience().level_dbfs(), -55.0);
  EXPECT_EQ(truth.ambience().class_name(), SoundClasses()[static_cast<size_t>(recording.class_index)].name);
  EXPECT_EQ(truth.ambience().recording_group(), recording.group);
  EXPECT_EQ(truth.ambience().recording_path(), recording.path);
  EXPECT_FALSE(truth.ambience().has_slope_db());
  EXPECT_EQ(truth.microphone().gain_error_db_size(), 4);
  EXPECT_EQ(truth.microphone().gain_error_db(1), -2.0);
  EXPECT_EQ(truth.microphone().axis_error_deg(2), 8.0);
  EXPECT_EQ(truth.microphone().self_noise_dbfs(), -80.0);
  EXPECT_EQ(truth.microphone().array_radius_m(), 0.02);
  EXPECT_NEAR(truth.microphone().aliasing_hz(), 343.0 / (std::numbers::pi * 0.02), 1e-9);
  EXPECT_EQ(truth.microphone().overload_db(), 3.0);
  EXPECT_TRUE(truth.microphone().has_clipping_dbfs());
  EXPECT_EQ(truth.microphone().coding_law(), v1::SAMPLE_LAW_MU_LAW);
  EXPECT_EQ(truth.microphone().coding_bits(), 8u);
  plan.ambience->kind = v1::AMBIENCE_KIND_NOISE;
  plan.ambience->slope_db = 2.0;
  plan.microphone.reset();
  const v1::Scene other = Render(plan).truth;
  EXPECT_EQ(other.ambience().slope_db(), 2.0);
  EXPECT_FALSE(other.ambience().has_class_name());
  EXPECT_FALSE(other.has_microphone());
}

TEST(RenderScene, ABadMicrophoneIsRefusedByName) {
  ScenePlan plan = FreeFieldPlan({1, 0, 0});
  plan.microphone.emplace().array_radius_m = 1.0;
  const absl::Status status = RenderScene(plan, *SmallBank()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("microphone.array_radius_m = 1 is out of range [0.003, 0.1]"));
}

TEST(RenderScene, BedsAndFaultsDoNotDependOnTheOrder) {
  v1::SceneSpec spec;
  spec.add_durations_seconds(2.0);
  spec.mutable_ambience()->set_probability(0.8);
  v1::MicrophoneSpec& microphone = *spec.mutable_microphone();
  microphone.set_self_noise_probability(0.5);
  microphone.set_gain_error_probability(0.5);
  microphone.set_axis_error_probability(0.5);
  microphone.set_aliasing_probability(0.5);
  microphone.set_clipping_probability(0.5);
  microphone.set_coding_probability(0.5);
  std::vector<RenderedScene> forwards;
  for (uint64_t i = 0; i < 12; ++i) forwards.push_back(Render(PlanOf(spec, 9, i)));
  for (uint64_t i = 12; i-- > 0;) {
    const RenderedScene again = Render(PlanOf(spec, 9, i));
    EXPECT_EQ(again.audio.samples, forwards[i].audio.samples) << i;
    EXPECT_EQ(again.truth.SerializeAsString(), forwards[i].truth.SerializeAsString()) << i;
    for (float v : again.audio.samples) ASSERT_TRUE(std::isfinite(v));
  }
}

TEST(RenderScene, OfTwoSourcesEachIsTheOthersRest) {
  ScenePlan plan = FreeFieldPlan({1, 0, 0});
  plan.sources[0].recording = RecordingOf(3.0);
  plan.sources[0].onsets = {0.5};
  plan.sources.push_back(
      {.recording = RecordingOf(7.0), .position_m = plan.listener_m + Vec3{0, 2, 0}, .onsets = {0.0}});
  const RenderedScene scene = Render(plan);
  ASSERT_EQ(scene.truth.sources_size(), 2);
  // By onset: the one at 2 m first. Both at the same dry level: 6.02 dB apart.
  EXPECT_EQ(scene.truth.sources(0).id(), "s1");
  EXPECT_NEAR(scene.truth.sources(0).distance_m(), 2.0, 1e-9);
  EXPECT_NEAR(scene.truth.sources(0).frames(20).signal_to_rest_db(), -6.02, 1.0);
  EXPECT_NEAR(scene.truth.sources(1).frames(20).signal_to_rest_db(), 6.02, 1.0);
}

TEST(RenderScene, TruthRepeatsThePlanAndMeasuresTheRoom) {
  v1::SceneSpec spec;
  spec.set_name("rooms");
  spec.set_split("test");
  spec.set_free_field_probability(0.0);
  spec.add_durations_seconds(5.0);
  for (uint64_t index = 0; index < 20; ++index) {
    const ScenePlan plan = PlanOf(spec, 21, index);
    const RenderedScene scene = Render(plan);
    const v1::Scene& truth = scene.truth;
    EXPECT_EQ(truth.id(), "rooms-21-" + std::to_string(index));
    EXPECT_EQ(truth.split(), "test");
    EXPECT_EQ(truth.seed(), 21u);
    EXPECT_EQ(truth.index(), index);
    EXPECT_EQ(scene.audio.frames(), 80000u);
    EXPECT_EQ(truth.duration_seconds(), 5.0);
    ASSERT_EQ(static_cast<size_t>(truth.sources_size()), plan.sources.size());
    EXPECT_NEAR(truth.room().volume_m3(), plan.room.size_m.x * plan.room.size_m.y * plan.room.size_m.z, 1e-9);
    EXPECT_EQ(truth.room().wall_absorption_size(), 6);
    EXPECT_EQ(truth.room().t30_bands_size(), 6);
    ASSERT_EQ(truth.room().wall_materials_size(), 6);
    ASSERT_EQ(truth.room().band_absorption_size(), 7);
    for (int wall = 0; wall < 6; ++wall) {
      EXPECT_EQ(truth.room().wall_materials(wall), plan.room.materials[static_cast<size_t>(wall)]);
      for (int band = 0; band < 7; ++band) {
        ASSERT_EQ(truth.room().band_absorption(band).walls_size(), 6);
        EXPECT_EQ(truth.room().band_absorption(band).walls(wall),
                  plan.room.absorption[static_cast<size_t>(band)][static_cast<size_t>(wall)]);
      }
    }
    EXPECT_EQ(truth.room().band_absorption(3).centre_hz(), 1000.0);
    // An empty shoebox rings 0.7 to 1.7 times as long as statistics say, and longer where its walls differ.
    const double ratio = truth.room().t30_seconds() / MidEyringSeconds(plan.room);
    EXPECT_GT(ratio, 0.7) << index;
    EXPECT_LT(ratio, 2.5) << index;
    double last = 0.0;
    for (const v1::Source& s : truth.sources()) {
      ASSERT_GT(s.active_size(), 0);
      EXPECT_GE(s.active(0).start_seconds(), last);
      last = s.active(0).start_seconds();
      EXPECT_EQ(s.confidence(), 1.0f);
      EXPECT_EQ(s.motion(), v1::MOTION_KIND_STATIC);
      EXPECT_GE(FindSoundClass(s.class_name()), 0);
      EXPECT_EQ(s.class_label(), SoundClasses()[static_cast<size_t>(FindSoundClass(s.class_name()))].label);
      EXPECT_THAT(s.recording_group(), HasSubstr("-test"));
      EXPECT_TRUE(s.has_direct_to_reverberant_db());
      EXPECT_TRUE(FindDirectivity(s.directivity()).ok());
      EXPECT_TRUE(s.has_facing());
      const double dx = s.position().x() - truth.room().listener_m().x(),
                   dy = s.position().y() - truth.room().listener_m().y(),
                   dz = s.position().z() - truth.room().listener_m().z();
      EXPECT_NEAR(s.distance_m(), std::sqrt(dx * dx + dy * dy + dz * dz), 1e-9);
      EXPECT_NEAR(std::sin(s.direction().azimuth_deg() * std::numbers::pi / 180), dy / std::hypot(dx, dy), 1e-9);
      EXPECT_NEAR(std::sin(s.direction().elevation_deg() * std::numbers::pi / 180), dz / s.distance_m(), 1e-9);
    }
    for (float v : scene.audio.samples) ASSERT_TRUE(std::isfinite(v));
  }
}

// Scenes 0 to `scenes` - 1 of the spec: one after the other, the last first, against three threads.
void ExpectTheSameInAnyOrder(const v1::SceneSpec& spec, size_t scenes) {
  std::vector<RenderedScene> once(scenes), threaded(scenes);
  for (size_t i = scenes; i-- > 0;) once[i] = Render(PlanOf(spec, 5, i));
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = t; i < scenes; i += 3) threaded[i] = Render(PlanOf(spec, 5, i));
    });
  }
  for (std::thread& t : threads) t.join();
  for (size_t i = 0; i < scenes; ++i) {
    EXPECT_EQ(once[i].audio.samples, threaded[i].audio.samples) << i;
    EXPECT_EQ(once[i].truth.SerializeAsString(), threaded[i].truth.SerializeAsString()) << i;
    for (float v : once[i].audio.samples) ASSERT_TRUE(std::isfinite(v));
  }
}

TEST(RenderScene, SameSamplesAndTruthForAnyOrderAndNumberOfThreads) {
  v1::SceneSpec spec;
  spec.set_split("train");
  spec.add_durations_seconds(2.0);
  ExpectTheSameInAnyOrder(spec, 12);
}

TEST(RenderScene, PlansThatAreNoPlansAreRefused) {
  const auto message = [](const ScenePlan& plan) {
    return std::string(RenderScene(plan, *SmallBank()).status().message());
  };
  ScenePlan plan = FreeFieldPlan({1, 0, 0});
  plan.sources.clear();
  EXPECT_THAT(message(plan), HasSubstr("sources"));
  plan = FreeFieldPlan({1, 0, 0});
  plan.duration_seconds = 0.0;
  EXPECT_THAT(message(plan), HasSubstr("duration_seconds"));
  plan = FreeFieldPlan({1, 0, 0});
  plan.sources[0].onsets = {2.0, 1.0};
  EXPECT_THAT(message(plan), HasSubstr("onsets"));
  plan.sources[0].onsets = {};
  EXPECT_THAT(message(plan), HasSubstr("onsets"));
  plan.sources[0].onsets = {99.0};
  EXPECT_THAT(message(plan), HasSubstr("onsets"));
  plan = FreeFieldPlan({0, 0, 0});
  EXPECT_THAT(message(plan), HasSubstr("source_m"));
  plan = FreeFieldPlan({1, 0, 0});
  plan.ground = "gras";
  EXPECT_THAT(message(plan), HasSubstr("nearest are grass"));
  plan = FreeFieldPlan({1, 0, 0});
  plan.sources[0].directivity = "trumpet";
  EXPECT_THAT(message(plan), HasSubstr("directivity \"trumpet\""));
  plan = FreeFieldPlan({1, 0, 0});
  plan.ground = "grass";
  plan.sources[0].facing = {1, 1, 1};
  EXPECT_THAT(message(plan), HasSubstr("facing"));
  plan = FreeFieldPlan({1, 0, 0});
  plan.sources[0].recording = 100000;
  EXPECT_EQ(RenderScene(plan, *SmallBank()).status().code(), absl::StatusCode::kOutOfRange);
}

// --- motion ---

Trajectory Resting(Vec3 place) { return {.shape = PathShape::kStill, .points = {place}}; }

// The long recording from the start of the scene on, going as told.
ScenePlan MovingPlan(const Trajectory& trajectory) {
  ScenePlan plan = FreeFieldPlan({2, 0, 0});
  plan.sources[0].recording = RecordingOf(7.0);
  plan.sources[0].onsets = {0.0};
  plan.sources[0].position_m = trajectory.points.front();
  plan.sources[0].trajectory = trajectory;
  return plan;
}

// Direction of the intensity of W with X, Y, Z within one label row.
Vec3 IntensityOfRow(const audio::FoaClip& clip, size_t row) {
  std::array<double, 4> sum{};
  const size_t n = static_cast<size_t>(kRowSeconds * clip.sample_rate);
  for (size_t i = row * n; i < (row + 1) * n; ++i) {
    for (int c = 0; c < 4; ++c) sum[c] += static_cast<double>(clip.channel(0)[i]) * clip.channel(c)[i];
  }
  return {sum[3], sum[1], sum[2]};
}

void ExpectHeardWhereTheTruthSays(const RenderedScene& scene, double tolerance_deg) {
  int compared = 0;
  for (const v1::SourceFrame& frame : scene.truth.sources(0).frames()) {
    if (frame.activity() < 0.5f || frame.frame() == 0) continue;
    const Vec3 told = UnitVector(frame.direction().azimuth_deg(), frame.direction().elevation_deg());
    EXPECT_LT(AngleDeg(IntensityOfRow(scene.audio, frame.frame()), told), tolerance_deg) << frame.frame();
    ++compared;
  }
  EXPECT_GT(compared, 40);
}

TEST(RenderScene, AStillSceneHasTheSameBytesHoweverItsRestIsSaid) {
  v1::SceneSpec spec;
  spec.set_min_sources(2);
  spec.add_durations_seconds(2.0);
  for (uint64_t index = 0; index < 6; ++index) {
    const ScenePlan plan = PlanOf(spec, 8, index);
    ScenePlan told = plan;
    for (PlannedSource& source : told.sources) source.trajectory = Resting(source.position_m);
    told.listener_track = ListenerTrack{.trajectory = Resting(plan.listener_m), .turn = {}};
    const RenderedScene a = Render(plan), b = Render(told);
    EXPECT_EQ(a.audio.samples, b.audio.samples);
    EXPECT_EQ(a.truth.SerializeAsString(), b.truth.SerializeAsString());
    EXPECT_EQ(a.truth.listener_frames_size(), 0);
  }
}

TEST(RenderScene, ASourceGoingRoundIsHeardFromWhereTheTruthSaysAndMovesLeft) {
  const Vec3 ears = {0, 0, 1.5};
  const ScenePlan plan = MovingPlan({.shape = PathShape::kArc,
                                     .points = {ears + Vec3{2, 0, 0.5}, ears},
                                     .sweep_deg = 200,
                                     .start_seconds = 0.5,
                                     .speed_m_per_s = 2.0});
  const RenderedScene scene = Render(plan);
  ExpectHeardWhereTheTruthSays(scene, 1.0);
  const v1::Source& truth = scene.truth.sources(0);
  EXPECT_EQ(truth.motion(), v1::MOTION_KIND_MOVING_LEFT);
  const double distance = std::hypot(2.0, 0.5);
  for (const v1::SourceFrame& frame : truth.frames()) {
    EXPECT_NEAR(frame.distance_m(), distance, 1e-9);
    EXPECT_NEAR(frame.direction().elevation_deg(), Degrees(std::atan2(0.5, 2.0)), 1e-9);
    // A radian a second, less half of the ramp, seen when the sound arrives.
    const double gone = (frame.frame() + 0.5) * 0.1 - distance / kSpeedOfSound - 0.5 - 0.15;
    if (gone > 0.2 && gone < 3.0) {
      EXPECT_NEAR(std::remainder(frame.direction().azimuth_deg() - Degrees(gone), 360.0), 0.0, 1e-6);
    }
  }
  EXPECT_NEAR(truth.distance_m(), distance, 1e-9);
  EXPECT_NEAR(truth.position().x(), 2.0, 1e-9);
}

TEST(RenderScene, ADirectedSourceThatGoesRoundTheListenerFacesHimOnOneSideOnly) {
  const Vec3 ears = {0, 0, 1.5};
  ScenePlan plan = MovingPlan({.shape = PathShape::kArc,
                               .points = {ears + Vec3{2, 0, 0}, ears},
                               .sweep_deg = 180,
                               .start_seconds = 0.5,
                               .speed_m_per_s = 2.0});
  plan.ground = "grass";
  plan.sources[0].directivity = "cardioid";
  plan.sources[0].facing = {1, 0, 0};
  const RenderedScene scene = Render(plan);
  const auto level = [&](double seconds) {
    double sum = 0;
    for (size_t i = 0; i < 3200; ++i) {
      const double v = scene.audio.channel(audio::kW)[static_cast<size_t>(seconds * 16000) + i];
      sum += v * v;
    }
    return 10 * std::log10(sum / 3200);
  };
  // First ahead of the listener, facing away; then to his left, side-on; at last behind him, facing him.
  const double facing = level(4.5), side = level(0.5 + 0.15 + std::numbers::pi / 2 - 0.1), away = level(0.2);
  EXPECT_NEAR(facing, 20 * std::log10(0.25 / (8 * std::numbers::pi)), 1.5);
  EXPECT_NEAR(side - facing, -6.0, 1.0);
  EXPECT_LT(away - facing, -15.0);  // his image in the ground is not behind him
  EXPECT_EQ(scene.truth.sources(0).motion(), v1::MOTION_KIND_MOVING_LEFT);
  EXPECT_EQ(scene.truth.room().wall_materials(0), "grass");
}

TEST(RenderScene, ALeavingSourceRecedesAndArrivesEverLater) {
  ScenePlan plan = FreeFieldPlan({3.43, 0, 0});
  plan.sources[0].onsets = {0.5, 2.0, 3.5};
  plan.sources[0].trajectory =
      Trajectory{.shape = PathShape::kLine,
                 .points = {plan.listener_m + Vec3{3.43, 0, 0}, plan.listener_m + Vec3{90, 0, 0}},
                 .start_seconds = 0.0,
                 .speed_m_per_s = 15.0,
                 .ramp_seconds = 0.5};
  const RenderedScene scene = Render(plan);
  const v1::Source& truth = scene.truth.sources(0);
  EXPECT_EQ(truth.motion(), v1::MOTION_KIND_RECEDING);
  ASSERT_EQ(truth.active_size(), 3);
  for (int i = 0; i < 3; ++i) {
    const double onset = plan.sources[0].onsets[static_cast<size_t>(i)], distance = 3.43 + 15.0 * (onset - 0.25);
    EXPECT_NEAR(truth.active(i).start_seconds(), onset + distance / kSpeedOfSound, 1e-6);
    // Stretched by the Doppler factor: 1 + v / c.
    EXPECT_NEAR(truth.active(i).end_seconds() - truth.active(i).start_seconds(), 0.8 * (1 + 15.0 / kSpeedOfSound),
                1e-4);
  }
  // Mean over active rows only.
  double sum = 0, rows = 0;
  for (const v1::SourceFrame& frame : truth.frames()) {
    if (frame.activity() > 0.5f) sum += frame.distance_m(), rows += 1;
  }
  EXPECT_NEAR(truth.distance_m(), sum / rows, 1e-9);
}

TEST(RenderScene, ATurningListenerHearsThePlainSceneTurned) {
  ScenePlan still = MovingPlan(Resting({2, 1, 1.5}));
  still.sources[0].trajectory.reset();
  ScenePlan turning = still;
  turning.listener_track = ListenerTrack{
      .trajectory = Resting(still.listener_m),
      .turn = {.from_deg = 0, .sweep_deg = 90, .start_seconds = 1, .speed_deg_per_s = 60, .ramp_seconds = 0.3}};
  const RenderedScene a = Render(still), b = Render(turning);
  for (int c : {audio::kW, audio::kZ}) {
    EXPECT_TRUE(std::equal(a.audio.channel(c).begin(), a.audio.channel(c).end(), b.audio.channel(c).begin()));
  }
  ExpectHeardWhereTheTruthSays(b, 1.0);
  const v1::Source& truth = b.truth.sources(0);
  EXPECT_EQ(truth.motion(), v1::MOTION_KIND_MOVING_RIGHT);
  const double azimuth = Degrees(std::atan2(1.0, 2.0));
  EXPECT_NEAR(truth.frames(0).direction().azimuth_deg(), azimuth, 1e-9);
  EXPECT_NEAR(truth.frames(49).direction().azimuth_deg(), azimuth - 90, 1e-9);
  ASSERT_EQ(b.truth.listener_frames_size(), 50);
  EXPECT_NEAR(b.truth.listener_frames(0).yaw_deg(), 0.0, 1e-9);
  EXPECT_NEAR(b.truth.listener_frames(49).yaw_deg(), 90.0, 1e-9);
}

TEST(RenderScene, AWalkingListenerComesCloser) {
  ScenePlan plan = MovingPlan(Resting({6, 0.5, 1.5}));
  plan.listener_track = ListenerTrack{.trajectory = {.shape = PathShape::kLine,
                                                     .points = {plan.listener_m, plan.listener_m + Vec3{4, 0, 0}},
                                                     .start_seconds = 0.5,
                                                     .speed_m_per_s = 1.2},
                                      .turn = {.sweep_deg = -20, .start_seconds = 1}};
  const RenderedScene scene = Render(plan);
  ExpectHeardWhereTheTruthSays(scene, 1.0);
  EXPECT_EQ(scene.truth.sources(0).motion(), v1::MOTION_KIND_APPROACHING);
  EXPECT_NEAR(scene.truth.listener_frames(45).position().x(), 4.0, 1e-9);
  EXPECT_NEAR(scene.truth.sources(0).frames(48).distance_m(), std::hypot(2.0, 0.5), 1e-9);
  EXPECT_NEAR(scene.truth.room().listener_m().x(), 0.0, 1e-9);
}

TEST(RenderScene, MovingScenesAreTheSameForAnyNumberOfThreads) {
  v1::SceneSpec spec;
  spec.set_motion_probability(1.0);
  spec.set_listener_motion_probability(0.5);
  spec.add_durations_seconds(2.0);
  ExpectTheSameInAnyOrder(spec, 8);
}

TEST(RenderScene, WaysThroughWallsAndWithoutSenseAreRefusedByName) {
  v1::SceneSpec spec;
  spec.set_free_field_probability(0.0);
  spec.add_durations_seconds(3.0);
  const ScenePlan good = PlanOf(spec, 5, 1);
  const auto refusal = [](const ScenePlan& plan) {
    const absl::Status status = RenderScene(plan, *SmallBank()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  ScenePlan plan = good;
  plan.sources[0].trajectory =
      Trajectory{.shape = PathShape::kLine, .points = {plan.sources[0].position_m, {60, 1, 1}}, .speed_m_per_s = 25.0};
  EXPECT_THAT(refusal(plan), HasSubstr("sources[0].trajectory is at x = "));
  plan.sources[0].trajectory->points[0].z = std::nan("");
  EXPECT_THAT(refusal(plan), HasSubstr("sources[0].trajectory.points[0].z"));
  plan = FreeFieldPlan({2, 0, 0});
  plan.ground = "grass";
  plan.sources[0].trajectory =
      Trajectory{.shape = PathShape::kLine, .points = {{2, 0, 1}, {6, 0, 0.001}}, .speed_m_per_s = 5.0};
  EXPECT_THAT(refusal(plan), HasSubstr("sources[0].trajectory is at z = "));
  plan = good;
  plan.listener_track = ListenerTrack{.trajectory = Resting(good.listener_m), .turn = {.speed_deg_per_s = 200}};
  EXPECT_THAT(refusal(plan), HasSubstr("listener_track.turn.speed_deg_per_s = 200 is out of range (0, 120]"));
  plan.listener_track = ListenerTrack{.trajectory = {}, .turn = {}};
  EXPECT_THAT(refusal(plan), HasSubstr("listener_track.trajectory.points"));
}

}  // namespace
}  // namespace auricle::sim
