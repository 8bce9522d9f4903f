// A checkpoint bundle: one safetensors file that holds everything a stage needs to go on, or nothing at all.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "torch/types.h"

namespace auricle::training {

// Model, moving average and optimiser are tensors; step (which is also the cursor of scenes and the position of every
// random stream), planned steps and configuration are the file's metadata.
struct Bundle {
  int64_t step = 0;         // the next step to take
  int64_t total_steps = 0;  // planned; 0 while the plan waits for a measured rate
  double seconds = 0;       // of wall time spent so far
  std::string config;       // canonical JSON
  std::map<std::string, torch::Tensor> tensors;
};

// Writes `folder`/checkpoint-<step>.safetensors atomically and then removes all but the newest two.
absl::Status WriteBundle(const std::string& folder, const Bundle& bundle);

// The newest bundle of the folder that can be read; nothing where there is none. A damaged newest one is passed over
// for the one before it.
absl::StatusOr<std::optional<Bundle>> ReadNewestBundle(const std::string& folder);

}  // namespace auricle::training
