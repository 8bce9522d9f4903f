// What a reinforcement run needs of the thing it trains.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "auricle/v1/training.pb.h"
#include "server/training/ledger.h"

namespace auricle::server {

// One thread at a time.
class PolicyTrainer {
 public:
  virtual ~PolicyTrainer() = default;

  // One optimiser step on these groups, each with spread. Fills the report's loss, kl, entropy, clip fractions and
  // gradient norm.
  virtual absl::StatusOr<v1::StepReport> Update(const std::vector<SubmittedUnit>& groups) = 0;

  // The policy as a model.safetensors file's bytes.
  virtual absl::StatusOr<std::string> Weights() = 0;

  // Everything that the next Update depends on, and `note` beside it, in one file that is whole or absent.
  virtual absl::Status Save(const std::string& path, const std::string& note) = 0;
  // Takes it up again; returns the note.
  virtual absl::StatusOr<std::string> Load(const std::string& path) = 0;
};

}  // namespace auricle::server
