#include "server/inference/evidence_view.h"

#include <gtest/gtest.h>

namespace auricle::server {
namespace {

TEST(ViewEvidenceTest, PutsTheSceneOnTheClockOfItsAudio) {
  v1::Scene perceived;
  perceived.set_duration_seconds(2);
  v1::Source& source = *perceived.add_sources();
  source.add_active()->set_end_seconds(1.5);
  source.add_frames()->set_frame(3);
  const v1::Scene scene = ViewEvidence(perceived, "clip", 4, 6, /*include_tracks=*/true);
  EXPECT_EQ(scene.id(), "clip");
  EXPECT_DOUBLE_EQ(scene.heard().start_seconds(), 4);
  EXPECT_DOUBLE_EQ(scene.heard().end_seconds(), 6);
  EXPECT_DOUBLE_EQ(scene.sources(0).active(0).start_seconds(), 4);
  EXPECT_DOUBLE_EQ(scene.sources(0).active(0).end_seconds(), 5.5);
  EXPECT_EQ(scene.sources(0).frames(0).frame(), 43u);
}

TEST(ViewEvidenceTest, EndsWhereTheAudioDidAndNotWhereItMightHave) {
  v1::Scene perceived;
  perceived.set_duration_seconds(3);
  const v1::Scene scene = ViewEvidence(perceived, "clip", 1, 30, /*include_tracks=*/false);
  EXPECT_DOUBLE_EQ(scene.heard().start_seconds(), 1);
  EXPECT_DOUBLE_EQ(scene.heard().end_seconds(), 4);
}

}  // namespace
}  // namespace auricle::server
