#include "server/inference/model_registry.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "server/runtime/error_details.h"

namespace auricle::server {

absl::StatusOr<ModelRegistry> ModelRegistry::Create(std::vector<std::shared_ptr<InferenceModel>> models,
                                                    absl::string_view default_name, const v1::ServerLimits& limits) {
  if (models.empty()) return absl::InvalidArgumentError("model: give at least one model folder");
  ModelRegistry registry;
  std::set<std::string> names;
  bool found = default_name.empty();
  for (size_t i = 0; i < models.size(); ++i) {
    v1::ModelInfo info = models[i]->Info();
    if (!names.insert(info.name()).second) {
      return absl::InvalidArgumentError(absl::StrCat("model: two folders are named '", info.name(), "'"));
    }
    if (!default_name.empty() && info.name() == default_name) {
      registry.default_index_ = i;
      found = true;
    }
    info.set_state(v1::MODEL_STATE_SERVING);
    info.mutable_loaded_at()->set_seconds(absl::ToUnixSeconds(absl::Now()));
    *info.mutable_limits() = limits;
    registry.infos_.push_back(std::move(info));
  }
  if (!found) {
    return absl::InvalidArgumentError(
        absl::StrCat("default-model: '", default_name, "'; must be one of ", absl::StrJoin(names, ", ")));
  }
  registry.infos_[registry.default_index_].set_is_default(true);
  registry.models_ = std::move(models);
  return registry;
}

absl::StatusOr<std::shared_ptr<InferenceModel>> ModelRegistry::Find(absl::string_view name,
                                                                    absl::string_view field) const {
  if (name.empty()) return models_[default_index_];
  std::vector<std::string> names;
  for (const auto& model : models_) {
    if (model->Info().name() == name) return model;
    names.push_back(model->Info().name());
  }
  return ErrorWithReason(absl::StatusCode::kNotFound, "MODEL_NOT_FOUND",
                         absl::StrCat(field, ": no model '", Echo(name), "'; there are ", absl::StrJoin(names, ", ")),
                         {{"field", std::string(field)}});
}

std::vector<v1::ModelInfo> ModelRegistry::List() const { return infos_; }

absl::StatusOr<v1::ModelInfo> ModelRegistry::Describe(absl::string_view name) const {
  const absl::StatusOr<std::shared_ptr<InferenceModel>> model = Find(name, "name");
  if (!model.ok()) return model.status();
  for (size_t i = 0; i < models_.size(); ++i) {
    if (models_[i] == *model) return infos_[i];
  }
  return absl::InternalError("unreachable: a model without its description");
}

}  // namespace auricle::server
