#include "sim/dataset/dcase.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;

constexpr int kBell = 11, kFootsteps = 6;

absl::StatusOr<v1::Scene> Parse(const std::string& csv, double seconds = 1.0) {
  return SceneFromDcase(csv, StarssClasses(), "clip", seconds);
}

TEST(DcaseTest, LinesBecomeSourcesWithTheirTimesAndTracks) {
  // A bell that sounds in frames 1-2 and 5 and moves from 90 to 100 degrees; footsteps of two people in frame 3.
  const absl::StatusOr<v1::Scene> scene =
      Parse("1,11,0,90,0,200\n2,11,0,90,0,200\n3,6,0,-170,-10,150\n3,6,1,10,5,300\n5,11,0,100,0,250\n");
  ASSERT_TRUE(scene.ok()) << scene.status();
  ASSERT_EQ(scene->sources_size(), 3);
  EXPECT_EQ(scene->id(), "clip");

  const v1::Source& bell = scene->sources(0);
  EXPECT_EQ(bell.class_name(), StarssClasses()[kBell].name);
  ASSERT_EQ(bell.active_size(), 2);
  EXPECT_DOUBLE_EQ(bell.active(0).start_seconds(), 0.1);
  EXPECT_NEAR(bell.active(0).end_seconds(), 0.3, 1e-9);
  EXPECT_DOUBLE_EQ(bell.active(1).start_seconds(), 0.5);
  ASSERT_EQ(bell.frames_size(), 10);
  EXPECT_EQ(bell.frames(0).activity(), 0);
  EXPECT_EQ(bell.frames(1).activity(), 1);
  EXPECT_EQ(bell.frames(4).direction().azimuth_deg(), 100) << "of the nearest frame with a line";
  EXPECT_EQ(bell.frames(3).direction().azimuth_deg(), 90);
  EXPECT_EQ(bell.frames(9).direction().azimuth_deg(), 100);
  EXPECT_DOUBLE_EQ(bell.frames(5).distance_m(), 2.5);
  EXPECT_NEAR(bell.distance_m(), (2.0 + 2.0 + 2.5) / 3, 1e-9);
  // The mean direction of two vectors at 90 degrees and one at 100.
  EXPECT_NEAR(bell.direction().azimuth_deg(), 93.3, 0.1);

  EXPECT_EQ(scene->sources(1).class_name(), StarssClasses()[kFootsteps].name);
  EXPECT_NEAR(scene->sources(1).direction().azimuth_deg(), -170, 1e-9);
  EXPECT_NEAR(scene->sources(1).direction().elevation_deg(), -10, 1e-9);
  EXPECT_EQ(scene->sources(2).class_name(), StarssClasses()[kFootsteps].name);
}

TEST(DcaseTest, FilesWithoutDistanceSpacesAndCarriageReturnsAreRead) {
  const absl::StatusOr<v1::Scene> scene = Parse("0, 11, 0, -180, 90\r\n\r\n1,11,0,-180,90\r\n");
  ASSERT_TRUE(scene.ok()) << scene.status();
  ASSERT_EQ(scene->sources_size(), 1);
  EXPECT_EQ(scene->sources(0).distance_m(), 0);
  EXPECT_EQ(scene->sources(0).frames(0).direction().azimuth_deg(), 180) << "ours are in (-180, 180]";
  EXPECT_EQ(Parse("")->sources_size(), 0);
}

TEST(DcaseTest, NamesTheLineAndTheField) {
  const std::pair<std::string, std::string> bad[] = {{"0,11,0,0\n", "line 1: has 4 columns"},
                                                     {"0,11,0,0,0,100,1\n", "line 1: has 7 columns"},
                                                     {"0,11,0,0,0\n10,11,0,0,0\n", "line 2: frame"},
                                                     {"-1,11,0,0,0\n", "frame"},
                                                     {"0,13,0,0,0\n", "class"},
                                                     {"0,11,0,181,0\n", "azimuth"},
                                                     {"0,11,0,nan,0\n", "azimuth"},
                                                     {"0,11,0,0,-91\n", "elevation"},
                                                     {"0,11,0,0,0,-1\n", "distance"},
                                                     {"0,11,0,1e9,0\n", "azimuth"},
                                                     {"0,11,0,99999999999999,0\n", "azimuth"}};
  for (const auto& [csv, field] : bad) {
    const absl::Status status = Parse(csv).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << csv;
    EXPECT_THAT(std::string(status.message()), HasSubstr(field)) << csv;
  }
  std::string crowd;
  for (int i = 0; i < 65; ++i) crowd += "0,11," + std::to_string(i) + ",0,0\n";
  EXPECT_THAT(std::string(Parse(crowd).status().message()), HasSubstr("64 sources"));
}

TEST(DcaseTest, AScenesActiveFramesBecomeLines) {
  v1::Scene scene;
  for (int i = 0; i < 2; ++i) {
    v1::Source& source = *scene.add_sources();
    source.set_class_name("bell");
    for (uint32_t f = 0; f < 3; ++f) {
      v1::SourceFrame& frame = *source.add_frames();
      frame.set_frame(f);
      frame.set_activity(f == 1 || (i == 0 && f == 2) ? 1 : 0);
      frame.mutable_direction()->set_azimuth_deg(i == 0 ? -179.6 : 12.4);
      frame.mutable_direction()->set_elevation_deg(-3.5);
      frame.set_distance_m(1.234);
    }
  }
  const absl::StatusOr<std::string> csv = SceneToDcase(scene, StarssClasses());
  ASSERT_TRUE(csv.ok()) << csv.status();
  EXPECT_EQ(*csv, "1,11,0,180,-4,123\n1,11,1,12,-4,123\n2,11,0,180,-4,123\n");
  scene.mutable_sources(0)->set_class_name("kazoo");
  EXPECT_EQ(SceneToDcase(scene, StarssClasses()).status().code(), absl::StatusCode::kNotFound);
}

TEST(DcaseTest, ListsOfClassesAreReadBack) {
  const absl::StatusOr<std::vector<DcaseClass>> read = ParseClassList(ClassListCsv(StarssClasses()));
  ASSERT_TRUE(read.ok());
  ASSERT_EQ(read->size(), 13u);
  EXPECT_EQ((*read)[kBell].name, "bell");
  EXPECT_EQ((*ParseClassList("0,water_tap\n"))[0].label, "water tap");
  EXPECT_THAT(std::string(ParseClassList("0,a\n2,b\n").status().message()), HasSubstr("line 2: index"));
  EXPECT_THAT(std::string(ParseClassList("0,\n").status().message()), HasSubstr("line 1: name"));
  EXPECT_FALSE(ParseClassList("").ok());
}

}  // namespace
}  // namespace auricle::sim
