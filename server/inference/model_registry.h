// The models that serve, by name. Filled before the server starts; safe for concurrent reads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "auricle/v1/model.pb.h"
#include "server/inference/engine_model.h"

namespace auricle::server {

class ModelRegistry {
 public:
  // `default_name` empty: the first. INVALID_ARGUMENT: no model, two of one name, no model `default_name`.
  static absl::StatusOr<ModelRegistry> Create(std::vector<std::shared_ptr<InferenceModel>> models,
                                              absl::string_view default_name, const v1::ServerLimits& limits);

  // Empty: the default. NOT_FOUND (MODEL_NOT_FOUND) names `field` and the names that there are.
  absl::StatusOr<std::shared_ptr<InferenceModel>> Find(absl::string_view name, absl::string_view field) const;

  // As ModelControl tells them, in the order given.
  std::vector<v1::ModelInfo> List() const;
  absl::StatusOr<v1::ModelInfo> Describe(absl::string_view name) const;

 private:
  ModelRegistry() = default;
  std::vector<std::shared_ptr<InferenceModel>> models_;
  std::vector<v1::ModelInfo> infos_;
  size_t default_index_ = 0;
};

}  // namespace auricle::server
