// Draws rooms and places: the geometric half of a scene.
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "auricle/v1/scene.pb.h"
#include "sim/room/bands.h"
#include "sim/room/geometry.h"
#include "sim/scene/random.h"
#include "sim/source/sound_classes.h"

namespace auricle::sim {

// A room whose size is uniform in the spec's ranges and whose reverberation time (the mean of 500 Hz and 1 kHz by
// Eyring's formula) is uniform in the spec's range. Floor, ceiling and walls are of materials that such surfaces are
// made of, drawn a few times for a set that is near the time by itself, evened out by what furniture would scatter, and
// then scaled to the time (ScaleToReverberation); air takes its share. INVALID_ARGUMENT where the size cannot have the
// time, which Validate(spec) rules out.
absl::StatusOr<BandedRoom> DrawRoom(const v1::SceneSpec& spec, Random& random);

// A material for the ground of a free field, each as likely.
std::string_view DrawGround(Random& random);

// How a sound of this class radiates: a talker for voices, omnidirectional for sounds of nature, else with the spec's
// probability a wide cardioid or a cardioid; the name of one of Directivities().
std::string_view DrawDirectivity(const v1::SceneSpec& spec, const SoundClass& sound, Random& random);

// A direction to face, unit vector: any azimuth, elevation within 30 degrees, mostly within 10.
Vec3 DrawFacing(Random& random);

// Listener's place: 1 to 2 m high, clear of the walls.
Vec3 DrawListener(const BandedRoom& room, Random& random);

// Places for `count` sources around the listener: distance log-uniform in the spec's range, azimuth uniform, height
// uniform within the spec's elevations, cut by the walls, and no two closer in angle than the spec allows. `room` null
// is free field. Empty where no places were found.
std::vector<Vec3> DrawPlaces(const v1::SceneSpec& spec, const BandedRoom* room, Vec3 listener, int count,
                             Random& random);

}  // namespace auricle::sim
