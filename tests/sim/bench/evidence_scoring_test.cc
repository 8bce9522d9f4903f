#include "sim/bench/evidence_scoring.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/sim/question/synthetic_scenes.h"

namespace auricle::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(MatchSourcesTest, TheAssignmentWithTheLeastSumOfAnglesWins) {
  v1::Scene truth = EmptyScene(), perceived = EmptyScene();
  AddSource(truth, "dog", 0, 0, 1, 0, 1);
  AddSource(truth, "bell", 40, 0, 1, 0, 1);
  // Greedily the first would take 30 and leave 170 degrees for the other.
  AddSource(perceived, "cow", 30, 0, 1, 0, 1);
  AddSource(perceived, "cow", -130, 0, 1, 0, 1);
  EXPECT_THAT(MatchSources(truth, perceived), UnorderedElementsAre(Pair(0, 1), Pair(1, 0)));
}

TEST(MatchSourcesTest, DoubtfulSourcesAreLeftOutAndNumbersMayDiffer) {
  v1::Scene truth = EmptyScene(), perceived = EmptyScene();
  AddSource(truth, "dog", 0, 0, 1, 0, 1);
  EXPECT_TRUE(MatchSources(truth, perceived).empty());
  AddSource(perceived, "dog", 0, 0, 1, 0, 1).set_confidence(0.4f);
  EXPECT_TRUE(MatchSources(truth, perceived).empty());
  for (int i = 0; i < 12; ++i) AddSource(perceived, "dog", 10 + 10 * i, 0, 1, 0, 1);
  EXPECT_THAT(MatchSources(truth, perceived), ElementsAre(Pair(0, 1)));
  AddSource(truth, "cow", 20, 0, 1, 0, 1);
  EXPECT_THAT(MatchSources(truth, perceived), ElementsAre(Pair(0, 1), Pair(1, 2)));
}

TEST(ScoreAzimuthsTest, MedianWrapsAroundAndSidesLeaveTheBordersOut) {
  const AzimuthScore score = ScoreAzimuths({{175, -175, false},  // 10 off; back; on the border of left and right
                                            {30, 150, false},    // 120 off: front taken for back, left right
                                            {-90, -95, false},   // 5 off; on the border of front and back
                                            {60, 0, true}});     // missing: 180
  EXPECT_EQ(score.count, 4);
  EXPECT_EQ(score.missing, 1);
  EXPECT_DOUBLE_EQ(score.median_error_deg, 65.0);  // of 5, 10, 120, 180
  EXPECT_DOUBLE_EQ(score.front_back, 1.0 / 3.0);   // 175 right, 30 and 60 wrong
  EXPECT_DOUBLE_EQ(score.left_right, 2.0 / 3.0);   // 30 and -90 right, 60 wrong
}

TEST(ScoreDetectionTest, APerfectSceneScoresPerfectly) {
  v1::Scene truth = EmptyScene();
  AddSource(truth, "dog", 40, 0, 2, 0.5, 2.5);
  AddSource(truth, "bell", -90, 10, 3, 4.0, 9.0);
  const DetectionScore score = ScoreDetection({{truth, truth}});
  EXPECT_DOUBLE_EQ(score.error_rate_20, 0);
  EXPECT_DOUBLE_EQ(score.f_20, 1);
  EXPECT_DOUBLE_EQ(score.f_20_any_class, 1);
  EXPECT_NEAR(score.localisation_error_deg, 0, 1e-5);
  EXPECT_DOUBLE_EQ(score.localisation_recall, 1);
  EXPECT_DOUBLE_EQ(score.relative_distance_error, 0);
}

TEST(ScoreDetectionTest, WrongPlaceWrongClassAndSilenceCostWhatDcaseSays) {
  v1::Scene truth = EmptyScene(1.0);
  AddSource(truth, "dog", 0, 0, 2, 0, 1);
  AddSource(truth, "bell", 90, 0, 2, 0, 1);
  v1::Scene perceived = EmptyScene(1.0);
  AddSource(perceived, "dog", 30, 0, 3, 0, 1);  // right class, 30 degrees off
  AddSource(perceived, "cow", 85, 0, 2, 0, 1);  // wrong class, 5 degrees off
  const DetectionScore score = ScoreDetection({{truth, perceived}});
  EXPECT_DOUBLE_EQ(score.f_20, 0);
  EXPECT_DOUBLE_EQ(score.error_rate_20, 1);     // two substitutions of two
  EXPECT_DOUBLE_EQ(score.f_20_any_class, 0.5);  // the cow stands where the bell is
  EXPECT_NEAR(score.localisation_error_deg, 30, 1e-9);
  EXPECT_DOUBLE_EQ(score.localisation_recall, 0.5);
  EXPECT_DOUBLE_EQ(score.relative_distance_error, 0.25);  // (0.5 + 0) / 2
  const DetectionScore nothing = ScoreDetection({{truth, EmptyScene(1.0)}});
  EXPECT_DOUBLE_EQ(nothing.error_rate_20, 1);
  EXPECT_DOUBLE_EQ(nothing.f_20, 0);
  EXPECT_DOUBLE_EQ(nothing.localisation_error_deg, 180);
}

}  // namespace
}  // namespace auricle::sim
