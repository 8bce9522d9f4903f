// Where the questions of a reinforcement run come from.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "auricle/v1/training.pb.h"
#include "auricle/v1/work.pb.h"
#include "sim/source/source_bank.h"

namespace auricle::server {

class RolloutSource {
 public:
  virtual ~RolloutSource() = default;
  // The question, key included, and the audio of the number-th task: the same at every call. Group size, temperature and
  // policy are the run's to fill.
  virtual absl::StatusOr<v1::RolloutTask> Make(uint64_t number) = 0;
};

// One question about each scene of (request.spec, request.seed), of request.form and request.tasks. The task refers to the
// scene; workers with the same bank render it again. INVALID_ARGUMENT: a spec that the bank cannot serve.
absl::StatusOr<std::unique_ptr<RolloutSource>> MakeSceneRolloutSource(const v1::StartRunRequest& request,
                                                                      std::shared_ptr<const sim::SourceBank> bank);

}  // namespace auricle::server
