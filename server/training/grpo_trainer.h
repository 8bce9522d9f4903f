// GRPO on a spatial LALM: ears and projector stay as they are, the decoder learns.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "auricle/v1/training.pb.h"
#include "auricle/v1/work.pb.h"
#include "model/audio/foa.h"
#include "server/training/policy_trainer.h"

namespace auricle::server {

// What a task sounds like: sim::TaskAudio with the process's bank.
using AudioOfTask = std::function<absl::StatusOr<audio::FoaClip>(const v1::RolloutTask&)>;

// Reads the model folder in float32. `config` complete. Errors: as model::ReadModelFolder. Log-probabilities are those
// at temperature 1; of multiple-choice answers, of the option among those offered.
absl::StatusOr<std::unique_ptr<PolicyTrainer>> MakeGrpoTrainer(const std::string& model_folder,
                                                               const v1::GrpoConfig& config, AudioOfTask audio_of);

}  // namespace auricle::server
