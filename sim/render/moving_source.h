// A source that moves in a room or over ground, or that a moving listener hears, as four channels.
//
// In a room the direct sound and the six reflections of first order are moving paths of their own (moving_path.h): the
// images move as mirrors show the source, and face as mirrors show it facing. Their pitch and their delay are what
// tells of motion. All later images are heard by responses taken at places along the way, as they would be at rest,
// without the paths above; the source's signal is handed from one to the next with equal power, since half a metre
// apart they have little in common. The late field is taken at both ends of the way, one drawing of noise under two
// energies: what is handed from the one to the other along straight lines. A source and a listener that rest give the
// static rendering, but for what its high-pass has left to ring when a dry room's response is cut off.
//
// Walls, air and the source's pattern weigh each path in the octave bands of bands.h, for the distance and the
// direction of the moment. A source goes on facing one way, whichever way it goes.
#pragma once

#include <span>

#include "absl/status/statusor.h"
#include "model/audio/foa.h"
#include "sim/room/bands.h"
#include "sim/room/response.h"
#include "sim/scene/trajectory.h"

namespace auricle::sim {

// Responses along the way stand three quarters of a metre apart, as source and listener move together, and a quarter of
// a second or more; at most so many.
inline constexpr int kMostKeyPoints = 24;
inline constexpr double kKeyPointMetres = 0.75, kKeyPointSeconds = 0.25;

// The moving counterparts of the three static responses (response.h). `emitted` is what the source sends out, at the
// sample rate from 0 s on; the result has as many frames, in the axes of the room: TurnWithListener makes them the
// listener's. INVALID_ARGUMENT: nothing emitted, a room or an option out of range, a path that comes within 1 cm of a
// wall or of the ground, or the two within 1 cm of each other while the clip lasts (named source and listener);
// INTERNAL when a transform fails.

// Options as for the static response; min_order is not read.
absl::StatusOr<audio::FoaClip> RenderMovingInRoom(std::span<const float> emitted, const BandedRoom& room,
                                                  const Path& source, const Path& listener,
                                                  const HybridOptions& options);
// The direct sound and its image below the ground.
absl::StatusOr<audio::FoaClip> RenderMovingOverGround(std::span<const float> emitted, const Path& source,
                                                      const Path& listener, const GroundOptions& options);
// The direct sound alone, filtered by nothing.
absl::StatusOr<audio::FoaClip> RenderMovingInFreeField(std::span<const float> emitted, const Path& source,
                                                       const Path& listener, int sample_rate);

}  // namespace auricle::sim
