// Draws ways: how a source or the listener of a scene moves.
#pragma once

#include <optional>
#include <span>

#include "auricle/v1/scene.pb.h"
#include "sim/room/geometry.h"
#include "sim/scene/random.h"
#include "sim/scene/trajectory.h"

namespace auricle::sim {

// Faster than this is no walker, metres a second.
inline constexpr double kWalkersMaxSpeed = 2.5;
// Of a walking listener from the walls, metres.
inline constexpr double kWalkingClearanceM = 0.3;

// What there is to know before a way can be drawn. `room_size_m` null is free field.
struct MotionGround {
  const v1::SceneSpec& spec;
  const Vec3* room_size_m = nullptr;
  double duration_seconds = 0.0;

  // Sources keep this from the listener: what the spec's distances begin with, but 0.3 m at least.
  double MinDistance() const;
};

// A turn of 30 to 150 degrees, a walk straight on, or both, begun in the first half of the scene. Keeps clear of the
// walls and of `places`, where the sources are. Empty where no walk was found.
std::optional<ListenerTrack> DrawListenerMotion(const MotionGround& ground, Vec3 listener_m,
                                                std::span<const Vec3> places, Random& random);

// A way for the source that is at `place_m` when it first sounds, and sounds from `from` to `to` seconds: a line, an
// arc about the listener or about some point, or a spline, along which it goes while it sounds. Outdoors, what is
// faster than kWalkersMaxSpeed drives past on a straight line, with `place_m` as the point that is nearest, give or
// take, and at one speed throughout the scene. Keeps clear of the walls (kWallClearanceM) and of the listener's way.
// Empty where no way was found.
std::optional<Trajectory> DrawSourceMotion(const MotionGround& ground, const Path& listener, Vec3 place_m, double from,
                                           double to, Random& random);

}  // namespace auricle::sim
