// Draws the diffuse bed behind the sources of a scene: what it is, how loud, and from which recording.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "auricle/v1/scene.pb.h"
#include "sim/scene/random.h"
#include "sim/source/source_bank.h"

namespace auricle::sim {

struct PlannedAmbience {
  v1::AmbienceKind kind = v1::AMBIENCE_KIND_NOISE;
  // RMS in W over full scale.
  double level_dbfs = -60.0;
  // Of noise, decibels an octave, [0, 6].
  double slope_db = 0.0;
  // Of a recording: index into SourceBank::recordings().
  int recording = 0;
  // Names the stream of the bed's samples.
  uint64_t key = 0;
};

// Shorter recordings are no beds: their repetition would be heard.
inline constexpr double kLeastBedSeconds = 2.0;

// INVALID_ARGUMENT naming the field (ambience.level_dbfs) and its range: a kind that is none, a level outside [-200,
// 0], a slope outside [0, 6]. Whether the bank has the recording, it says itself when it is loaded.
absl::Status Validate(const PlannedAmbience& ambience);

// A bed with the spec's probability, else none. `spec` has its defaults. `heard` are the classes of the scene's sources
// (indices into SoundClasses()): what can be asked for is never the bed. Recordings are of `split`, as everything in
// the scene; where it has none that serves, the bed is speech-shaped noise. INVALID_ARGUMENT: a class that is not in
// the vocabulary. Thread-safe.
absl::StatusOr<std::optional<PlannedAmbience>> DrawAmbience(const v1::AmbienceSpec& spec, const SourceBank& bank,
                                                            Split split, std::span<const int> heard,
                                                            const Random& random);

}  // namespace auricle::sim
