#include "sim/render/moving_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

#include "sim/render/convolution.h"
#include "sim/render/moving_path.h"
#include "sim/room/directivity.h"
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

Path AtRest(Vec3 place) { return Path({.points = {place}}); }

std::vector<float> Noise(double seconds) {
  std::vector<float> noise(static_cast<size_t>(seconds * kRate));
  FillNoise(5, noise);
  return noise;
}

audio::FoaClip Render(std::span<const float> signal, const BandedRoom& room, const Path& source, const Path& listener,
                      const HybridOptions& options = {.key = 9}) {
  auto clip = RenderMovingInRoom(signal, room, source, listener, options);
  EXPECT_TRUE(clip.ok()) << clip.status();
  return clip.ok() ? *std::move(clip) : audio::MakeSilentClip(signal.size(), kRate);
}

audio::FoaClip Convolve(std::span<const float> signal, const absl::StatusOr<RoomResponse>& response) {
  EXPECT_TRUE(response.ok()) << response.status();
  auto wet = ConvolveFoa(signal, response->foa, signal.size());
  EXPECT_TRUE(wet.ok()) << wet.status();
  return {.sample_rate = kRate, .samples = *std::move(wet)};
}

audio::FoaClip RenderStill(std::span<const float> signal, const BandedRoom& room, Vec3 source, Vec3 listener,
                           const HybridOptions& options = {.key = 9}) {
  return Convolve(signal, RenderRoom(room, source, listener, options));
}

// The way a cardioid faces, if any, so that each wall's mirror shows it otherwise.
const Vec3 kAskew = UnitVector(125, -35);

// A static response keeps no ringing from before the emission: what a talker's low octaves, each with a gain of its
// own, ring ahead of the direct sound is cut off where that comes within 10 ms.
double LimitDb(std::string_view directivity, double distance_m) {
  return directivity == "talker" && distance_m < 3.0 ? -55.0 : -70.0;
}

HybridOptions Directed(std::string_view name) {
  return {.directivity = *FindDirectivity(name), .facing = kAskew, .key = 9};
}

double ErrorDb(const audio::FoaClip& got, const audio::FoaClip& want, int channel, double from, double to) {
  double error = 0, energy = 0;
  for (size_t i = static_cast<size_t>(from * kRate); i < static_cast<size_t>(to * kRate); ++i) {
    error += std::pow(static_cast<double>(got.channel(channel)[i]) - want.channel(channel)[i], 2);
    energy += std::pow(static_cast<double>(want.channel(channel)[i]), 2);
  }
  return 10 * std::log10(error / energy);
}

TEST(RenderMovingInRoom, OfWhatRestsIsTheStaticRendering) {
  const BandedRoom room = LivingRoom(0.02);
  const std::vector<float> noise = Noise(2.0);
  for (Vec3 place : {Vec3{1, 1, 1}, {5.5, 4.2, 2.2}, {2.4, 3.4, 1.5}}) {
    const audio::FoaClip moving = Render(noise, room, AtRest(place), AtRest(kEars));
    const audio::FoaClip still = RenderStill(noise, room, place, kEars);
    for (int c = 0; c < 4; ++c) EXPECT_LT(ErrorDb(moving, still, c, 0.0, 2.0), -70.0) << c;
  }
}

TEST(RenderMovingInRoom, OfADirectedSourceAtRestIsTheStaticRendering) {
  const BandedRoom room = LivingRoom(0.1);
  const std::vector<float> noise = Noise(1.0);
  for (const char* name : {"wide_cardioid", "cardioid", "talker"}) {
    for (Vec3 place : {Vec3{1, 1, 1}, {5.7, 4.6, 2.5}}) {
      const audio::FoaClip moving = Render(noise, room, AtRest(place), AtRest(kEars), Directed(name));
      const audio::FoaClip still = RenderStill(noise, room, place, kEars, Directed(name));
      const audio::FoaClip omni = RenderStill(noise, room, place, kEars);
      for (int c = 0; c < 4; ++c) {
        EXPECT_LT(ErrorDb(moving, still, c, 0.0, 1.0), LimitDb(name, Norm(place - kEars))) << name << " channel " << c;
        EXPECT_GT(ErrorDb(omni, still, c, 0.0, 1.0), -20.0) << name << " is no " << c;
      }
    }
  }
}

TEST(RenderMovingInRoom, OfWhatRestsIsTheStaticRenderingWhereWallsTakeNearlyAll) {
  BandedRoom room = LivingRoom(0.1);
  for (auto& band : room.absorption) band.fill(0.95);
  const std::vector<float> noise = Noise(1.0);
  const HybridOptions plain = {.high_pass_hz = 0.0, .key = 9};
  const audio::FoaClip moving = Render(noise, room, AtRest({1, 1, 1}), AtRest(kEars), plain);
  const audio::FoaClip still = RenderStill(noise, room, {1, 1, 1}, kEars, plain);
  for (int c = 0; c < 4; ++c) EXPECT_LT(ErrorDb(moving, still, c, 0.0, 1.0), -70.0) << c;
}

TEST(RenderMovingInRoom, OfWhatRestsIsTheStaticRenderingInSmallAndInLongRooms) {
  const std::vector<float> noise = Noise(1.0);
  for (Vec3 size : {Vec3{0.9, 1.1, 0.8}, {30, 2.5, 2.2}, {40, 30, 12}}) {
    BandedRoom room = LivingRoom(0.02);
    room.size_m = size;
    for (auto& band : room.absorption) band.fill(0.07);
    const Vec3 source = {0.3 * size.x, 0.25 * size.y, 0.4 * size.z}, ears = {0.7 * size.x, 0.6 * size.y, 0.55 * size.z};
    const audio::FoaClip moving = Render(noise, room, AtRest(source), AtRest(ears));
    const audio::FoaClip still = RenderStill(noise, room, source, ears);
    for (int c = 0; c < 4; ++c) EXPECT_LT(ErrorDb(moving, still, c, 0.0, 1.0), -70.0) << size.x << " m, channel " << c;
  }
}

TEST(RenderMovingInRoom, FromRestToRestBeginsAndEndsAsTheStaticRenderings) {
  const BandedRoom room = LivingRoom(0.0);
  const std::vector<float> noise = Noise(6.0);
  const Vec3 from = {1, 1, 1.2}, to = {4.9, 2.0, 1.7};
  const Path walk({.shape = PathShape::kLine, .points = {from, to}, .start_seconds = 1.0, .speed_m_per_s = 1.5});
  ASSERT_LT(walk.stop_seconds(), 4.5);
  const audio::FoaClip moving = Render(noise, room, walk, AtRest(kEars));
  const audio::FoaClip before = RenderStill(noise, room, from, kEars), after = RenderStill(noise, room, to, kEars);
  for (int c = 0; c < 4; ++c) {
    EXPECT_LT(ErrorDb(moving, before, c, 0.0, 0.99), -70.0) << c;
    // The last of the early images has come by then.
    EXPECT_LT(ErrorDb(moving, after, c, walk.stop_seconds() + 0.2, 6.0), -70.0) << c;
    EXPECT_GT(ErrorDb(moving, before, c, 2.5, 3.5), -10.0) << "it has moved";
  }
}

TEST(RenderMovingInRoom, KeepsItsPowerBetweenKeyPoints) {
  const BandedRoom room = LivingRoom(0.02);
  const std::vector<float> noise = Noise(6.0);
  // On a circle about the listener the direct sound is constant: what wavers is the room.
  const Path circle({.shape = PathShape::kArc,
                     .points = {kEars + Vec3{1.5, 0, 0}, kEars},
                     .sweep_deg = 300,
                     .start_seconds = 0.5,
                     .speed_m_per_s = 1.5});
  const audio::FoaClip moving = Render(noise, room, circle, AtRest(kEars));
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

TEST(RenderMovingInRoom, MirrorsThePathAndItsFacingInEachWall) {
  const std::vector<float> noise = Noise(2.0);
  const std::vector<Vec3> waypoints = {{1, 1, 1.2}, {3, 1.5, 1.7}, {5, 3.5, 1.0}};
  const auto walk = [&](const std::vector<Vec3>& points) {
    return Path({.shape = PathShape::kSpline, .points = points, .start_seconds = 0.1, .speed_m_per_s = 2.5});
  };
  HybridOptions plain = Directed("cardioid");
  plain.high_pass_hz = 0.0;
  for (int wall = 0; wall < 6; ++wall) {
    BandedRoom room = {.size_m = {6, 5, 3}};
    for (auto& band : room.absorption) {
      band.fill(1.0);
      band[static_cast<size_t>(wall)] = 0.19;  // reflects 0.9
    }
    const audio::FoaClip got = Render(noise, room, walk(waypoints), AtRest(kEars), plain);
    std::vector<Vec3> mirrored = waypoints;
    Vec3 faced = kAskew;
    for (Vec3& p : mirrored) {
      if (wall == 0) p.x = -p.x;
      if (wall == 1) p.x = 12 - p.x;
      if (wall == 2) p.y = -p.y;
      if (wall == 3) p.y = 10 - p.y;
      if (wall == 4) p.z = -p.z;
      if (wall == 5) p.z = 6 - p.z;
    }
    if (wall < 2) faced.x = -faced.x;
    if (wall == 2 || wall == 3) faced.y = -faced.y;
    if (wall > 3) faced.z = -faced.z;
    // Two paths of equal bands: one cardioid as it is, one as the mirror shows it.
    audio::FoaClip want = audio::MakeSilentClip(noise.size(), kRate);
    const auto add = [&](const std::vector<Vec3>& points, Vec3 facing, double reflection) {
      const Path path = walk(points), ears = AtRest(kEars);
      audio::FoaClip omni = audio::MakeSilentClip(noise.size(), kRate);
      AddMovingPath(noise, SampledPath(path, 0, 2), SampledPath(ears, 0, 2), {}, omni);
      for (size_t i = 0; i < omni.frames(); ++i) {
        const double t = static_cast<double>(i) / kRate;
        const Vec3 to_ears = kEars - path.At(EmissionSeconds(path, ears, t)).place_m;
        const double gain = reflection * (0.5 + 0.5 * Dot(facing, to_ears) / Norm(to_ears));
        for (int c = 0; c < 4; ++c) want.channel(c)[i] += static_cast<float>(gain * omni.channel(c)[i]);
      }
    };
    add(waypoints, kAskew, 1.0);
    add(mirrored, faced, 0.9);
    for (int c = 0; c < 4; ++c)
      EXPECT_LT(ErrorDb(got, want, c, 0.0, 2.0), -70.0) << "wall " << wall << " channel " << c;
  }
}

TEST(RenderMovingInRoom, OfAMovingListenerGoesFromOneStaticRenderingToTheOther) {
  const BandedRoom room = LivingRoom(0.0);
  const std::vector<float> noise = Noise(5.0);
  const Vec3 from = {4.5, 1.0, 1.6}, source = {1.2, 3.9, 1.1};
  const Path walk({.shape = PathShape::kLine, .points = {from, kEars}, .start_seconds = 1.0, .speed_m_per_s = 1.2});
  const audio::FoaClip moving = Render(noise, room, AtRest(source), walk);
  const audio::FoaClip before = RenderStill(noise, room, source, from), after = RenderStill(noise, room, source, kEars);
  for (int c = 0; c < 4; ++c) {
    EXPECT_LT(ErrorDb(moving, before, c, 0.0, 0.99), -70.0) << c;
    EXPECT_LT(ErrorDb(moving, after, c, walk.stop_seconds() + 0.2, 5.0), -70.0) << c;
  }
}

TEST(RenderMovingInRoom, RefusesPathsThroughWallsAndThroughTheListener) {
  const BandedRoom room = LivingRoom(0.0);
  const std::vector<float> noise = Noise(3.0);
  const auto refusal = [&](const Path& source, const Path& listener, const BandedRoom& where) {
    const absl::Status status = RenderMovingInRoom(noise, where, source, listener, {}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  const auto line = [](Vec3 a, Vec3 b) {
    return Path({.shape = PathShape::kLine, .points = {a, b}, .speed_m_per_s = 5});
  };
  EXPECT_THAT(refusal(line({1, 1, 1}, {7, 1, 1}), AtRest(kEars), room), HasSubstr("source is at x = "));
  EXPECT_THAT(refusal(AtRest({1, 1, 1}), line(kEars, {2.4, 2.7, 2.995}), room), HasSubstr("listener is at z = "));
  EXPECT_THAT(refusal(line(kEars - Vec3{1, 0, 0}, kEars + Vec3{1, 0, 0}), AtRest(kEars), room),
              HasSubstr("m from the listener at"));
  EXPECT_THAT(std::string(RenderMovingInFreeField(noise, line(kEars - Vec3{1, 0, 0}, kEars + Vec3{1, 0, 0}),
                                                  AtRest(kEars), kRate)
                              .status()
                              .message()),
              HasSubstr("m from the listener at"));
  const auto over_ground = [&](const Path& source, const GroundOptions& options) {
    return std::string(RenderMovingOverGround(noise, source, AtRest(kEars), options).status().message());
  };
  EXPECT_THAT(over_ground(line({3, 0, 1}, {4, 0, 0.005}), {}), HasSubstr("source is at z = 0.00"));
  EXPECT_THAT(over_ground(AtRest({3, 0, 1}), {.absorption = {1, 1, 0, 1, 1, 1, 1}}), HasSubstr("absorption[2]"));
  HybridOptions sideways;
  sideways.facing = {0, 0, 2};
  EXPECT_THAT(
      std::string(RenderMovingInRoom(noise, room, AtRest({1, 1, 1}), AtRest(kEars), sideways).status().message()),
      HasSubstr("facing has length 2"));
  EXPECT_THAT(std::string(RenderMovingInRoom({}, room, AtRest({1, 1, 1}), AtRest(kEars), {}).status().message()),
              HasSubstr("emitted is empty"));
  EXPECT_THAT(
      std::string(
          RenderMovingInRoom(noise, room, AtRest({1, 1, 1}), AtRest(kEars), {.jitter_m = 1.0}).status().message()),
      HasSubstr("jitter_m"));
}

GroundOptions Grass(std::string_view directivity) {
  return {.sample_rate = kRate,
          .absorption = {0.11, 0.26, 0.6, 0.69, 0.92, 0.95, 0.97},
          .directivity = *FindDirectivity(directivity),
          .facing = kAskew};
}

TEST(RenderMovingOverGround, OfWhatRestsIsTheStaticRendering) {
  const std::vector<float> noise = Noise(1.0);
  for (const char* name : {"omni", "cardioid", "talker"}) {
    for (Vec3 place : {Vec3{5, 1, 0.4}, {0.5, 2.4, 2.2}, {40, 70, 1.2}}) {
      const auto moving = RenderMovingOverGround(noise, AtRest(place), AtRest(kEars), Grass(name));
      ASSERT_TRUE(moving.ok()) << moving.status();
      const audio::FoaClip still = Convolve(noise, RenderOverGround(place, kEars, Grass(name)));
      for (int c = 0; c < 4; ++c)
        EXPECT_LT(ErrorDb(*moving, still, c, 0.0, 1.0), LimitDb(name, Norm(place - kEars))) << name << " channel " << c;
    }
  }
}

// At a band's centre only that band speaks: what passes by is two delay lines in closed form.
TEST(RenderMovingOverGround, IsTheDirectSoundAndItsImageUnderAirAndPatternOfTheMoment) {
  const double two_pi = 2 * std::numbers::pi, speed = 20.0, seconds = 3.0;
  const GroundOptions options = Grass("talker");
  const Path drive({.shape = PathShape::kLine,
                    .points = {kEars + Vec3{-200, 3, -0.9}, kEars + Vec3{200, 3, -0.9}},
                    .start_seconds = -9.0,
                    .speed_m_per_s = speed,
                    .ramp_seconds = 1.0});
  const Path ears = AtRest(kEars);
  for (int band : {2, 4}) {
    const double hz = kBandCentreHz[static_cast<size_t>(band)];
    std::vector<float> sine(static_cast<size_t>(seconds * kRate));
    for (size_t i = 0; i < sine.size(); ++i)
      sine[i] = static_cast<float>(std::sin(two_pi * hz * static_cast<double>(i) / kRate));
    const auto got = RenderMovingOverGround(sine, drive, ears, options);
    ASSERT_TRUE(got.ok()) << got.status();
    const double share = options.directivity.omni_share[static_cast<size_t>(band)];
    audio::FoaClip want = audio::MakeSilentClip(sine.size(), kRate);
    for (size_t i = 0; i < sine.size(); ++i) {
      const double t = static_cast<double>(i) / kRate;
      for (bool image : {false, true}) {
        const auto at = [&](double e) {
          Motion m = drive.At(e);
          if (image) m.place_m.z = -m.place_m.z, m.velocity.z = -m.velocity.z;
          return m;
        };
        const double e = EmissionSeconds(at, kEars, t, t), d = Norm(at(e).place_m - kEars);
        const Vec3 unit = 1.0 / d * (at(e).place_m - kEars);
        const Vec3 facing = {kAskew.x, kAskew.y, image ? -kAskew.z : kAskew.z};
        const double air = std::pow(10.0, -AirAttenuationDbPerMetre(hz) * d / 20);
        const double reflection = image ? std::sqrt(1 - options.absorption[static_cast<size_t>(band)]) : 1.0;
        const double gain = air * reflection * (share - (1 - share) * Dot(facing, unit)) / (4 * std::numbers::pi * d);
        const std::array<double, 4> foa = FoaGains(unit);
        for (int c = 0; c < 4; ++c)
          want.channel(c)[i] += static_cast<float>(gain * foa[static_cast<size_t>(c)] * std::sin(two_pi * hz * e));
      }
    }
    for (int c = 0; c < 4; ++c) EXPECT_LT(ErrorDb(*got, want, c, 0.5, 2.9), -75.0) << hz << " Hz, channel " << c;
  }
}

TEST(RenderMovingInFreeField, IsOnePath) {
  const std::vector<float> noise = Noise(1.0);
  const Path walk({.shape = PathShape::kLine, .points = {{1, 1, 1.2}, {4, 1, -3}}, .speed_m_per_s = 2});
  const auto got = RenderMovingInFreeField(noise, walk, AtRest(kEars), kRate);
  ASSERT_TRUE(got.ok()) << got.status();
  audio::FoaClip want = audio::MakeSilentClip(noise.size(), kRate);
  AddMovingPath(noise, SampledPath(walk, 0, 1), SampledPath(AtRest(kEars), 0, 1), {}, want);
  EXPECT_EQ(got->samples, want.samples);
}

}  // namespace
}  // namespace auricle::sim
