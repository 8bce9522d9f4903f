// The real model behind the engine's interface: model/spatial_lalm.h as an InferenceModel.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/inference/engine_model.h"

namespace auricle::server {

// Loads a model folder, names the model after it and answers one question about silence, so that the first real one
// does not pay for warming up. Errors name the folder; otherwise as model::SpatialLalm::Load.
absl::StatusOr<std::shared_ptr<InferenceModel>> LoadSpatialLalm(const std::string& folder);

}  // namespace auricle::server
