#include "server/training/export.h"

#include <torch/torch.h>

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/atomic_file.h"
#include "model/checkpoint/tensors.h"
#include "model/model_folder.h"
#include "sim/source/sound_classes.h"

namespace auricle::training {

absl::StatusOr<std::map<std::string, torch::Tensor>> LoadWeights(const std::string& path) {
  const std::string file = std::filesystem::is_directory(path) ? path + "/model.safetensors" : path;
  auto loaded = model::LoadTensors(file);
  if (!loaded.ok()) return loaded.status();
  for (auto& [name, tensor] : *loaded) {
    if (tensor.is_floating_point()) tensor = tensor.to(torch::kFloat32);
  }
  return loaded;
}

absl::Status ExportModel(const RunConfig& config, const std::map<std::string, torch::Tensor>& weights,
                         const std::string& tokenizer_folder, const std::string& folder) {
  auto tokenizer = model::ReadWholeFile(tokenizer_folder + "/tokenizer.json", 64u << 20);
  if (!tokenizer.ok()) return tokenizer.status();
  model::ModelConfig shape;
  shape.description = absl::StrCat("Auricle ", config.name, ": first-order ambisonics in, English out");
  shape.ears = config.ears;
  shape.projector = config.projector;
  shape.decoder = config.decoder;
  for (const auto& item : sim::SoundClasses())
    shape.classes.push_back({std::string(item.name), std::string(item.label)});
  auto parts = model::MakeRandomParts(std::move(shape), *tokenizer, /*seed=*/1);
  if (!parts.ok()) return parts.status();
  const torch::NoGradGuard no_grad;
  auto copy = [&](const std::string& name, torch::Tensor to) {
    const auto found = weights.find(name);
    if (found == weights.end() || found->second.sizes() != to.sizes()) {
      return absl::FailedPreconditionError(absl::StrCat("cannot export: ", name, " has not been learned yet"));
    }
    to.copy_(found->second);
    return absl::OkStatus();
  };
  for (const auto& [prefix, module] : {std::pair<std::string, torch::nn::Module*>{"ears.", parts->ears.get()},
                                       {"projector.", parts->projector.get()}}) {
    for (const auto& item : module->named_parameters()) {
      if (absl::Status status = copy(prefix + item.key(), item.value()); !status.ok()) return status;
    }
    for (const auto& item : module->named_buffers()) {
      if (!item.value().is_floating_point()) continue;  // counters of batch norm: not stored either
      if (absl::Status status = copy(prefix + item.key(), item.value()); !status.ok()) return status;
    }
  }
  for (auto& [name, tensor] : parts->decoder->NamedParameters()) {
    if (absl::Status status = copy("decoder." + name, tensor); !status.ok()) return status;
  }
  return model::WriteModelFolder(folder, *parts);
}

}  // namespace auricle::training
