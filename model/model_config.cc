#include "model/model_config.h"

#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/atomic_file.h"

namespace auricle::model {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;
constexpr size_t kMaxConfigBytes = 4 << 20;

absl::Status Wrong(const std::string& path, const std::string& field, const std::string& reason) {
  return absl::DataLossError(absl::StrCat(path, ": ", field, ": ", reason));
}

// An error of a part of the file, with the file's name and a code that says the file is wrong.
absl::Status InFile(const std::string& path, const absl::Status& status) {
  return absl::DataLossError(absl::StrCat(path, ": ", std::string(status.message())));
}

absl::StatusOr<std::vector<SoundClass>> ParseClasses(const json& list, const std::string& path) {
  if (!list.is_array()) return Wrong(path, "classes", "missing or not a list");
  std::vector<SoundClass> classes;
  for (size_t i = 0; i < list.size(); ++i) {
    const json& entry = list[i];
    if (!entry.is_object() || !entry.contains("name") || !entry["name"].is_string() || !entry.contains("label") ||
        !entry["label"].is_string()) {
      return Wrong(path, absl::StrCat("classes[", i, "]"), "needs a name and a label, both text");
    }
    classes.push_back({entry["name"].get<std::string>(), entry["label"].get<std::string>()});
  }
  return classes;
}

absl::Status CheckHead(const json& file, const std::string& path) {
  if (!file.contains("auricle_version") || !file["auricle_version"].is_number_integer()) {
    return Wrong(path, "auricle_version", "missing or not a whole number");
  }
  if (const auto version = file["auricle_version"].get<int64_t>(); version != kVersion) {
    return absl::UnimplementedError(
        absl::StrCat(path, ": auricle_version: ", version, ", but this program reads ", kVersion));
  }
  for (const char* part : {"ears", "projector", "decoder"}) {
    if (!file.contains(part) || !file[part].is_object()) return Wrong(path, part, "missing or not an object");
  }
  if (file.contains("sample_rate") && !file["sample_rate"].is_number_integer()) {
    return Wrong(path, "sample_rate", "not a whole number");
  }
  if (file.contains("description") && !file["description"].is_string()) return Wrong(path, "description", "not text");
  return absl::OkStatus();
}

}  // namespace

absl::Status ModelConfig::Validate() const {
  if (sample_rate != 16000)
    return absl::InvalidArgumentError(absl::StrCat("sample_rate: ", sample_rate, ", must be 16000"));
  for (const absl::Status& status : {ears.Validate(), projector.Validate(), decoder.Validate()}) {
    if (!status.ok()) return status;
  }
  if (static_cast<size_t>(ears.classes) != classes.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("classes: ", classes.size(), " entries, but ears.classes is ", ears.classes));
  }
  if (projector.decoder_width != decoder.hidden_size) {
    return absl::InvalidArgumentError(absl::StrCat("projector.decoder_width: ", projector.decoder_width,
                                                   ", but decoder.hidden_size is ", decoder.hidden_size));
  }
  std::set<std::string> names;
  for (const SoundClass& entry : classes) {
    if (entry.name.empty() || !names.insert(entry.name).second) {
      return absl::InvalidArgumentError(absl::StrCat("classes: the name \"", entry.name, "\" is empty or repeats"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<ModelConfig> ReadModelConfig(const std::string& path) {
  absl::StatusOr<std::string> text = ReadWholeFile(path, kMaxConfigBytes);
  if (!text.ok()) return text.status();
  const json file = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (file.is_discarded() || !file.is_object()) return absl::DataLossError(absl::StrCat(path, ": not a JSON object"));
  if (absl::Status status = CheckHead(file, path); !status.ok()) return status;

  ModelConfig config;
  config.sample_rate = file.value("sample_rate", 16000);
  config.description = file.value("description", "");
  absl::StatusOr<EarsConfig> ears = EarsConfig::FromJson(file["ears"]);
  if (!ears.ok()) return InFile(path, ears.status());
  absl::StatusOr<ProjectorConfig> projector = ProjectorConfig::FromJson(file["projector"]);
  if (!projector.ok()) return InFile(path, projector.status());
  // Folders written before there were relation tokens do not name them, and have no weights for them.
  if (!file["projector"].contains("related_slots")) projector->related_slots = 0;
  absl::StatusOr<DecoderConfig> decoder = ParseDecoderConfig(file["decoder"], absl::StrCat(path, ": decoder"));
  if (!decoder.ok()) return decoder.status();
  absl::StatusOr<std::vector<SoundClass>> classes = ParseClasses(file.value("classes", json()), path);
  if (!classes.ok()) return classes.status();
  config.ears = *std::move(ears);
  config.projector = *std::move(projector);
  config.decoder = *std::move(decoder);
  config.classes = *std::move(classes);
  if (absl::Status status = config.Validate(); !status.ok()) return InFile(path, status);
  return config;
}

std::string ModelConfigToJson(const ModelConfig& config) {
  nlohmann::ordered_json file;
  file["auricle_version"] = kVersion;
  file["description"] = config.description;
  file["sample_rate"] = config.sample_rate;
  file["ears"] = config.ears.ToJson();
  file["projector"] = config.projector.ToJson();
  file["decoder"] = DecoderConfigToJson(config.decoder);
  file["classes"] = nlohmann::ordered_json::array();
  for (const SoundClass& entry : config.classes) {
    file["classes"].push_back({{"name", entry.name}, {"label", entry.label}});
  }
  return file.dump(1) + "\n";
}

}  // namespace auricle::model
