// Evidence from outputs made by hand, whose scene is known.
#include "model/encoder/evidence.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <numbers>

namespace auricle::model {
namespace {

constexpr int kSlots = 4, kClasses = 6, kTokens = 50;
constexpr float kSure = 6.0f;

std::vector<SoundClass> Classes() {
  return {{"dog", "a dog barking"}, {"bell", "a bell"}, {"rain", "rain"},
          {"door", "a door"},       {"saw", "a saw"},   {"horn", "a horn"}};
}

torch::Tensor Direction(double azimuth_deg, double elevation_deg) {
  const double az = azimuth_deg * std::numbers::pi / 180, el = elevation_deg * std::numbers::pi / 180;
  return torch::tensor({std::cos(el) * std::cos(az), std::cos(el) * std::sin(az), std::sin(el)}).to(torch::kFloat32);
}

// Silence in a room of T30 0.5 s and 80 cubic metres, one clip of 5 s.
EarsOutput Silence() {
  EarsOutput out;
  out.token_mask = torch::ones({1, kTokens}, torch::kBool);
  out.exist_logits = torch::full({1, kSlots}, -kSure);
  out.class_logits = torch::zeros({1, kSlots, kClasses});
  out.direction = Direction(0, 0).expand({1, kSlots, 3}).clone();
  out.log_distance = torch::zeros({1, kSlots});
  out.motion_logits = torch::zeros({1, kSlots, kMotionKinds});
  out.activity_logits = torch::full({1, kSlots, kTokens}, -kSure);
  out.frame_direction = Direction(0, 0).expand({1, kSlots, kTokens, 3}).clone();
  out.frame_log_distance = torch::zeros({1, kSlots, kTokens});
  out.log_t30 = torch::full({1, kReverberationBands}, std::log(0.5f));
  out.log_volume = torch::full({1}, std::log(80.0f));
  out.free_field_logit = torch::full({1}, -kSure);
  return out;
}

void Sound(EarsOutput& out, int slot, float exist, int sound_class, double azimuth, double elevation, float metres,
           int begin, int end) {
  out.exist_logits[0][slot] = exist;
  out.class_logits[0][slot][sound_class] = kSure;
  out.activity_logits[0][slot].slice(0, begin, end) = kSure;
  out.frame_direction[0][slot].slice(0, begin, end) = Direction(azimuth, elevation);
  out.frame_log_distance[0][slot].slice(0, begin, end) = std::log(metres);
}

v1::Scene Decode(const EarsOutput& out, EvidenceOptions options = {}) {
  const auto scene = PerceivedScene(out, 0, Classes(), 5.0, options);
  EXPECT_TRUE(scene.ok()) << scene.status();
  return scene.value_or(v1::Scene());
}

TEST(EvidenceTest, SilenceHasNoSources) {
  const v1::Scene scene = Decode(Silence());
  EXPECT_EQ(scene.sources_size(), 0);
  EXPECT_DOUBLE_EQ(scene.duration_seconds(), 5.0);
  EXPECT_DOUBLE_EQ(scene.heard().end_seconds(), 5.0);
}

TEST(EvidenceTest, OneSourceIsReadBackAsItWasWritten) {
  EarsOutput out = Silence();
  Sound(out, 2, 2.0f, 1, -120, 35, 2.5f, 10, 31);
  out.motion_logits[0][2][3] = kSure;
  // Where the source is silent its frames point elsewhere: they must not count.
  out.frame_direction[0][2].slice(0, 31, 50) = Direction(60, 0);
  const v1::Scene scene = Decode(out);
  ASSERT_EQ(scene.sources_size(), 1);
  const v1::Source& source = scene.sources(0);
  EXPECT_EQ(source.class_name(), "bell");
  EXPECT_EQ(source.class_label(), "a bell");
  EXPECT_NEAR(source.confidence(), 1 / (1 + std::exp(-2.0)), 1e-6);
  EXPECT_NEAR(source.direction().azimuth_deg(), -120, 1e-3);
  EXPECT_NEAR(source.direction().elevation_deg(), 35, 1e-3);
  EXPECT_NEAR(source.distance_m(), 2.5, 1e-4);
  EXPECT_EQ(source.motion(), v1::MOTION_KIND_APPROACHING);
  ASSERT_EQ(source.active_size(), 1);
  EXPECT_NEAR(source.active(0).start_seconds(), 1.0, 1e-9);
  EXPECT_NEAR(source.active(0).end_seconds(), 3.1, 1e-9);
  ASSERT_EQ(source.class_scores_size(), 5);
  EXPECT_EQ(source.class_scores(0).class_name(), "bell");
  EXPECT_NEAR(source.class_scores(0).probability(), std::exp(6.0) / (std::exp(6.0) + 5), 1e-5);
  EXPECT_EQ(source.frames_size(), 0);
}

TEST(EvidenceTest, MostConfidentSourceComesFirst) {
  EarsOutput out = Silence();
  Sound(out, 0, 1.0f, 0, 0, 0, 1, 0, 20);
  Sound(out, 3, 4.0f, 1, 90, 0, 1, 0, 20);
  Sound(out, 1, 2.0f, 2, 180, 0, 1, 0, 20);
  const v1::Scene scene = Decode(out);
  ASSERT_EQ(scene.sources_size(), 3);
  EXPECT_EQ(scene.sources(0).class_name(), "bell");
  EXPECT_EQ(scene.sources(1).class_name(), "rain");
  EXPECT_EQ(scene.sources(2).class_name(), "dog");
  EXPECT_NEAR(scene.sources(1).direction().azimuth_deg(), 180, 1e-3) << "range is (-180, 180]";
}

TEST(EvidenceTest, SpansFollowHysteresisAndShortBlipsAreDropped) {
  EarsOutput out = Silence();
  Sound(out, 0, kSure, 0, 0, 0, 1, 5, 10);
  auto activity = out.activity_logits[0][0];
  const auto logit = [](double p) { return static_cast<float>(std::log(p / (1 - p))); };
  activity.slice(0, 10, 13) = logit(0.4);   // above "off": the span goes on
  activity.slice(0, 13, 20) = logit(0.3);   // below: it ends
  activity.slice(0, 20, 24) = logit(0.45);  // never reaches "on"
  activity[30] = kSure;                     // 100 ms: dropped
  activity.slice(0, 40, 43) = kSure;
  activity.slice(0, 45, 48) = kSure;  // a gap of 200 ms is closed
  const v1::Scene scene = Decode(out);
  ASSERT_EQ(scene.sources_size(), 1);
  ASSERT_EQ(scene.sources(0).active_size(), 2);
  EXPECT_NEAR(scene.sources(0).active(0).start_seconds(), 0.5, 1e-9);
  EXPECT_NEAR(scene.sources(0).active(0).end_seconds(), 1.3, 1e-9);
  EXPECT_NEAR(scene.sources(0).active(1).start_seconds(), 4.0, 1e-9);
  EXPECT_NEAR(scene.sources(0).active(1).end_seconds(), 4.8, 1e-9);
}

TEST(EvidenceTest, ASourceThatExistsHasASpanEvenWhenItsActivityIsLow) {
  EarsOutput out = Silence();
  Sound(out, 0, kSure, 0, 45, 0, 1, 0, 0);
  out.activity_logits[0][0][17] = -0.5f;
  const v1::Scene scene = Decode(out);
  ASSERT_EQ(scene.sources_size(), 1);
  ASSERT_EQ(scene.sources(0).active_size(), 1);
  EXPECT_NEAR(scene.sources(0).active(0).start_seconds(), 1.7, 1e-9);
}

TEST(EvidenceTest, TwoSlotsOnOneSourceBecomeOne) {
  EarsOutput out = Silence();
  Sound(out, 0, 3.0f, 0, 170, 0, 1, 0, 20);
  Sound(out, 1, 2.0f, 0, -178, 0, 1, 10, 30);  // same class, 12 degrees away across the seam, overlapping
  Sound(out, 2, 1.0f, 1, 170, 0, 1, 0, 20);    // another class in the same place stays
  EXPECT_EQ(Decode(out).sources_size(), 2);
  // Apart in angle, or in time, they are two.
  EarsOutput wide = Silence();
  Sound(wide, 0, 3.0f, 0, 170, 0, 1, 0, 20);
  Sound(wide, 1, 2.0f, 0, -172, 0, 1, 10, 30);
  EXPECT_EQ(Decode(wide).sources_size(), 2);
  EarsOutput later = Silence();
  Sound(later, 0, 3.0f, 0, 170, 0, 1, 0, 20);
  Sound(later, 1, 2.0f, 0, 170, 0, 1, 30, 40);
  EXPECT_EQ(Decode(later).sources_size(), 2);
}

TEST(EvidenceTest, TracksAreFilledWhenAskedFor) {
  EarsOutput out = Silence();
  Sound(out, 0, kSure, 0, 30, -10, 4, 0, 50);
  out.token_mask[0].slice(0, 40, 50) = false;
  const auto scene = PerceivedScene(out, 0, Classes(), 4.0, {.tracks = true});
  ASSERT_TRUE(scene.ok());
  ASSERT_EQ(scene->sources(0).frames_size(), 40);
  const v1::SourceFrame& frame = scene->sources(0).frames(7);
  EXPECT_EQ(frame.frame(), 7u);
  EXPECT_NEAR(frame.direction().azimuth_deg(), 30, 1e-3);
  EXPECT_NEAR(frame.direction().elevation_deg(), -10, 1e-3);
  EXPECT_NEAR(frame.distance_m(), 4, 1e-4);
  EXPECT_NEAR(scene->sources(0).active(0).end_seconds(), 4.0, 1e-9);
}

TEST(EvidenceTest, TimesAreOnTheClockOfTheWholeAudio) {
  EarsOutput out = Silence();
  Sound(out, 0, kSure, 0, 30, 0, 1, 10, 20);
  const v1::Scene scene = Decode(out, {.tracks = true, .start_seconds = 12.4});
  EXPECT_NEAR(scene.heard().start_seconds(), 12.4, 1e-9);
  EXPECT_NEAR(scene.heard().end_seconds(), 17.4, 1e-9);
  EXPECT_NEAR(scene.sources(0).active(0).start_seconds(), 13.4, 1e-9);
  EXPECT_NEAR(scene.sources(0).active(0).end_seconds(), 14.4, 1e-9);
  EXPECT_EQ(scene.sources(0).frames(0).frame(), 124u);
}

TEST(EvidenceTest, RoomIsReadBackAndFreeFieldHasNone) {
  EarsOutput out = Silence();
  out.log_t30[0][5] = std::log(0.25f);
  v1::Scene scene = Decode(out);
  EXPECT_FALSE(scene.room().free_field());
  EXPECT_NEAR(scene.room().t30_seconds(), 0.5, 1e-6);
  EXPECT_NEAR(scene.room().volume_m3(), 80, 1e-3);
  ASSERT_EQ(scene.room().t30_bands_size(), 6);
  EXPECT_EQ(scene.room().t30_bands(4).centre_hz(), 2000);
  EXPECT_NEAR(scene.room().t30_bands(4).seconds(), 0.25, 1e-6);
  out.free_field_logit[0] = 1.0f;
  scene = Decode(out);
  EXPECT_TRUE(scene.room().free_field());
  EXPECT_EQ(scene.room().t30_seconds(), 0);
  EXPECT_EQ(scene.room().volume_m3(), 0);
}

TEST(EvidenceTest, WrongArgumentsAreNamed) {
  const EarsOutput out = Silence();
  EXPECT_EQ(PerceivedScene(out, 1, Classes(), 5.0).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(PerceivedScene(out, 0, {}, 5.0).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(PerceivedScene(out, 0, Classes(), 0.0).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(PerceivedScene(out, 0, Classes(), 5.0, {.activity_on = 0.3, .activity_off = 0.4}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace auricle::model
