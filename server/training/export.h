// From learned weights to a model folder that people can load.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/training/run_config.h"
#include "torch/types.h"

namespace auricle::training {

// Weights of the model in `folder` (model.safetensors), or of a file of weights, by the names that stages use:
// "ears.", "projector.", "decoder.". float32.
absl::StatusOr<std::map<std::string, torch::Tensor>> LoadWeights(const std::string& path);

// Writes config.json, tokenizer.json (from `tokenizer_folder`) and model.safetensors (bf16). Weights that were never
// learned are refused: FAILED_PRECONDITION names the first.
absl::Status ExportModel(const RunConfig& config, const std::map<std::string, torch::Tensor>& weights,
                         const std::string& tokenizer_folder, const std::string& folder);

}  // namespace auricle::training
