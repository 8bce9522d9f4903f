#include "sim/room/image_sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numbers>

#include "tests/sim/room/reference_rooms.h"

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;

TEST(ImageSources, EqualTheExactListsOfTheReferenceRooms) {
  const auto rooms = ReferenceRooms();
  if (rooms.empty()) GTEST_SKIP() << "no shared/reference";
  for (const ReferenceRoom& r : rooms) {
    const auto images = ListImages(r.room, r.source, r.listener, {.max_order = 3});
    ASSERT_TRUE(images.ok()) << images.status();
    const auto& expected = r.json.at("exact_images_order3");
    ASSERT_EQ(images->size(), expected.size());
    std::map<std::array<int, 3>, size_t> place;
    for (size_t i = 0; i < images->size(); ++i) place[images->order[i]] = i;
    for (const auto& e : expected) {
      const std::array<int, 3> order = {e["order"][0], e["order"][1], e["order"][2]};
      ASSERT_TRUE(place.contains(order));
      const size_t i = place[order];
      EXPECT_NEAR(images->delay_seconds[i] * 24000.0, e["delay_samples"].get<double>(), 1e-9);
      EXPECT_NEAR(images->gain[i] / e["gain"].get<double>(), 1.0, 1e-9);
      EXPECT_NEAR(images->direction[i].x, e["direction"][0].get<double>(), 1e-9);
      EXPECT_NEAR(images->direction[i].y, e["direction"][1].get<double>(), 1e-9);
      EXPECT_NEAR(images->direction[i].z, e["direction"][2].get<double>(), 1e-9);
    }
    const auto deep = ListImages(r.room, r.source, r.listener, {.max_order = 8});
    ASSERT_TRUE(deep.ok());
    EXPECT_EQ(deep->size(), r.json.at("n_images_order8").get<size_t>());
    EXPECT_NEAR(deep->delay_seconds.back() * 24000.0, r.json.at("max_image_delay_samples").get<double>(), 1e-6);
  }
}

TEST(ImageSources, TimeLimitKeepsExactlyTheImagesWithinIt) {
  const Shoebox room = {.size_m = {3.0, 4.0, 2.5}, .absorption = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6}};
  const Vec3 source = {1.0, 1.5, 1.2}, listener = {2.1, 3.0, 1.7};
  const double limit = 0.03;
  const auto by_time = ListImages(room, source, listener, {.max_seconds = limit});
  const auto by_order = ListImages(room, source, listener, {.max_order = 40});  // reaches well past the limit
  ASSERT_TRUE(by_time.ok() && by_order.ok());
  size_t within = 0;
  while (by_order->delay_seconds[within] <= limit) ++within;
  ASSERT_EQ(by_time->size(), within);
  for (size_t i = 0; i < within; ++i) EXPECT_EQ(by_time->order[i], by_order->order[i]);
}

// One image in every volume of the room's size: (4/3) pi (c t)^3 / V; the surface term is below 5 % here.
TEST(ImageSources, NumberGrowsWithTheCubeOfTime) {
  const Shoebox room = {.size_m = {4.0, 5.0, 3.0}, .absorption = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1}};
  const auto images = ListImages(room, {1, 1, 1}, {3, 4, 2}, {.max_seconds = 0.25});
  ASSERT_TRUE(images.ok());
  const double reach = 0.25 * kSpeedOfSound;
  const double expected = 4.0 / 3.0 * std::numbers::pi * reach * reach * reach / 60.0;
  EXPECT_NEAR(static_cast<double>(images->size()) / expected, 1.0, 0.02);
}

TEST(ImageSources, SwappingSourceAndListenerKeepsDelaysAndGains) {
  const Shoebox room = {.size_m = {3.3, 4.7, 2.9}, .absorption = {0.1, 0.5, 0.3, 0.7, 0.2, 0.4}};
  const Vec3 a = {0.7, 1.9, 1.2}, b = {2.6, 3.1, 2.2};
  const auto there = ListImages(room, a, b, {.max_order = 6}), back = ListImages(room, b, a, {.max_order = 6});
  ASSERT_TRUE(there.ok() && back.ok());
  ASSERT_EQ(there->size(), back->size());
  // An image of odd order is the same seen from either end; one of even order is seen on the other side.
  std::map<std::array<int, 3>, size_t> place;
  for (size_t i = 0; i < back->size(); ++i) place[back->order[i]] = i;
  for (size_t i = 0; i < there->size(); ++i) {
    std::array<int, 3> order = there->order[i];
    for (int& o : order) o = o % 2 == 0 ? -o : o;
    ASSERT_TRUE(place.contains(order));
    EXPECT_NEAR(there->delay_seconds[i], back->delay_seconds[place[order]], 1e-12);
    EXPECT_NEAR(there->gain[i], back->gain[place[order]], 1e-12);
  }
}

TEST(ImageSources, LimitsOutOfRangeAreNamed) {
  const Shoebox room;
  const Vec3 a = {1, 1, 1}, b = {2, 2, 2};
  const auto message = [&](ImageLimits limits) {
    return std::string(ListImages(room, a, b, limits).status().message());
  };
  EXPECT_THAT(message({}), HasSubstr("max_seconds"));
  EXPECT_THAT(message({.max_order = -1}), HasSubstr("max_order"));
  EXPECT_THAT(message({.max_seconds = 0.0}), HasSubstr("max_seconds"));
  EXPECT_THAT(message({.max_seconds = std::nan("")}), HasSubstr("max_seconds"));
  EXPECT_THAT(message({.max_seconds = 10.0}), HasSubstr("at most"));
}

}  // namespace
}  // namespace auricle::sim
