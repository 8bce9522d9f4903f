// Draws scenes: everything that is decided about a scene before a sample of it is computed.
//
// A plan is a pure function of (spec, bank, seed, index): any order, any thread, any machine. The stream of random
// numbers is keyed by the split's name too, so that no room, place or noise of "test" is ever one of "train", whatever
// the seeds; recordings are kept apart by the bank.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "auricle/v1/scene.pb.h"
#include "sim/room/bands.h"
#include "sim/room/geometry.h"
#include "sim/scene/ambience_sampler.h"
#include "sim/scene/microphone_sampler.h"
#include "sim/scene/trajectory.h"
#include "sim/source/source_bank.h"

namespace auricle::sim {

// One source: a recording, how it is played, and from where.
struct PlannedSource {
  int recording = 0;  // index into SourceBank::recordings()
  Vec3 position_m;    // room coordinates
  // How it radiates, one of Directivities(), and the unit vector along which it does so most, room axes.
  std::string directivity = "omni";
  Vec3 facing = {1.0, 0.0, 0.0};
  // Where it moves; position_m is then where it is when it first sounds, or, driving past, the nearest place, about.
  // Absent: it rests at position_m.
  std::optional<Trajectory> trajectory = std::nullopt;
  // Over the nominal dry level (active RMS 0.25), decibels.
  double level_offset_db = 0.0;
  // Playback speed, 1 is as recorded; pitch follows. Only "train" differs from 1, by at most 7 %.
  double speed = 1.0;
  // Treble (above about 1 kHz) over bass, decibels. Only "train" differs from 0, by at most 4 dB.
  double tilt_db = 0.0;
  // What is played: at most this many seconds (after the change of speed), taken from this fraction, [0, 1], of where
  // the excerpt can begin.
  double max_seconds = 60.0;
  double excerpt = 0.0;
  // When it is played, seconds from the start of the scene at the source; ascending. Never overlapping.
  std::vector<double> onsets;
  // Names the stream of this source's response.
  uint64_t key = 0;
};

struct ScenePlan {
  std::string id;  // "<spec>-<seed>-<index>"
  std::string split;
  uint64_t seed = 0;
  uint64_t index = 0;
  double duration_seconds = 5.0;
  int sample_rate = 16000;
  // Free field: no room; the origin of coordinates is then on the ground below the listener.
  bool free_field = false;
  // Material of the ground of a free field. Empty is no ground, no air and every source omnidirectional: the plain 1 /
  // d that tests measure against.
  std::string ground;
  BandedRoom room;
  Vec3 listener_m;
  // Where the listener moves; it begins at listener_m. Absent: it rests there and faces +x.
  std::optional<ListenerTrack> listener_track = std::nullopt;
  std::vector<PlannedSource> sources;
  // Level of the diffuse noise floor in W, RMS over full scale.
  double noise_floor_dbfs = -90.0;
  // Its spectrum falls by this many decibels an octave, [0, 6], above about 100 Hz.
  double noise_slope_db = 3.0;
  uint64_t noise_key = 0;
  // The bed behind the sources, and what is wrong with the microphone. Absent: nothing.
  std::optional<PlannedAmbience> ambience = std::nullopt;
  std::optional<PlannedMicrophone> microphone = std::nullopt;
};

// Gaps and bounds that the sampler keeps; tests hold plans against them.
inline constexpr double kWallClearanceM = 0.2;      // sources
inline constexpr double kListenerClearanceM = 0.5;  // or a fifth of the room's side, if that is less
inline constexpr double kMinSourceHeightM = 0.2;
inline constexpr double kMaxFreeFieldHeightM = 4.0;

// INVALID_ARGUMENT, naming field and range, where a plan is none: no sources, a duration, a rate, a room, an onset, a
// level, a bed or a microphone out of range or not a number. Places, ways, materials and directivities are checked
// where they are rendered.
absl::Status Validate(const ScenePlan& plan);

// `spec` may leave fields unset (scene_spec.h). Thread-safe.
// INVALID_ARGUMENT: a field out of range, or a class that the bank does not have in this split;
// FAILED_PRECONDITION: the bank has fewer classes in this split than max_sources, or distances, separation and rooms
// leave no place for the sources; and what SourceBank::LoadDry tells of a missing or damaged file (its length decides
// the timing).
absl::StatusOr<ScenePlan> PlanScene(const v1::SceneSpec& spec, const SourceBank& bank, uint64_t seed, uint64_t index);

}  // namespace auricle::sim
