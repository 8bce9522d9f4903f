// What people get wrong about scenes, each with the error that names the field and what is allowed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "model/audio/audio_file.h"
#include "sim/render/scene_renderer.h"
#include "sim/room/materials.h"
#include "sim/room/response.h"
#include "sim/scene/scene_sampler.h"
#include "sim/scene/scene_spec.h"
#include "sim/source/source_bank.h"
#include "tests/sim/scene/small_bank.h"

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;

const double kNaN = std::nan(""), kInfinity = std::numeric_limits<double>::infinity();

struct Case {
  std::string what;
  std::function<absl::Status()> run;
  // Parts of the message: the field, then its range or what would be right.
  std::vector<std::string> words;
  absl::StatusCode code = absl::StatusCode::kInvalidArgument;
};

void ExpectRefused(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const absl::Status status = c.run();
    EXPECT_EQ(status.code(), c.code) << c.what << ": " << status;
    for (const std::string& words : c.words) EXPECT_THAT(std::string(status.message()), HasSubstr(words)) << c.what;
  }
}

// A room of 6 x 5 x 3 m with one source at rest.
ScenePlan GoodPlan() {
  ScenePlan plan;
  plan.id = "bad-input";
  plan.split = "test";
  plan.duration_seconds = 1.0;
  plan.listener_m = {3, 2.5, 1.5};
  for (auto& band : plan.room.absorption) band.fill(0.4);
  plan.sources.push_back({.recording = 0, .position_m = {1, 1, 1}, .onsets = {0.1}});
  return plan;
}

absl::Status Refusal(const std::function<void(ScenePlan&)>& spoil) {
  ScenePlan plan = GoodPlan();
  spoil(plan);
  return RenderScene(plan, *SmallBank()).status();
}

absl::Status SpecRefusal(const std::function<void(v1::SceneSpec&)>& spoil) {
  v1::SceneSpec spec = WithDefaults({});
  spoil(spec);
  return PlanScene(spec, *SmallBank(), 1, 1).status();
}

void SetRange(v1::Range* range, double min, double max) {
  range->set_min(min);
  range->set_max(max);
}

TEST(BadInput, TheRoomThatIsSpoiledBelowIsGood) {
  EXPECT_TRUE(Refusal([](ScenePlan&) {}).ok());
}

TEST(BadInput, PlacesOutsideTheRoomOrTooCloseAreRefused) {
  const std::string x = "out of range [0.01, 5.99]", y = "out of range [0.01, 4.99]", z = "out of range [0.01, 2.99]";
  const auto source = [](Vec3 place) {
    return [=] { return Refusal([=](ScenePlan& p) { p.sources[0].position_m = place; }); };
  };
  const auto listener = [](Vec3 place) { return [=] { return Refusal([=](ScenePlan& p) { p.listener_m = place; }); }; };
  ExpectRefused({
      {"source outside", source({7, 1, 1}), {"sources[0]: source_m.x = 7", x}},
      {"source below the floor", source({1, 1, -0.5}), {"sources[0]: source_m.z = -0.5", z}},
      {"source 5 mm from a wall", source({1, 4.995, 1}), {"source_m.y = 4.995", y}},
      {"source nowhere", source({kNaN, 1, 1}), {"source_m.x = nan", x}},
      {"listener outside", listener({3, -1, 1}), {"listener_m.y = -1", y}},
      {"listener 5 mm from the ceiling", listener({3, 2, 2.995}), {"listener_m.z = 2.995", z}},
      {"listener at infinity", listener({kInfinity, 2, 1}), {"listener_m.x = inf", x}},
      {"source in the listener's ear",
       source({3, 2.5, 1.505}),
       {"source_m is 0.005 m from listener_m", "at least 0.01 m"}},
      {"source where the listener is", source({3, 2.5, 1.5}), {"source_m is 0 m from listener_m", "at least 0.01 m"}},
      {"second source outside",
       [] {
         return Refusal([](ScenePlan& p) {
           p.sources.push_back(p.sources[0]);
           p.sources[1].position_m.z = 3.5;
         });
       },
       {"sources[1]: source_m.z = 3.5", z}},
      {"source under the ground",
       [] {
         return Refusal([](ScenePlan& p) {
           p.free_field = true;
           p.ground = "grass";
           p.sources[0].position_m.z = 0.005;
         });
       },
       {"source_m.z = 0.005"}},
  });
}

TEST(BadInput, RoomsOfNoSizeOrAKilometreAreRefused) {
  std::vector<Case> cases;
  const std::vector<std::pair<std::string, double Vec3::*>> axes = {{"x", &Vec3::x}, {"y", &Vec3::y}, {"z", &Vec3::z}};
  for (const auto& [name, axis] : axes) {
    for (double size : {0.0, -3.0, kNaN, 1000.0, kInfinity}) {
      cases.push_back({"room size " + name + " " + std::to_string(size),
                       [axis = axis, size] { return Refusal([=](ScenePlan& p) { p.room.size_m.*axis = size; }); },
                       {"size_m." + name + " = ", "out of range (0.5, 100]"}});
    }
  }
  for (double size : {0.0, -3.0, kNaN, 1000.0}) {
    const auto spec = [size](v1::Range* (v1::SceneSpec::*range)(), bool low) {
      return [=] {
        return SpecRefusal([=](v1::SceneSpec& s) { SetRange((s.*range)(), low ? size : 3.0, low ? 4.0 : size); });
      };
    };
    for (const auto& [name, range] : {std::pair{"room_length_m", &v1::SceneSpec::mutable_room_length_m},
                                      {"room_width_m", &v1::SceneSpec::mutable_room_width_m},
                                      {"room_height_m", &v1::SceneSpec::mutable_room_height_m}}) {
      cases.push_back({name, spec(range, true), {std::string(name) + ".min = ", "out of range [2, 50]"}});
      cases.push_back({name, spec(range, false), {std::string(name) + ".max = ", "out of range [2, 50]"}});
    }
  }
  ExpectRefused(cases);
}

TEST(BadInput, WallsThatTakeNothingOrMoreThanAllAreRefused) {
  std::vector<Case> cases;
  for (double absorption : {0.0, 1.01, -0.2, kNaN}) {
    cases.push_back({"absorption " + std::to_string(absorption),
                     [=] { return Refusal([=](ScenePlan& p) { p.room.absorption[3][1] = absorption; }); },
                     {"room: band 3: absorption.x1 = ", "out of range (0, 1]"}});
    cases.push_back({"ground absorption " + std::to_string(absorption),
                     [=] {
                       GroundOptions options;
                       options.absorption[2] = absorption;
                       return Validate(options);
                     },
                     {"absorption[2] = ", "(0, 1]"}});
  }
  cases.push_back({"air that amplifies",
                   [] { return Refusal([](ScenePlan& p) { p.room.air_db_per_m[6] = -0.1; }); },
                   {"air_db_per_m[6] = -0.1", "out of range [0, 1]"}});
  ExpectRefused(cases);
}

// Eyring: 24 ln(10) V / (-c S ln(1 - a)), at a = 0.99 and a = 0.005.
TEST(BadInput, ReverberationThatTheVolumeCannotHaveIsRefusedWithTheRoom) {
  ExpectRefused({
      {"dry cathedral",
       [] {
         return SpecRefusal([](v1::SceneSpec& s) {
           for (v1::Range* side : {s.mutable_room_length_m(), s.mutable_room_width_m(), s.mutable_room_height_m()})
             SetRange(side, 3.0, 50.0);
           SetRange(s.mutable_reverberation_seconds(), 0.2, 1.0);
         });
       },
       {"reverberation_seconds.min = 0.2", "out of range [0.292, ", "50 x 50 x 50 m cannot ring for less"}},
      {"no time at all",
       [] { return SpecRefusal([](v1::SceneSpec& s) { SetRange(s.mutable_reverberation_seconds(), 0.0, 1.0); }); },
       {"reverberation_seconds.min = 0", "out of range [0.1, 2]"}},
      {"not a number",
       [] { return SpecRefusal([](v1::SceneSpec& s) { SetRange(s.mutable_reverberation_seconds(), 0.2, kNaN); }); },
       {"reverberation_seconds.max = nan", "out of range [0.1, 2]"}},
      {"ringing closet",
       [] {
         BandedRoom room = GoodPlan().room;
         room.size_m = {1.0, 1.0, 2.0};
         return ScaleToReverberation(30.0, room);
       },
       {"reverberation_seconds = 30", "out of range [", "for a room of 1 x 1 x 2 m"}},
      {"dry hall",
       [] {
         BandedRoom room = GoodPlan().room;
         room.size_m = {90.0, 60.0, 30.0};
         return ScaleToReverberation(0.1, room);
       },
       {"reverberation_seconds = 0.1", "out of range [", "for a room of 90 x 60 x 30 m"}},
  });
}

TEST(BadInput, WaysOutOfTheRoomAreRefusedWithTheTime) {
  const auto way = [](Trajectory trajectory) {
    return [=] { return Refusal([=](ScenePlan& p) { p.sources[0].trajectory = trajectory; }); };
  };
  ExpectRefused({
      {"through the wall",
       way({.shape = PathShape::kLine, .points = {{1, 1, 1}, {9, 1, 1}}, .speed_m_per_s = 20.0}),
       {"sources[0].trajectory is at x = ", " s: out of range [0.01, 5.99]"}},
      {"through the listener",
       way({.shape = PathShape::kLine, .points = {{1, 2.5, 1.5}, {5, 2.5, 1.5}}, .speed_m_per_s = 10.0}),
       {"sources[0].trajectory is ", "m from the listener at ", "at least 0.01 m"}},
      {"nowhere",
       way({.shape = PathShape::kLine, .points = {{1, 1, 1}, {kNaN, 1, 1}}, .speed_m_per_s = 1.0}),
       {"sources[0].trajectory.points[1].x = nan", "out of range"}},
      {"too fast",
       way({.shape = PathShape::kLine, .points = {{1, 1, 1}, {2, 1, 1}}, .speed_m_per_s = 340.0}),
       {"sources[0].trajectory.speed_m_per_s = 340", "(0, 30]"}},
      {"listener through the wall",
       [] {
         return Refusal([](ScenePlan& p) {
           p.listener_track = ListenerTrack{
               .trajectory = {.shape = PathShape::kLine, .points = {p.listener_m, {3, 8, 1.5}}, .speed_m_per_s = 20.0},
               .turn = {}};
         });
       },
       {"listener_track.trajectory is at y = ", "out of range [0.01, 4.99]"}},
  });
}

TEST(BadInput, PlansThatMakeNoSenseAreRefused) {
  ExpectRefused({
      {"no time", [] { return Refusal([](ScenePlan& p) { p.duration_seconds = kNaN; }); }, {"duration_seconds = nan"}},
      {"no rate", [] { return Refusal([](ScenePlan& p) { p.sample_rate = -1; }); }, {"sample", "8000"}},
      {"no level",
       [] { return Refusal([](ScenePlan& p) { p.sources[0].level_offset_db = kNaN; }); },
       {"sources[0].level_offset_db = nan", "[-120, 120]"}},
      {"no noise level",
       [] { return Refusal([](ScenePlan& p) { p.noise_floor_dbfs = kInfinity; }); },
       {"noise_floor_dbfs = inf", "[-200, 0]"}},
      {"noise that rises",
       [] { return Refusal([](ScenePlan& p) { p.noise_slope_db = -6; }); },
       {"noise_slope_db = -6"}},
      {"no onset",
       [] { return Refusal([](ScenePlan& p) {
              p.sources[0].onsets = {0.1, kNaN};
            }); },
       {"sources[0].onsets: nan is out of range [0.1, 60]"}},
      {"unknown pattern",
       [] { return Refusal([](ScenePlan& p) { p.sources[0].directivity = "trumpet"; }); },
       {"sources[0]: directivity \"trumpet\""}},
      {"unknown recording",
       [] { return Refusal([](ScenePlan& p) { p.sources[0].recording = 12345; }); },
       {"recording: 12345", "must be 0 to"},
       absl::StatusCode::kOutOfRange},
  });
}

TEST(BadInput, BedsAndMicrophonesThatThereCannotBeAreRefusedBeforeAnythingIsRendered) {
  const auto bed = [](const std::function<void(PlannedAmbience&)>& spoil) {
    return [=] {
      ScenePlan plan = GoodPlan();
      spoil(plan.ambience.emplace());
      return Validate(plan);
    };
  };
  const auto microphone = [](const std::function<void(PlannedMicrophone&)>& spoil) {
    return [=] {
      ScenePlan plan = GoodPlan();
      spoil(plan.microphone.emplace());
      return Validate(plan);
    };
  };
  ExpectRefused({
      {"no kind", bed([](auto& a) { a.kind = v1::AMBIENCE_KIND_UNSPECIFIED; }), {"ambience.kind = 0"}},
      {"unknown kind", bed([](auto& a) { a.kind = static_cast<v1::AmbienceKind>(17); }), {"ambience.kind = 17"}},
      {"level", bed([](auto& a) { a.level_dbfs = kNaN; }), {"ambience.level_dbfs = nan is out of range [-200, 0]"}},
      {"loud", bed([](auto& a) { a.level_dbfs = 3.0; }), {"ambience.level_dbfs = 3"}},
      {"slope", bed([](auto& a) { a.slope_db = -1.0; }), {"ambience.slope_db = -1 is out of range [0, 6]"}},
      {"gain",
       microphone([](auto& m) { m.gain_db.emplace()[3] = kNaN; }),
       {"microphone.gain_db = nan is out of range [-60, 60]"}},
      {"tilt",
       microphone([](auto& m) { m.tilts.emplace()[2].angle_deg = 200.0; }),
       {"microphone.tilts.angle_deg = 200 is out of range [0, 180]"}},
      {"noise", microphone([](auto& m) { m.self_noise_dbfs = 1.0; }), {"microphone.self_noise_dbfs = 1"}},
      {"radius",
       microphone([](auto& m) { m.array_radius_m = 0.0; }),
       {"microphone.array_radius_m = 0 is out of range [0.003, 0.1]"}},
      {"overload",
       microphone([](auto& m) { m.overload_db = kInfinity; }),
       {"microphone.overload_db = inf is out of range [0, 30]"}},
      {"bits",
       microphone([](auto& m) { m.coding = SampleCoding{.law = v1::SAMPLE_LAW_LINEAR, .bits = 4}; }),
       {"microphone.coding.bits = 4 is out of range [8, 16]"}},
      {"no recording",
       [] {
         return Refusal([](ScenePlan& p) {
           p.ambience.emplace();
           p.ambience->kind = v1::AMBIENCE_KIND_RECORDING;
           p.ambience->recording = 12345;
         });
       },
       {"recording: 12345", "must be 0 to"},
       absl::StatusCode::kOutOfRange},
  });
}

TEST(BadInput, UnknownNamesAreRefusedAndWhatIsKnownIsSaid) {
  static constexpr std::array<std::string_view, 6> kWalls = {"brick_painted", "brick_painted", "brick_painted",
                                                             "brick_painted", "parket",        "brick_painted"};
  ExpectRefused({
      {"class",
       [] { return SpecRefusal([](v1::SceneSpec& s) { s.add_classes("unicorn"); }); },
       {"classes names \"unicorn\""}},
      {"ground",
       [] { return Refusal([](ScenePlan& p) { p.free_field = true, p.ground = "gras"; }); },
       {"material \"gras\" is not in the table", "grass"}},
      {"wall material",
       [] {
         return RoomOfMaterials({6, 5, 3}, kWalls).status();
       },
       {"materials.z0: material \"parket\" is not in the table", "parquet"}},
      {"split",
       [] { return SpecRefusal([](v1::SceneSpec& s) { s.set_split("dev"); }); },
       {"split = \"dev\"", "\"train\""}},
      {"spec field",
       [] { return ParseSceneSpec(R"({"reverberation": {"min": 0.2, "max": 0.4}})").status(); },
       {"reverberation"}},
  });
}

// A bank of one class, of which every recording is spoiled in its own way.
TEST(BadInput, EmptyAndCorruptRecordingsAreNamed) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(::testing::TempDir()) / "bad_input_bank";
  fs::remove_all(folder);
  fs::create_directories(folder / "audio");
  const auto store = [&](const std::string& name, const std::string& bytes) {
    std::ofstream(folder / "audio" / name, std::ios::binary) << bytes;
  };
  ASSERT_TRUE(audio::WriteFoaFile((folder / "audio/silent.wav").string(), audio::MakeSilentClip(16000, 16000)).ok());
  // A WAV of 16 kHz, mono, 16 bit, without a sample.
  store("no_samples.wav",
        std::string("RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data\0\0\0\0", 44));
  store("empty.wav", "");
  store("text.wav", "this is no sound");
  store("cut.flac", std::string("fLaC\0\0\0\x22", 8));
  for (const std::string name : {"silent.wav", "no_samples.wav", "empty.wav", "text.wav", "cut.flac", "missing.wav"}) {
    std::ofstream table(folder / "bank.tsv", std::ios::binary);
    table << "class\tgroup\tsplit\tkind\tweight\tlicence\tseconds\thighpass_hz\tstart_seconds\tend_"
             "seconds\torigin\tpath\tauthor\ttitle\n";
    table << "dog\tg\ttrain\tfield\t1.0\tCC0\t1\t0\t0\t0\there\taudio/" << name << "\tnobody\tnoise\n";
    table.close();
    const auto bank = SourceBank::Open(folder.string());
    ASSERT_TRUE(bank.ok()) << bank.status();
    v1::SceneSpec spec;
    spec.set_max_sources(1);
    const absl::Status status = PlanScene(spec, **bank, 1, 1).status();
    EXPECT_EQ(status.code(), name == "missing.wav" ? absl::StatusCode::kNotFound : absl::StatusCode::kDataLoss)
        << name << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("audio/" + name));
  }
  fs::remove_all(folder);
}

}  // namespace
}  // namespace auricle::sim
