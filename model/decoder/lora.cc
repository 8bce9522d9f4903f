#include "model/decoder/lora.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/atomic_file.h"
#include "model/checkpoint/folder_file.h"

namespace auricle::model {
namespace {

using nlohmann::json;

constexpr char kAdapterConfig[] = "adapter_config.json", kAdapterWeights[] = "adapter_model.safetensors";
constexpr char kPeftPrefix[] = "base_model.model.";
constexpr char kWeightSuffix[] = ".weight";
constexpr size_t kMaxAdapterConfigBytes = 4 << 20;
const std::set<std::string>& Projections() {
  static const auto* const names =
      new std::set<std::string>{"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"};
  return *names;
}

// "model.layers.0.self_attn.q_proj" -> "q_proj"
std::string LastPart(const std::string& name) { return name.substr(name.rfind('.') + 1); }

// The weights that the targets mean: (name without ".weight", shape).
std::vector<std::pair<std::string, std::vector<int64_t>>> TargetsOf(const LoraConfig& config, const Decoder& base) {
  std::vector<std::pair<std::string, std::vector<int64_t>>> found;
  for (const auto& [name, tensor] : base.NamedParameters()) {
    if (!name.ends_with(kWeightSuffix) || tensor.dim() != 2) continue;
    const std::string place = name.substr(0, name.size() - std::string_view(kWeightSuffix).size());
    if (std::find(config.targets.begin(), config.targets.end(), LastPart(place)) == config.targets.end()) continue;
    found.emplace_back(place, tensor.sizes().vec());
  }
  return found;
}

std::string PeftName(const std::string& place, const char* factor) {
  return absl::StrCat(kPeftPrefix, place, ".", factor, kWeightSuffix);
}

absl::Status WrongField(const std::string& path, const std::string& field, const std::string& reason) {
  return absl::DataLossError(absl::StrCat(path, ": ", field, ": ", reason));
}

absl::StatusOr<LoraConfig> ParseLoraConfig(const json& file, const std::string& path) {
  if (!file.is_object()) return WrongField(path, "file", "not a JSON object");
  const auto has = [&](const char* field) { return file.contains(field) && !file[field].is_null(); };
  if (!has("peft_type") || file["peft_type"] != "LORA") {
    return absl::UnimplementedError(absl::StrCat(path, ": peft_type: only LORA is read"));
  }
  // Settings under which PEFT computes something else.
  for (const char* field : {"use_dora", "fan_in_fan_out", "lora_bias"}) {
    if (has(field) && file[field] != false) {
      return absl::UnimplementedError(absl::StrCat(path, ": ", field, ": only false is read"));
    }
  }
  if (has("bias") && file["bias"] != "none") {
    return absl::UnimplementedError(absl::StrCat(path, ": bias: only \"none\" is read"));
  }
  for (const char* field : {"rank_pattern", "alpha_pattern", "modules_to_save", "layers_to_transform", "layers_pattern",
                            "layer_replication"}) {
    if (has(field) && !file[field].empty()) {
      return absl::UnimplementedError(absl::StrCat(path, ": ", field, ": is not read; it must be empty"));
    }
  }
  LoraConfig config;
  if (!has("r") || !file["r"].is_number_integer()) return WrongField(path, "r", "missing or not a whole number");
  if (!has("lora_alpha") || !file["lora_alpha"].is_number()) {
    return WrongField(path, "lora_alpha", "missing or not a number");
  }
  config.rank = file["r"].get<int64_t>();
  config.alpha = file["lora_alpha"].get<double>();
  if (has("use_rslora")) {
    if (!file["use_rslora"].is_boolean()) return WrongField(path, "use_rslora", "not true or false");
    config.rank_stabilised = file["use_rslora"].get<bool>();
  }
  if (!has("target_modules")) return WrongField(path, "target_modules", "missing");
  const json& targets = file["target_modules"];
  if (targets.is_array()) {
    config.targets.clear();
    for (const json& target : targets) {
      if (!target.is_string()) return WrongField(path, "target_modules", "an entry that is not text");
      config.targets.push_back(target.get<std::string>());
    }
  } else if (targets != "all-linear") {
    return absl::UnimplementedError(
        absl::StrCat(path, ": target_modules: a list of names or \"all-linear\" is read, not a pattern"));
  }
  if (absl::Status status = config.Validate(); !status.ok()) {
    return absl::DataLossError(absl::StrCat(path, ": ", std::string(status.message())));
  }
  return config;
}

}  // namespace

double LoraConfig::scale() const {
  const auto r = static_cast<double>(rank);
  return alpha / (rank_stabilised ? std::sqrt(r) : r);
}

absl::Status LoraConfig::Validate() const {
  if (rank < 1 || rank > 4096) {
    return absl::InvalidArgumentError(absl::StrCat("rank (r): ", rank, " outside 1 to 4096"));
  }
  if (!(alpha > 0) || !std::isfinite(alpha)) {
    return absl::InvalidArgumentError(absl::StrCat("alpha (lora_alpha): ", alpha, " must be above 0"));
  }
  if (targets.empty()) return absl::InvalidArgumentError("targets (target_modules): empty");
  for (const std::string& target : targets) {
    if (!Projections().contains(target)) {
      return absl::InvalidArgumentError(absl::StrCat("targets (target_modules): \"", target,
                                                     "\" is no projection; q, k, v, o, gate, up and down_proj are"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<LoraAdapter> LoraAdapter::Random(const LoraConfig& config, const Decoder& base,
                                                at::Generator generator) {
  if (absl::Status status = config.Validate(); !status.ok()) return status;
  LoraAdapter adapter;
  adapter.config_ = config;
  for (const auto& [place, shape] : TargetsOf(config, base)) {
    Factors& factors = adapter.factors_[place];
    factors.down = at::empty({config.rank, shape[1]}, at::kFloat)
                       .normal_(0, 1.0 / static_cast<double>(config.rank), generator)
                       .set_requires_grad(true);
    factors.up = at::zeros({shape[0], config.rank}, at::kFloat).set_requires_grad(true);
  }
  return adapter;
}

absl::StatusOr<LoraAdapter> LoraAdapter::Read(const std::string& folder, const Decoder& base) {
  absl::StatusOr<std::string> config_path = FileInFolder(folder, kAdapterConfig);
  if (!config_path.ok()) return config_path.status();
  absl::StatusOr<std::string> text = ReadWholeFile(*config_path, kMaxAdapterConfigBytes);
  if (!text.ok()) return text.status();
  absl::StatusOr<LoraConfig> config =
      ParseLoraConfig(json::parse(*text, nullptr, /*allow_exceptions=*/false), *config_path);
  if (!config.ok()) return config.status();
  absl::StatusOr<std::string> weights_path = FileInFolder(folder, kAdapterWeights);
  if (!weights_path.ok()) return weights_path.status();
  absl::StatusOr<CheckpointTensors> tensors = CheckpointTensors::Open(*weights_path);
  if (!tensors.ok()) return tensors.status();
  LoraAdapter adapter;
  adapter.config_ = *std::move(config);
  for (const auto& [place, shape] : TargetsOf(adapter.config_, base)) {
    absl::StatusOr<at::Tensor> down =
        tensors->Take(PeftName(place, "lora_A"), {adapter.config_.rank, shape[1]}, at::kFloat);
    if (!down.ok()) return down.status();
    absl::StatusOr<at::Tensor> up =
        tensors->Take(PeftName(place, "lora_B"), {shape[0], adapter.config_.rank}, at::kFloat);
    if (!up.ok()) return up.status();
    adapter.factors_[place] = {*std::move(down), *std::move(up)};
  }
  if (absl::Status status = tensors->RefuseLeftovers(); !status.ok()) return status;
  return adapter;
}

absl::Status LoraAdapter::Write(const std::string& folder, const std::string& base_name) const {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return absl::UnavailableError(absl::StrCat(folder, ": cannot create: ", error.message()));
  const json file = {{"peft_type", "LORA"},
                     {"task_type", "CAUSAL_LM"},
                     {"base_model_name_or_path", base_name},
                     {"r", config_.rank},
                     {"lora_alpha", config_.alpha},
                     {"use_rslora", config_.rank_stabilised},
                     {"target_modules", config_.targets},
                     {"bias", "none"},
                     {"lora_dropout", 0.0},
                     {"fan_in_fan_out", false},
                     {"inference_mode", true}};
  const std::string text = file.dump(1) + "\n";
  const std::string_view pieces[] = {text};
  if (absl::Status status = WriteFileAtomically(absl::StrCat(folder, "/", kAdapterConfig), pieces); !status.ok()) {
    return status;
  }
  return SaveTensors(absl::StrCat(folder, "/", kAdapterWeights), NamedParameters(), {{"format", "pt"}});
}

Decoder LoraAdapter::Applied(const Decoder& base) const {
  return base.Mapped([this](const std::string& name, const at::Tensor& weight) {
    if (!name.ends_with(kWeightSuffix)) return weight;
    const auto found = factors_.find(name.substr(0, name.size() - std::string_view(kWeightSuffix).size()));
    if (found == factors_.end()) return weight;
    const at::Tensor change = at::matmul(found->second.up, found->second.down) * config_.scale();
    return weight + change.to(weight.scalar_type());
  });
}

NamedTensors LoraAdapter::NamedParameters() const {
  NamedTensors named;
  for (const auto& [place, factors] : factors_) {
    named.emplace_back(PeftName(place, "lora_A"), factors.down);
    named.emplace_back(PeftName(place, "lora_B"), factors.up);
  }
  return named;
}

}  // namespace auricle::model
