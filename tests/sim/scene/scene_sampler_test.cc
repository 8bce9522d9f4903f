#include "sim/scene/scene_sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include "sim/room/directivity.h"
#include "sim/room/materials.h"
#include "sim/scene/motion_sampler.h"
#include "sim/scene/room_sampler.h"
#include "sim/scene/trajectory.h"
#include "sim/source/dry_signal.h"
#include "tests/sim/scene/small_bank.h"

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;

void PrintTrajectory(const Trajectory& t, std::ostringstream& out) {
  out << " way " << static_cast<int>(t.shape) << ' ' << t.sweep_deg << ' ' << t.start_seconds << ' ' << t.speed_m_per_s
      << ' ' << t.ramp_seconds;
  for (Vec3 p : t.points) out << ' ' << p.x << ' ' << p.y << ' ' << p.z;
}

// Every number of a plan to full precision.
std::string Print(const ScenePlan& p) {
  std::ostringstream out;
  out << std::hexfloat << p.id << p.split << p.duration_seconds << p.free_field << ' ' << p.room.size_m.x << ' '
      << p.room.size_m.y << ' ' << p.room.size_m.z << ' ' << p.listener_m.x << ' ' << p.listener_m.y << ' '
      << p.listener_m.z << ' ' << p.noise_floor_dbfs << ' ' << p.noise_slope_db << ' ' << p.noise_key;
  for (const auto& band : p.room.absorption) {
    for (double a : band) out << ' ' << a;
  }
  out << ' ' << p.ground;
  for (std::string_view material : p.room.materials) out << ' ' << material;
  for (const PlannedSource& s : p.sources) {
    out << '\n'
        << s.directivity << ' ' << s.facing.x << ' ' << s.facing.y << ' ' << s.facing.z << ' ' << s.recording << ' '
        << s.position_m.x << ' ' << s.position_m.y << ' ' << s.position_m.z << ' ' << s.level_offset_db << ' '
        << s.speed << ' ' << s.tilt_db << ' ' << s.max_seconds << ' ' << s.excerpt << ' ' << s.key;
    for (double onset : s.onsets) out << ' ' << onset;
    if (s.trajectory) PrintTrajectory(*s.trajectory, out);
  }
  if (p.listener_track) {
    PrintTrajectory(p.listener_track->trajectory, out);
    const Turn& turn = p.listener_track->turn;
    out << " turn " << turn.from_deg << ' ' << turn.sweep_deg << ' ' << turn.start_seconds << ' '
        << turn.speed_deg_per_s << ' ' << turn.ramp_seconds;
  }
  if (p.ambience) {
    out << " bed " << p.ambience->kind << ' ' << p.ambience->level_dbfs << ' ' << p.ambience->slope_db << ' '
        << p.ambience->recording << ' ' << p.ambience->key;
  }
  if (p.microphone) {
    const PlannedMicrophone& m = *p.microphone;
    out << " microphone " << m.key << ' ' << m.self_noise_dbfs.value_or(0) << ' ' << m.array_radius_m.value_or(0) << ' '
        << m.overload_db.value_or(0) << ' ' << (m.coding ? m.coding->bits : 0);
    for (double db : m.gain_db.value_or(std::array<double, kCapsules>{})) out << ' ' << db;
    for (const CapsuleTilt& t : m.tilts.value_or(std::array<CapsuleTilt, kCapsules>{})) {
      out << ' ' << t.angle_deg << ' ' << t.towards_deg;
    }
  }
  return out.str();
}

ScenePlan Plan(const v1::SceneSpec& spec, uint64_t seed, uint64_t index) {
  auto plan = PlanScene(spec, *SmallBank(), seed, index);
  EXPECT_TRUE(plan.ok()) << plan.status();
  return plan.ok() ? *plan : ScenePlan{};
}

v1::SceneSpec Spec(const std::string& split) {
  v1::SceneSpec spec;
  spec.set_name("spec");
  spec.set_split(split);
  return spec;
}

TEST(PlanScene, FiveHundredScenesKeepToTheirRanges) {
  v1::SceneSpec spec = Spec("train");
  spec.set_max_sources(4);
  int free_fields = 0, sources = 0;
  double level = 0, level_square = 0;
  std::map<double, int> durations;
  std::map<size_t, int> counts;
  std::set<int> classes_seen, onsets_seen;
  for (uint64_t index = 0; index < 500; ++index) {
    const ScenePlan plan = Plan(spec, 3, index);
    EXPECT_EQ(plan.id, "spec-3-" + std::to_string(index));
    ++durations[plan.duration_seconds];
    ++counts[plan.sources.size()];
    free_fields += plan.free_field;
    // -34 dBFS is the direct sound of the nominal source at 1 m: 0.25 / (4 pi).
    EXPECT_GE(plan.noise_floor_dbfs, -34.03 - 60.0);
    EXPECT_LE(plan.noise_floor_dbfs, -34.02 - 25.0);
    EXPECT_GE(plan.listener_m.z, 1.0);
    EXPECT_LE(plan.listener_m.z, 2.0);
    const Vec3 size = plan.room.size_m;
    if (!plan.free_field) {
      EXPECT_TRUE(size.x >= 3 && size.x <= 12 && size.y >= 3 && size.y <= 10 && size.z >= 2.4 && size.z <= 4.5);
      // The mean of the octaves around 500 Hz and 1 kHz.
      const double eyring = 0.5 * (EyringSeconds(plan.room.Band(2)) + EyringSeconds(plan.room.Band(3)));
      EXPECT_GE(eyring, 0.15 * 0.999);
      EXPECT_LE(eyring, 1.0 * 1.001);
      const double clear = std::min(0.5, 0.2 * std::min(size.x, size.y));
      EXPECT_TRUE(plan.listener_m.x >= clear && plan.listener_m.x <= size.x - clear);
      EXPECT_TRUE(plan.listener_m.y >= clear && plan.listener_m.y <= size.y - clear);
    }
    std::set<int> classes;
    for (const PlannedSource& s : plan.sources) {
      const Recording& recording = SmallBank()->recordings()[static_cast<size_t>(s.recording)];
      EXPECT_EQ(recording.split, Split::kTrain);
      EXPECT_TRUE(classes.insert(recording.class_index).second) << "a class twice in one scene";
      classes_seen.insert(recording.class_index);
      const Vec3 to = s.position_m - plan.listener_m;
      EXPECT_GE(Norm(to), 0.5 - 1e-9);
      EXPECT_LE(Norm(to), 6.0 + 1e-9);
      EXPECT_GE(s.position_m.z, 0.2);
      if (plan.free_field) {
        EXPECT_LE(s.position_m.z, 4.0);
      } else {
        EXPECT_TRUE(s.position_m.x >= 0.2 && s.position_m.x <= size.x - 0.2);
        EXPECT_TRUE(s.position_m.y >= 0.2 && s.position_m.y <= size.y - 0.2);
        EXPECT_LE(s.position_m.z, size.z - 0.2);
      }
      for (const PlannedSource& other : plan.sources) {
        if (&other == &s) continue;
        const Vec3 to_other = other.position_m - plan.listener_m;
        const double cosine = Dot(to, to_other) / (Norm(to) * Norm(to_other));
        EXPECT_LE(cosine, std::cos(20.0 * std::numbers::pi / 180.0) + 1e-9);
      }
      EXPECT_NEAR(s.speed, 1.0, 0.07);
      EXPECT_NEAR(s.tilt_db, 0.0, 4.0);
      EXPECT_TRUE(s.excerpt >= 0.0 && s.excerpt <= 1.0);
      level += s.level_offset_db;
      level_square += s.level_offset_db * s.level_offset_db;
      ++sources;
      ASSERT_FALSE(s.onsets.empty());
      EXPECT_LE(s.onsets.size(), 4u);
      onsets_seen.insert(static_cast<int>(s.onsets.size()));
      for (size_t i = 0; i < s.onsets.size(); ++i) {
        EXPECT_GE(s.onsets[i], i == 0 ? 0.0 : s.onsets[i - 1] + s.max_seconds);
        EXPECT_LT(s.onsets[i] + 0.2, plan.duration_seconds);
      }
    }
  }
  // Binomial and normal bounds of four standard deviations.
  EXPECT_NEAR(free_fields / 500.0, 0.1, 4 * std::sqrt(0.09 / 500));
  ASSERT_EQ(durations.size(), 2u);
  EXPECT_NEAR(durations[5.0] / 500.0, 0.5, 4 * std::sqrt(0.25 / 500));
  for (size_t n = 1; n <= 4; ++n) EXPECT_NEAR(counts[n] / 500.0, 0.25, 4 * std::sqrt(0.1875 / 500));
  EXPECT_NEAR(level / sources, 0.0, 4 * 4.0 / std::sqrt(sources));
  EXPECT_NEAR(std::sqrt(level_square / sources), 4.0, 4 * 4.0 / std::sqrt(2.0 * sources));
  EXPECT_EQ(classes_seen.size(), 6u);
  EXPECT_EQ(onsets_seen.size(), 4u);
}

TEST(PlanScene, SurfacesAreOfMaterialsThatBelongThere) {
  const auto allowed = [](Boundary boundary) {
    std::set<std::string_view> names;
    for (const Material* m : MaterialsFor(boundary)) names.insert(m->name);
    return names;
  };
  const std::set<std::string_view> walls = allowed(Boundary::kWall), floors = allowed(Boundary::kFloor),
                                   ceilings = allowed(Boundary::kCeiling), grounds = allowed(Boundary::kGround);
  std::set<std::string_view> seen;
  v1::SceneSpec spec = Spec("train");
  spec.set_free_field_probability(0.2);
  for (uint64_t index = 0; index < 300; ++index) {
    const ScenePlan plan = Plan(spec, 8, index);
    if (plan.free_field) {
      EXPECT_TRUE(grounds.contains(plan.ground)) << plan.ground;
      seen.insert(*grounds.find(plan.ground));
      continue;
    }
    EXPECT_TRUE(plan.ground.empty());
    for (size_t wall = 0; wall < 4; ++wall) EXPECT_TRUE(walls.contains(plan.room.materials[wall]));
    EXPECT_TRUE(floors.contains(plan.room.materials[4]));
    EXPECT_TRUE(ceilings.contains(plan.room.materials[5]));
    seen.insert(plan.room.materials.begin(), plan.room.materials.end());
    // Scaling keeps the order of any two walls in a band, as far as the bounds let it.
    const auto room = RoomOfMaterials(plan.room.size_m, plan.room.materials);
    ASSERT_TRUE(room.ok());
    for (size_t band = 0; band < kBands; ++band) {
      for (size_t wall = 0; wall < 6; ++wall) {
        EXPECT_GT(plan.room.absorption[band][wall], 0.0);
        EXPECT_LE(plan.room.absorption[band][wall], 0.99);
        for (size_t other = 0; other < 6; ++other) {
          if (room->absorption[band][wall] < room->absorption[band][other]) {
            EXPECT_LE(plan.room.absorption[band][wall], plan.room.absorption[band][other]);
          }
        }
      }
    }
  }
  EXPECT_GT(seen.size(), 30u);
}

TEST(PlanScene, VoicesTalkNatureIsAllAroundAndTheSpecDecidesOnTheRest) {
  for (double probability : {0.0, 1.0}) {
    v1::SceneSpec spec = Spec("train");
    spec.set_directed_probability(probability);
    Random random(1, 2, "directivity");
    for (const SoundClass& sound : SoundClasses()) {
      const std::string_view name = DrawDirectivity(spec, sound, random);
      if (sound.name == "speech" || sound.name == "baby") {
        EXPECT_EQ(name, "talker");
      } else if (sound.name == "rain" || probability == 0.0) {
        EXPECT_EQ(name,
                  sound.name == "cough" || sound.name == "scream" || sound.name == "laughter" ? "talker" : "omni");
      } else if (sound.name == "piano") {
        EXPECT_THAT(std::string(name), HasSubstr("cardioid"));
      }
    }
    for (uint64_t index = 0; index < 20; ++index) {
      for (const PlannedSource& s : Plan(spec, 4, index).sources) {
        EXPECT_TRUE(FindDirectivity(s.directivity).ok());
        EXPECT_NEAR(Norm(s.facing), 1.0, 1e-12);
        EXPECT_LE(std::abs(ElevationDeg(s.facing)), 30.0 + 1e-9);
      }
    }
  }
}

TEST(PlanScene, IsTheSameForAnyOrderAndNumberOfThreads) {
  v1::SceneSpec spec = Spec("train");
  spec.set_motion_probability(0.5);
  spec.set_listener_motion_probability(0.5);
  std::vector<std::string> forwards(60), backwards(60), threaded(60);
  for (size_t i = 0; i < 60; ++i) forwards[i] = Print(Plan(spec, 9, i));
  for (size_t i = 60; i-- > 0;) backwards[i] = Print(Plan(spec, 9, i));
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = t; i < 60; i += 4) threaded[i] = Print(Plan(spec, 9, i));
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(forwards, backwards);
  EXPECT_EQ(forwards, threaded);
  EXPECT_NE(forwards[0], Print(Plan(spec, 10, 0)));
}

v1::SceneSpec MovingSpec() {
  v1::SceneSpec spec = Spec("train");
  spec.set_motion_probability(1.0);
  spec.set_listener_motion_probability(1.0);
  return spec;
}

TEST(PlanScene, MotionChangesNothingElseOfAPlan) {
  for (uint64_t index = 0; index < 40; ++index) {
    ScenePlan moving = Plan(MovingSpec(), 5, index);
    moving.listener_track.reset();
    for (PlannedSource& source : moving.sources) source.trajectory.reset();
    EXPECT_EQ(Print(moving), Print(Plan(Spec("train"), 5, index))) << index;
  }
}

TEST(PlanScene, NothingMovesByDefaultAndTheStatedShareOtherwise) {
  v1::SceneSpec half = Spec("train");
  half.set_motion_probability(0.5);
  half.set_listener_motion_probability(0.25);
  int sources = 0, moving = 0, listeners = 0;
  constexpr int kScenes = 300;
  for (uint64_t index = 0; index < kScenes; ++index) {
    const ScenePlan still = Plan(Spec("train"), 6, index);
    EXPECT_FALSE(still.listener_track.has_value());
    for (const PlannedSource& source : still.sources) EXPECT_FALSE(source.trajectory.has_value());
    const ScenePlan plan = Plan(half, 6, index);
    listeners += plan.listener_track.has_value();
    for (const PlannedSource& source : plan.sources) ++sources, moving += source.trajectory.has_value();
  }
  // Four standard deviations, and a few per cent that find no way.
  const double share = static_cast<double>(moving) / sources, deviation = 4 * std::sqrt(0.25 / sources);
  EXPECT_GT(share, 0.5 - deviation - 0.04);
  EXPECT_LT(share, 0.5 + deviation);
  const double of_listeners = static_cast<double>(listeners) / kScenes;
  EXPECT_NEAR(of_listeners, 0.25, 4 * std::sqrt(0.1875 / kScenes) + 0.03);
}

TEST(PlanScene, WhatMovesKeepsClearOfWallsAndListenerAndToItsSpeed) {
  std::set<PathShape> shapes;
  int turns = 0, walks = 0;
  for (uint64_t index = 0; index < 200; ++index) {
    const ScenePlan plan = Plan(MovingSpec(), 7, index);
    const Vec3 size = plan.room.size_m;
    const Path listener(plan.listener_track ? plan.listener_track->trajectory
                                            : Trajectory{.points = {plan.listener_m}});
    EXPECT_EQ(Norm(listener.At(0.0).place_m - plan.listener_m), 0.0);
    if (plan.listener_track) {
      const Turn& turn = plan.listener_track->turn;
      turns += Turns(turn), walks += listener.moves();
      EXPECT_TRUE(Turns(turn) || listener.moves());
      EXPECT_TRUE(Validate(turn, "turn").ok());
      EXPECT_EQ(YawDeg(turn, 0.0), 0.0);
      EXPECT_LE(listener.top_speed(), 2.5);
    }
    for (const PlannedSource& source : plan.sources) {
      const Path path(source.trajectory.value_or(Trajectory{.points = {source.position_m}}));
      if (source.trajectory) {
        shapes.insert(source.trajectory->shape);
        EXPECT_TRUE(Validate(*source.trajectory, "way").ok());
        EXPECT_GE(source.trajectory->speed_m_per_s, 0.3);
        EXPECT_LE(source.trajectory->speed_m_per_s, 2.5);
        // It goes while it sounds, from where it was drawn to be.
        EXPECT_LT(Norm(path.At(source.onsets.front()).place_m - source.position_m), 1e-9);
        EXPECT_GT(Norm(path.At(source.onsets.back() + source.max_seconds).velocity) + path.length_m(), 0.0);
        EXPECT_LT(source.trajectory->start_seconds, source.onsets.back() + source.max_seconds);
      }
      for (double t = 0.0; t <= plan.duration_seconds; t += 0.01) {
        const Vec3 p = path.At(t).place_m, q = listener.At(t).place_m;
        ASSERT_GE(Norm(p - q), 0.5 - 0.001) << plan.id;
        ASSERT_GE(p.z, 0.2 - 0.001) << plan.id;
        if (plan.free_field) continue;
        for (const auto& [value, side] : {std::pair{p.x, size.x}, {p.y, size.y}, {p.z, size.z}}) {
          ASSERT_GE(value, 0.2 - 0.001) << plan.id;
          ASSERT_LE(value, side - 0.2 + 0.001) << plan.id;
        }
      }
    }
  }
  EXPECT_EQ(shapes.size(), 3u);
  EXPECT_GT(turns, 80);
  EXPECT_GT(walks, 60);
}

TEST(PlanScene, FastSourcesDrivePastOutdoorsAndAreWalkersInRooms) {
  v1::SceneSpec spec = Spec("train");
  spec.set_motion_probability(1.0);
  spec.mutable_speed_m_per_s()->set_min(8.0);
  spec.mutable_speed_m_per_s()->set_max(30.0);
  spec.set_free_field_probability(0.5);
  int driving = 0;
  for (uint64_t index = 0; index < 60; ++index) {
    const ScenePlan plan = Plan(spec, 8, index);
    for (const PlannedSource& source : plan.sources) {
      if (!source.trajectory) continue;
      const Path path(*source.trajectory);
      if (!plan.free_field) {
        EXPECT_EQ(source.trajectory->speed_m_per_s, 2.5);
        continue;
      }
      ++driving;
      for (double t = 0.0; t <= plan.duration_seconds; t += 0.5)
        EXPECT_NEAR(Norm(path.At(t).velocity), source.trajectory->speed_m_per_s, 1e-9);
      // It comes by while it sounds.
      double nearest = 1e9, when = 0.0;
      for (double t = 0.0; t <= plan.duration_seconds; t += 0.001) {
        const double d = Norm(path.At(t).place_m - plan.listener_m);
        if (d < nearest) nearest = d, when = t;
      }
      EXPECT_LE(nearest, Norm(source.position_m - plan.listener_m) + 0.001);
      EXPECT_GE(when, source.onsets.front() - 0.5);
      EXPECT_LE(when, source.onsets.back() + source.max_seconds + 0.5);
    }
  }
  EXPECT_GT(driving, 20);
}

TEST(PlanScene, SplitsShareNeitherRoomsNorRecordings) {
  std::set<double> rooms;
  std::set<std::string> groups;
  size_t sources = 0;
  for (const char* split : {"train", "validation", "test"}) {
    std::set<std::string> own;
    for (uint64_t i = 0; i < 50; ++i) {
      v1::SceneSpec spec = Spec(split);
      spec.set_free_field_probability(0.0);
      const ScenePlan plan = Plan(spec, 3, i);  // the same seeds for each split
      EXPECT_TRUE(rooms.insert(plan.room.size_m.x).second);
      for (const PlannedSource& s : plan.sources) {
        own.insert(SmallBank()->recordings()[static_cast<size_t>(s.recording)].group);
        if (std::string(split) != "train") {
          EXPECT_EQ(s.speed, 1.0);
          EXPECT_EQ(s.tilt_db, 0.0);
        }
      }
    }
    sources += own.size();
    groups.merge(own);
  }
  EXPECT_EQ(groups.size(), sources);
}

TEST(PlanScene, ClassesNarrowTheDraw) {
  v1::SceneSpec spec = Spec("test");
  spec.add_classes(SoundClasses()[2].name);
  spec.add_classes(SoundClasses()[4].name);
  spec.set_max_sources(2);
  for (uint64_t i = 0; i < 30; ++i) {
    for (const PlannedSource& s : Plan(spec, 1, i).sources) {
      const int c = SmallBank()->recordings()[static_cast<size_t>(s.recording)].class_index;
      EXPECT_TRUE(c == 2 || c == 4);
    }
  }
}

TEST(PlanScene, WhatCannotBeDrawnIsRefusedByName) {
  const auto refusal = [&](const v1::SceneSpec& spec) { return PlanScene(spec, *SmallBank(), 1, 1).status(); };
  v1::SceneSpec spec = Spec("test");
  spec.add_classes("unicorn");
  EXPECT_EQ(refusal(spec).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refusal(spec).message()), HasSubstr("classes names \"unicorn\""));

  spec = Spec("test");
  spec.add_classes(SoundClasses()[20].name);  // in the vocabulary, not in the bank
  EXPECT_THAT(std::string(refusal(spec).message()), HasSubstr("classes names"));

  spec = Spec("test");
  spec.add_classes(SoundClasses()[0].name);
  EXPECT_EQ(refusal(spec).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refusal(spec).message()), HasSubstr("max_sources = 3"));

  spec = Spec("test");
  spec.set_free_field_probability(0.0);
  spec.mutable_distance_m()->set_min(18.0);  // in a room of at most 12 m by 10 m by 4.5 m
  spec.mutable_distance_m()->set_max(20.0);
  EXPECT_EQ(refusal(spec).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refusal(spec).message()), HasSubstr("distance_m"));

  spec = Spec("test");
  spec.set_level_sd_db(20.0);
  EXPECT_THAT(std::string(refusal(spec).message()), HasSubstr("level_sd_db"));
}

}  // namespace
}  // namespace auricle::sim
