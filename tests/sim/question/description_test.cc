#include "sim/question/description.h"

#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/sim/question/synthetic_scenes.h"

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(DescriptionTest, TellsEverySourceWithItsPlaceAndTimeAndTheRoom) {
  v1::Scene scene = EmptyScene();
  AddSource(scene, "dog", 41, 9, 2.1, 0.5, 2.3);
  AddSource(scene, "bell", -178, -1, 4.2, 3.0, 6.0);
  const std::string text = DescribeScene(scene);
  EXPECT_THAT(text, HasSubstr("a dog barking at 40 degrees left, 10 degrees up, 2.1 m away, from 0.5 to 2.3 s"));
  EXPECT_THAT(text, HasSubstr("a bell ringing directly behind, level, 4 m away, from 3 to 6 s"));
  EXPECT_THAT(text, HasSubstr("about 70 m3, reverberation 0.40 s"));
}

TEST(DescriptionTest, LeavesOutWhatIsInaudible) {
  v1::Scene scene = EmptyScene();
  AddSource(scene, "dog", 40, 10, 2.1, 0.5, 2.3);
  AddSource(scene, "bell", -90, 0, 4.2, 3.0, 6.0, -25.0f);
  EXPECT_THAT(DescribeScene(scene), Not(HasSubstr("bell")));
}

TEST(DescriptionTest, LeavesOutPerceivedSourcesOfLowConfidence) {
  v1::Scene scene = EmptyScene();
  scene.mutable_heard()->set_end_seconds(10);
  AddSource(scene, "dog", 40, 10, 2.1, 0.5, 2.3).set_confidence(0.9f);
  AddSource(scene, "bell", -90, 0, 4.2, 3.0, 6.0).set_confidence(0.3f);
  EXPECT_THAT(DescribeScene(scene), HasSubstr("dog"));
  EXPECT_THAT(DescribeScene(scene), Not(HasSubstr("bell")));
}

TEST(DescriptionTest, AnEmptySceneAndOpenAirAreSaid) {
  v1::Scene scene = EmptyScene();
  scene.mutable_room()->set_free_field(true);
  EXPECT_THAT(DescribeScene(scene), HasSubstr("nothing"));
  EXPECT_THAT(DescribeScene(scene), HasSubstr("open air"));
}

TEST(DescriptionTest, WordsVaryWithTheGeneratorAndNotWithoutIt) {
  const v1::Scene scene = DrawScene(1);
  std::set<std::string> texts;
  Random random(3, 0, "description");
  for (int i = 0; i < 50; ++i) texts.insert(DescribeScene(scene, &random));
  EXPECT_GE(texts.size(), 3u);
  EXPECT_EQ(DescribeScene(scene), DescribeScene(scene));
}

}  // namespace
}  // namespace auricle::sim
