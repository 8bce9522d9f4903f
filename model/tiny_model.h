// The `tiny` model on disk, for the tests of whatever needs a model and not its wits. No LibTorch in this header.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace auricle::model {

// Writes config.json, model.safetensors and tokenizer.json (some hundred kB, random weights) into `folder`, which is
// created where it is missing. Equal seeds give equal files. Its answers are noise, but every path of a real model
// runs.
absl::Status WriteTinyModel(const std::string& folder, uint64_t seed);

}  // namespace auricle::model
