#include "sim/render/moving_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "sim/render/convolution.h"
#include "sim/render/moving_path.h"
#include "sim/scene/random.h"

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;

constexpr int kRate = 16000;
const Vec3 kEars = {2.4, 2.7, 1.5};

// Air of `treble_db_per_m` in the highest band; no air makes moving paths exact, with air they have that of the mean
// distance.
BandedRoom LivingRoom(double treble_db_per_m) {
  BandedRoom room = {.size_m = {6, 5, 3}};
  for (int band = 0; band < kBands; ++band) {
    for (int wall = 0; wall < 6; ++wall) room.absorption[band][wall] = 0.15 + 0.1 * band + 0.03 * wall;
    room.air_db_per_m[band] = treble_db_per_m * band / (kBands - 1);
  }
  return room;
}

Path Still(Vec3 place) { return Path({.points = {place}}); }

std::vector<float> Noise(double seconds) {
  std::vector<float> noise(static_cast<size_t>(seconds * kRate));
  FillNoise(5, noise);
  return noise;
}

audio::FoaClip Render(std::span<const float> signal, const BandedRoom* room, const Path& source, const Path& listener,
                      const HybridOptions& options = {.key = 9}) {
  auto clip = RenderMovingSource(signal, room, source, listener, options);
  EXPECT_TRUE(clip.ok()) << clip.status();
  return clip.ok() ? *std::move(clip) : audio::MakeSilentClip(signal.size(), kRate);
}

audio::FoaClip RenderStill(std::span<const float> signal, const BandedRoom& room, Vec3 source, Vec3 listener) {
  const auto response = RenderRoom(room, source, listener, {.key = 9});
  EXPECT_TRUE(response.ok()) << response.status();
  auto wet = ConvolveFoa(signal, response->foa, signal.size());
  EXPECT_TRUE(wet.ok()) << wet.status();
  return {.sample_rate = kRate, .samples = *std::move(wet)};
}

double ErrorDb(const audio::FoaClip& got, const audio::FoaClip& want, int channel, double from, double to) {
  double error = 0, energy = 0;
  for (size_t i = static_cast<size_t>(from * kRate); i < static_cast<size_t>(to * kRate); ++i) {
    error += std::pow(static_cast<double>(got.channel(channel)[i]) - want.channel(channel)[i], 2);
    energy += std::pow(static_cast<double>(want.channel(channel)[i]), 2);
  }
  return 10 * std::log10(error / energy);
}

TEST(RenderMovingSource, OfWhatRestsIsTheStaticRendering) {
  const BandedRoom room = LivingRoom(0.02);
  const std::vector<float> noise = Noise(2.0);
  for (Vec3 place : {Vec3{1, 1, 1}, {5.5, 4.2, 2.2}, {2.4, 3.4, 1.5}}) {
    const audio::FoaClip moving = Render(noise, &room, Still(place), Still(kEars));
    const audio::FoaClip still = RenderStill(noise, room, place, kEars);
    for (int c = 0; c < 4; ++c) EXPECT_LT(ErrorDb(moving, still, c, 0.0, 2.0), -70.0) << c;
  }
}

TEST(RenderMovingSource, OfWhatRestsIsTheStaticRenderingInSmallAndInLongRooms) {
  const std::vector<float> noise = Noise(1.0);
  for (Vec3 size : {Vec3{0.9, 1.1, 0.8}, {30, 2.5, 2.2}, {40, 30, 12}}) {
    BandedRoom room = LivingRoom(0.02);
    room.size_m = size;
    for (auto& band : room.absorption) band.fill(0.07);
    const Vec3 source = {0.3 * size.x, 0.25 * size.y, 0.4 * size.z}, ears = {0.7 * size.x, 0.6 * size.y, 0.55 * size.z};
    const audio::FoaClip moving = Render(noise, &room, Still(source), Still(ears));
    const audio::FoaClip still = RenderStill(noise, room, source, ears);
    for (int c = 0; c < 4; ++c) EXPECT_LT(ErrorDb(moving, still, c, 0.0, 1.0), -70.0) << size.x << " m, channel " << c;
  }
}

TEST(RenderMovingSource, FromRestToRestBeginsAndEndsAsTheStaticRenderings) {
  const BandedRoom room = LivingRoom(0.0);
  const std::vector<float> noise = Noise(6.0);
  const Vec3 from = {1, 1, 1.2}, to = {4.9, 2.0, 1.7};
  const Path walk({.shape = PathShape::kLine, .points = {from, to}, .start_seconds = 1.0, .speed_m_per_s = 1.5});
  ASSERT_LT(walk.stop_seconds(), 4.5);
  const audio::FoaClip moving = Render(noise, &room, walk, Still(kEars));
  const audio::FoaClip before = RenderStill(noise, room, from, kEars), after = RenderStill(noise, room, to, kEars);
  for (int c = 0; c < 4; ++c) {
    EXPECT_LT(ErrorDb(moving, before, c, 0.0, 0.99), -70.0) << c;
    // The last of the early images has come by then.
    EXPECT_LT(ErrorDb(moving, after, c, walk.stop_seconds() + 0.2, 6.0), -70.0) << c;
    EXPECT_GT(ErrorDb(moving, before, c, 2.5, 3.5), -10.0) << "it has moved";
  }
}

TEST(RenderMovingSource, KeepsItsPowerBetweenKeyPoints) {
  const BandedRoom room = LivingRoom(0.02);
  const std::vector<float> noise = Noise(6.0);
  // On a circle about the listener the direct sound is constant: what wavers is the room.
  const Path circle({.shape = PathShape::kArc,
                     .points = {kEars + Vec3{1.5, 0, 0}, kEars},
                     .sweep_deg = 300,
                     .start_seconds = 0.5,
                     .speed_m_per_s = 1.5});
  const audio::FoaClip moving = Render(noise, &room, circle, Still(kEars));
  for (double t = 0.5; t < 5.75; t += 0.05) {
    // 250 ms of noise against the same source at rest where it is in the middle of them.
    const audio::FoaClip still =
        RenderStill(std::span<const float>(noise).first(static_cast<size_t>((t + 0.25) * kRate)), room,
                    circle.At(t + 0.125).place_m, kEars);
    double power = 0, want = 0;
    for (size_t i = static_cast<size_t>(t * kRate); i < still.frames(); ++i) {
      power += std::pow(moving.channel(0)[i], 2);
      want += std::pow(still.channel(0)[i], 2);
    }
    EXPECT_NEAR(10 * std::log10(power / want), 0.0, 1.5) << t;
  }
}

TEST(RenderMovingSource, MirrorsThePathInEachWall) {
  const std::vector<float> noise = Noise(2.0);
  const std::vector<Vec3> waypoints = {{1, 1, 1.2}, {3, 1.5, 1.7}, {5, 3.5, 1.0}};
  const auto walk = [&](const std::vector<Vec3>& points) {
    return Path({.shape = PathShape::kSpline, .points = points, .start_seconds = 0.1, .speed_m_per_s = 2.5});
  };
  const HybridOptions plain = {.high_pass_hz = 0.0, .key = 9};
  for (int wall = 0; wall < 6; ++wall) {
    BandedRoom room = {.size_m = {6, 5, 3}};
    for (auto& band : room.absorption) {
      band.fill(1.0);
      band[static_cast<size_t>(wall)] = 0.19;  // reflects 0.9
    }
    const audio::FoaClip got = Render(noise, &room, walk(waypoints), Still(kEars), plain);
    std::vector<Vec3> mirrored = waypoints;
    for (Vec3& p : mirrored) {
      if (wall == 0) p.x = -p.x;
      if (wall == 1) p.x = 12 - p.x;
      if (wall == 2) p.y = -p.y;
      if (wall == 3) p.y = 10 - p.y;
      if (wall == 4) p.z = -p.z;
      if (wall == 5) p.z = 6 - p.z;
    }
    audio::FoaClip want = audio::MakeSilentClip(noise.size(), kRate);
    std::vector<float> reflected = noise;
    for (float& v : reflected) v *= 0.9f;
    const SampledPath ears(Still(kEars), 0, 2);
    AddMovingPath(noise, SampledPath(walk(waypoints), 0, 2), ears, {}, want);
    AddMovingPath(reflected, SampledPath(walk(mirrored), 0, 2), ears, {}, want);
    for (int c = 0; c < 4; ++c)
      EXPECT_LT(ErrorDb(got, want, c, 0.0, 2.0), -70.0) << "wall " << wall << " channel " << c;
  }
}

TEST(RenderMovingSource, OfAMovingListenerGoesFromOneStaticRenderingToTheOther) {
  const BandedRoom room = LivingRoom(0.0);
  const std::vector<float> noise = Noise(5.0);
  const Vec3 from = {4.5, 1.0, 1.6}, source = {1.2, 3.9, 1.1};
  const Path walk({.shape = PathShape::kLine, .points = {from, kEars}, .start_seconds = 1.0, .speed_m_per_s = 1.2});
  const audio::FoaClip moving = Render(noise, &room, Still(source), walk);
  const audio::FoaClip before = RenderStill(noise, room, source, from), after = RenderStill(noise, room, source, kEars);
  for (int c = 0; c < 4; ++c) {
    EXPECT_LT(ErrorDb(moving, before, c, 0.0, 0.99), -70.0) << c;
    EXPECT_LT(ErrorDb(moving, after, c, walk.stop_seconds() + 0.2, 5.0), -70.0) << c;
  }
}

TEST(RenderMovingSource, RefusesPathsThroughWallsAndThroughTheListener) {
  const BandedRoom room = LivingRoom(0.0);
  const std::vector<float> noise = Noise(3.0);
  const auto refusal = [&](const Path& source, const Path& listener, const BandedRoom* where) {
    const absl::Status status = RenderMovingSource(noise, where, source, listener, {}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  const auto line = [](Vec3 a, Vec3 b) {
    return Path({.shape = PathShape::kLine, .points = {a, b}, .speed_m_per_s = 5});
  };
  EXPECT_THAT(refusal(line({1, 1, 1}, {7, 1, 1}), Still(kEars), &room), HasSubstr("source is at x = "));
  EXPECT_THAT(refusal(Still({1, 1, 1}), line(kEars, {2.4, 2.7, 2.995}), &room), HasSubstr("listener is at z = "));
  EXPECT_THAT(refusal(line(kEars - Vec3{1, 0, 0}, kEars + Vec3{1, 0, 0}), Still(kEars), nullptr),
              HasSubstr("m from the listener at"));
  EXPECT_THAT(std::string(RenderMovingSource({}, &room, Still({1, 1, 1}), Still(kEars), {}).status().message()),
              HasSubstr("emitted is empty"));
  EXPECT_THAT(
      std::string(
          RenderMovingSource(noise, &room, Still({1, 1, 1}), Still(kEars), {.jitter_m = 1.0}).status().message()),
      HasSubstr("jitter_m"));
}

}  // namespace
}  // namespace auricle::sim
