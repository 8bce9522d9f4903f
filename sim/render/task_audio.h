// The audio that a rollout task is about, the same for the worker that answers and the trainer that learns from it.
#pragma once

#include "absl/status/statusor.h"
#include "auricle/v1/work.pb.h"
#include "model/audio/foa.h"
#include "sim/source/source_bank.h"

namespace auricle::sim {

// The task's clip (AmbiX file bytes only), or its scene rendered from `bank`, at 16 kHz. FAILED_PRECONDITION: a scene,
// and `bank` is null. INVALID_ARGUMENT: no audio, or one that cannot be read.
absl::StatusOr<audio::FoaClip> TaskAudio(const v1::RolloutTask& task, const SourceBank* bank);

}  // namespace auricle::sim
