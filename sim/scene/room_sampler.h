// Draws rooms and places: the geometric half of a scene.
#pragma once

#include <vector>

#include "auricle/v1/scene.pb.h"
#include "sim/room/bands.h"
#include "sim/room/geometry.h"
#include "sim/scene/random.h"

namespace auricle::sim {

// A room whose size is uniform in the spec's ranges and whose middle band reaches a reverberation time, uniform in the
// spec's range, by Eyring's formula. Walls differ from each other, bass rings longer and treble shorter, air takes its
// share.
BandedRoom DrawRoom(const v1::SceneSpec& spec, Random& random);

// Listener's place: 1 to 2 m high, clear of the walls.
Vec3 DrawListener(const BandedRoom& room, Random& random);

// Places for `count` sources around the listener: distance log-uniform in the spec's range, azimuth uniform, height
// uniform within reach, cut by the walls, and no two closer in angle than the spec allows. `room` null is free field.
// Empty where no places were found.
std::vector<Vec3> DrawPlaces(const v1::SceneSpec& spec, const BandedRoom* room, Vec3 listener, int count,
                             Random& random);

}  // namespace auricle::sim
