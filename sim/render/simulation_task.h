// What a simulation worker runs: a SimulationTask in, scenes with their questions out.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "auricle/v1/work.pb.h"
#include "sim/render/scene_renderer.h"
#include "sim/source/source_bank.h"

namespace auricle::sim {

// Renders the task's scenes in order and hands each on with its questions. `cancelled` is asked before each scene:
// CANCELLED when it says so. `on_scene` may refuse one with an error, which ends the task with that error.
// INVALID_ARGUMENT: count outside [1, 1024], questions_per_scene above 64, or a spec out of range. Thread-safe.
absl::Status RunSimulationTask(
    const v1::SimulationTask& task, const SourceBank& bank,
    const std::function<absl::Status(RenderedScene scene, v1::SimulatedScene message)>& on_scene,
    const std::function<bool()>& cancelled);

}  // namespace auricle::sim
