// One stage of the curriculum, as the run loop drives it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/training/curves.h"
#include "server/training/run_config.h"
#include "server/training/team.h"
#include "sim/source/source_bank.h"
#include "torch/types.h"

namespace auricle::training {

using TensorMap = std::map<std::string, torch::Tensor>;

// What all stages share. Outlives them.
struct Workshop {
  const RunConfig& config;
  const sim::SourceBank& bank;
  Team& team;
  torch::Device device;
  // Threads 0 .. replicas - 1 run forward and backward. On a GPU that is thread 0 alone, and all others render.
  int replicas = 1;
  // Folder of the model being made: tokenizer.json is written there when it is missing.
  std::string model_folder;
};

// Everything that a step does is decided by (configuration, weights at its start, step): so a stage that goes on from a
// checkpoint gives the same losses as one that was never stopped.
class Stage {
 public:
  virtual ~Stage() = default;

  virtual std::string name() const = 0;
  virtual const StageBudget& budget() const = 0;

  // Weights of earlier stages, by plain names. Called once, before Start, on a stage without a checkpoint.
  virtual absl::Status Inherit(const TensorMap& weights) = 0;
  // Brings the windows to where `step` needs them. After State has been loaded, if there was any. `done`: as given to
  // the step before, 0 where there was none.
  virtual absl::Status Start(int64_t step, double done) = 0;
  // `done`: share of the stage's budget that lies behind, [0, 1). The row begins with "loss".
  virtual absl::StatusOr<Row> Step(int64_t step, double rate, double done) = 0;
  // With the averaged weights, on scenes of held-out recordings.
  virtual absl::StatusOr<Row> Evaluate() = 0;

  // Everything that the next step depends on, and its inverse.
  virtual TensorMap State() const = 0;
  virtual absl::Status LoadState(const TensorMap& state) = 0;
  // Averaged weights of the whole model as far as this stage knows it, by plain names, for the next stage and export.
  virtual TensorMap Weights() const = 0;

  virtual std::vector<Panel> Panels() const = 0;
  virtual std::vector<Panel> ValidationPanels() const = 0;
};

std::unique_ptr<Stage> MakeEncoderStage(const Workshop& workshop);
// "language", "alignment" or "sft".
std::unique_ptr<Stage> MakeDecoderStage(const Workshop& workshop, const std::string& name);

}  // namespace auricle::training
