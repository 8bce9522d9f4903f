#include "sim/room/materials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;

TEST(Materials, EveryRowIsWholeAndCitesItsSource) {
  std::set<std::string> names;
  EXPECT_GE(Materials().size(), 30u);
  for (const Material& m : Materials()) {
    EXPECT_TRUE(names.insert(m.name).second) << m.name;
    EXPECT_FALSE(m.boundaries.empty()) << m.name;
    EXPECT_FALSE(m.description.empty()) << m.name;
    EXPECT_THAT(m.source, HasSubstr("(")) << m.name;  // a year
    for (double a : m.absorption) {
      EXPECT_GT(a, 0.0) << m.name;
      EXPECT_LE(a, 1.0) << m.name;
    }
  }
  for (Boundary boundary : {Boundary::kWall, Boundary::kFloor, Boundary::kCeiling, Boundary::kGround}) {
    EXPECT_GE(MaterialsFor(boundary).size(), 5u);
    for (const Material* m : MaterialsFor(boundary)) EXPECT_THAT(m->boundaries, ::testing::Contains(boundary));
  }
}

// Typed from the book once more: Vorlaender 2008, appendix.
TEST(Materials, FiguresAreThePublishedOnes) {
  const auto absorption = [](std::string_view name) { return (*FindMaterial(name))->absorption; };
  EXPECT_EQ(absorption("carpet_cotton"), (std::array<double, 7>{0.07, 0.31, 0.49, 0.81, 0.66, 0.54, 0.48}));
  EXPECT_EQ(absorption("curtain_cotton"), (std::array<double, 7>{0.30, 0.45, 0.65, 0.56, 0.59, 0.71, 0.71}));
  EXPECT_EQ(absorption("concrete_rough"), (std::array<double, 7>{0.02, 0.03, 0.03, 0.03, 0.04, 0.07, 0.07}));
  EXPECT_EQ(absorption("gypsum_board"), (std::array<double, 7>{0.15, 0.10, 0.06, 0.04, 0.04, 0.05, 0.05}));
}

TEST(Materials, UnknownNamesAreRefusedWithTheNearest) {
  const auto status = FindMaterial("carpet_thick").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"carpet_thick\""));
  EXPECT_THAT(std::string(status.message()), HasSubstr("nearest are carpet_thin"));
  EXPECT_THAT(std::string(FindMaterial("Grass").status().message()), HasSubstr("grass"));
  EXPECT_FALSE(FindMaterial("").ok());
  EXPECT_LT(FindMaterial(std::string(100000, 'x')).status().message().size(), 300u);
}

TEST(RoomOfMaterials, PutsEachOnItsWall) {
  const std::array<std::string_view, 6> names = {"brick_painted", "glass_pane",  "gypsum_board",
                                                 "curtain_light", "carpet_thin", "ceiling_tile"};
  const auto room = RoomOfMaterials({6, 5, 3}, names);
  ASSERT_TRUE(room.ok()) << room.status();
  for (size_t wall = 0; wall < 6; ++wall) {
    EXPECT_EQ(room->materials[wall], names[wall]);
    for (size_t band = 0; band < kBands; ++band)
      EXPECT_EQ(room->absorption[band][wall], (*FindMaterial(names[wall]))->absorption[band]);
  }
  // Sabine at 1 kHz by hand: 15 (0.02 + 0.03) + 18 (0.04 + 0.63) + 30 (0.20 + 0.75) = 41.31 m2 of 90 m3.
  EXPECT_NEAR(SabineSeconds(room->Band(3)), 55.262 / 343.0 * 90 / 41.31, 1e-3);
}

TEST(RoomOfMaterials, NamesTheWallWhoseMaterialIsUnknown) {
  std::array<std::string_view, 6> names;
  names.fill("brick_painted");
  names[3] = "brick_panted";
  const auto status = RoomOfMaterials({6, 5, 3}, names).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("materials.y1"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("nearest are brick_painted"));
  names[3] = "brick_painted";
  EXPECT_THAT(std::string(RoomOfMaterials({1000, 5, 3}, names).status().message()), HasSubstr("size_m.x"));
}

}  // namespace
}  // namespace auricle::sim
