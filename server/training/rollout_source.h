// Where the questions of a reinforcement run come from.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "auricle/v1/training.pb.h"
#include "auricle/v1/work.pb.h"
#include "sim/source/source_bank.h"

namespace auricle::server {

// Numbers are those of the run's units: each is given at most once to each function. Called by one thread at a time.
class RolloutSource {
 public:
  virtual ~RolloutSource() = default;

  // The scenes that a simulation worker makes before there can be a batch of questions; nothing where the source needs
  // none. The same for the same number.
  virtual std::optional<v1::SimulationTask> Scenes(uint64_t number) const = 0;

  // A batch of questions, keys included: about `scenes`, which came of some Scenes(), or (null, where the source needs
  // none) the batch of that number. Only a batch about scenes may be empty. Group size, temperature, seed and policy
  // are the run's to fill.
  virtual std::vector<v1::RolloutTask> Questions(uint64_t number, const v1::SimulationResult* scenes) const = 0;
};

// One question about each scene of (request.spec, request.seed), of request.form and request.tasks. A task refers to
// its scene, which workers with the same bank render again, or brings the audio where the simulation worker sent it.
// INVALID_ARGUMENT: a spec that the bank cannot serve, or tasks that its scenes do not allow.
absl::StatusOr<std::unique_ptr<RolloutSource>> MakeSceneRolloutSource(const v1::StartRunRequest& request,
                                                                      const sim::SourceBank& bank);

}  // namespace auricle::server
