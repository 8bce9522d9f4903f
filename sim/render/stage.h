// Where everybody is while a scene lasts: the listener and the sources, at rest and in motion.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/scene/scene_sampler.h"
#include "sim/scene/trajectory.h"

namespace auricle::sim {

// The listener and, as in the plan, the sources.
struct Stage {
  Path listener;
  Turn turn;
  std::vector<Path> sources;

  // Whether the way from this source to the listener changes; a listener that only turns does not change it.
  bool Moves(size_t source) const { return sources[source].moves() || listener.moves(); }
  // Whether the source is heard from changing directions or distances.
  bool Wanders(size_t source) const { return Moves(source) || Turns(turn); }
};

// INVALID_ARGUMENT, naming the member of the plan: a way that is none, or leads out of the room, into the ground or too
// near to the listener.
absl::StatusOr<Stage> SetStage(const ScenePlan& plan);

}  // namespace auricle::sim
