// From a plan to what the listener hears, with the truth about it.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "auricle/v1/scene.pb.h"
#include "model/audio/foa.h"
#include "sim/scene/scene_sampler.h"
#include "sim/source/source_bank.h"

namespace auricle::sim {

struct RenderedScene {
  audio::FoaClip audio;  // AmbiX, duration_seconds at the plan's rate; levels as drawn, never normalised
  v1::Scene truth;       // every "truth" field of scene.proto; sources by onset, ids "s1", "s2", ...
};

// Direct sound and room of every source, noise floor, bed and microphone, and the truth measured on them: activity from
// each source's own direct sound, audibility row by row (audibility.h), T30 from the rendered response,
// signal_to_rest_db from the rendered signals: over the other sources, floor, bed, and what the microphone adds (its
// own noise, errors of coding); where that leaves digital silence, at its least. The geometry stays what it is,
// whatever the microphone made of it. Thread-safe: no state but the bank's cache; starts no threads. T30 is that of the
// response of the first source by onset. What moves is rendered by moving_source.h and described by motion_truth.h,
// where it is heard and when it is heard there; a source at rest before a listener at rest is one convolution, whatever
// the others do. Of a moving source, position, direct_to_reverberant_db and T30 are those of the place where it first
// sounds. INVALID_ARGUMENT where the plan is not one that PlanScene makes, naming the field; errors of the bank and of
// the responses are passed on.
absl::StatusOr<RenderedScene> RenderScene(const ScenePlan& plan, const SourceBank& bank);

// Scene `index` of (spec, seed): PlanScene, then RenderScene.
absl::StatusOr<RenderedScene> RenderScene(const v1::SceneSpec& spec, const SourceBank& bank, uint64_t seed,
                                          uint64_t index);

}  // namespace auricle::sim
