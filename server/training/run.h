// A run: the stages of the curriculum one after another, each resumable, with curves and checkpoints in one folder.
//
//   RUN_DIR/config.json                      the configuration, complete
//   RUN_DIR/<stage>/checkpoint-N.safetensors the newest two bundles
//   RUN_DIR/<stage>/curves.{jsonl,csv,svg}   one row for each step, drawn
//   RUN_DIR/<stage>/validation.{jsonl,csv}   held-out scores
//   RUN_DIR/<stage>/final.safetensors        averaged weights when the stage is over (bf16 would do; kept in fp32)
//   RUN_DIR/model/                           tokenizer.json while it is made
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/training/run_config.h"
#include "sim/source/source_bank.h"
#include "torch/types.h"

namespace auricle::training {

// In the order in which they build on each other.
inline constexpr const char* kStages[] = {"encoder", "language", "alignment", "sft"};

struct RunOptions {
  std::string folder;               // RUN_DIR
  std::vector<std::string> stages;  // in order
  int64_t steps = 0;                // above 0: instead of the configuration's steps and minutes, for each stage
  double minutes = 0;               // above 0: likewise
  int threads = 2;
  torch::Device device = torch::kCPU;
  std::string init;                         // folder of a model whose weights to start from, or empty
  std::string export_folder;                // where the model goes when the stages are over, or empty
  const std::atomic<bool>* stop = nullptr;  // once true: checkpoint and return
};

// A stage begins with what `init` and the stages before it in this folder have learned. OK also when stopped.
// FAILED_PRECONDITION where the folder holds a run of another configuration (names the field), another process trains
// there, or `device` is not there (the folder is then left alone). INTERNAL where LibTorch fails in the middle of a
// stage, as when the windows do not fit into the device's memory: the newest checkpoint is what a next run goes on
// from.
absl::Status TrainRun(const RunConfig& config, const sim::SourceBank& bank, const RunOptions& options);

}  // namespace auricle::training
