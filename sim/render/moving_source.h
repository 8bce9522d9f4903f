// A source that moves in a room, or that a moving listener hears, as four channels.
//
// The direct sound and the six reflections of first order are moving paths of their own (moving_path.h): the images
// move as mirrors show the source. Their pitch and their delay are what tells of motion. All later images are heard by
// responses taken at places along the way, as they would be at rest, without the paths above; the source's signal is
// handed from one to the next with equal power, since half a metre apart they have little in common. The late field has
// no place: it is one response for the whole way. A source and a listener that rest give the static rendering, but for
// what its high-pass has left to ring when a dry room's response is cut off.
//
// Walls and air colour each of the seven paths by the bands of bands.h; air takes its share for the mean length of the
// path while it sounds (within a room the highest band changes by 0.03 dB a metre).
#pragma once

#include <span>

#include "absl/status/statusor.h"
#include "model/audio/foa.h"
#include "sim/room/bands.h"
#include "sim/room/response.h"
#include "sim/scene/trajectory.h"

namespace auricle::sim {

// Responses along the way stand half a metre apart, as source and listener move together, and a quarter of a second or
// more; at most so many.
inline constexpr int kMostKeyPoints = 24;
inline constexpr double kKeyPointMetres = 0.5, kKeyPointSeconds = 0.25;

// `emitted` is what the source sends out, at options.sample_rate from 0 s on; the result has as many frames, in the
// axes of the room: TurnWithListener makes them the listener's. `room` null is free field. `options` as for the static
// response (its min_order is not read).
// INVALID_ARGUMENT: nothing emitted, a room or an option out of range, a path that comes within 1 cm of a wall or the
// two within 1 cm of each other while the clip lasts (named source and listener); INTERNAL when a transform fails.
absl::StatusOr<audio::FoaClip> RenderMovingSource(std::span<const float> emitted, const BandedRoom* room,
                                                  const Path& source, const Path& listener,
                                                  const HybridOptions& options);

}  // namespace auricle::sim
