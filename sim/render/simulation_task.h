// What a simulation worker runs: a SimulationTask in, scenes with their questions out.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "auricle/v1/work.pb.h"
#include "sim/render/scene_renderer.h"
#include "sim/source/source_bank.h"

namespace auricle::sim {

// Renders the task's scenes in order, indices first_index to first_index + count - 1, and hands each on with its
// questions, one at a time: it holds no more than one scene. `cancelled` is asked before each scene, from the calling
// thread: CANCELLED when it says so, after what was handed on so far; the rest can be made by a task that begins where
// this one ended. None: never cancelled. `on_scene` may refuse a scene with an error, which ends the task with that
// error. The flac of the message is left to who sends it.
// INVALID_ARGUMENT, before the first scene and naming the field: count outside [1, 1024], a first_index that leaves no
// room for them, questions_per_scene above 64, a form or a task that there is not, or a spec out of range. Also what
// PlanScene and RenderScene tell, of a recording that is missing or damaged above all. Thread-safe; starts no threads.
absl::Status RunSimulationTask(
    const v1::SimulationTask& task, const SourceBank& bank,
    const std::function<absl::Status(RenderedScene scene, v1::SimulatedScene message)>& on_scene,
    const std::function<bool()>& cancelled = nullptr);

}  // namespace auricle::sim
