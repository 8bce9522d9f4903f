#include "model/inspect/model_report.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "model/checkpoint/sha256.h"
#include "model/decoder/decoder_import.h"
#include "model/model_folder.h"

namespace auricle::model {
namespace {

namespace fs = std::filesystem;

bool IsGguf(const std::string& path) { return path.ends_with(".gguf"); }

// A folder with a config.json that speaks of ears is Auricle's own; one without is a decoder from elsewhere.
bool IsAuricleFolder(const std::string& folder) {
  std::ifstream in(folder + "/config.json");
  const auto config = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
  return config.is_object() && (config.contains("auricle_version") || config.contains("ears"));
}

// "4.3 million"
std::string Million(int64_t count) {
  return count >= 1'000'000 ? absl::StrFormat("%.1f million", static_cast<double>(count) / 1e6)
                            : absl::StrFormat("%d", count);
}

int64_t Count(const torch::nn::Module& module) {
  int64_t count = 0;
  for (const at::Tensor& parameter : module.parameters()) count += parameter.numel();
  return count;
}

int64_t Count(const Decoder& decoder) {
  int64_t count = 0;
  for (const auto& [name, parameter] : decoder.NamedParameters()) count += parameter.numel();
  return count;
}

std::string DecoderWords(const DecoderConfig& config) {
  return absl::StrFormat("%s, %d layers of width %d, %d heads on %d of keys and values, %d positions",
                         config.architecture == DecoderArchitecture::kLlama ? "llama" : "qwen2",
                         config.num_hidden_layers, config.hidden_size, config.num_attention_heads,
                         config.num_key_value_heads, config.max_position_embeddings);
}

std::string TokenizerWords(const Tokenizer& tokenizer) {
  return absl::StrCat("byte-level BPE, ", tokenizer.size(), " tokens");
}

void InspectOwn(ModelReport& report) {
  report.kind = "Auricle model";
  absl::StatusOr<ModelParts> parts = ReadModelFolder(report.path);
  if (!parts.ok()) {
    report.state = parts.status();
    return;
  }
  const ModelConfig& config = parts->config;
  const int64_t ears = Count(*parts->ears), projector = Count(*parts->projector), decoder = Count(*parts->decoder);
  report.parameters = ears + projector + decoder;
  report.summary =
      absl::StrFormat("%d classes, %d sources at once, %s decoder of %s", config.ears.classes, config.ears.slots,
                      config.decoder.architecture == DecoderArchitecture::kLlama ? "llama" : "qwen2", Million(decoder));
  std::vector<std::string> labels;
  for (const SoundClass& sound : config.classes) labels.push_back(sound.label);
  const double heard_per_token = static_cast<double>(config.projector.pool) / kTokensPerSecond;
  report.facts = {
      {"description", config.description},
      {"hears", absl::StrFormat("first-order ambisonics at %d Hz, up to %d sources at once", config.sample_rate,
                                config.ears.slots)},
      {"ears", absl::StrCat(Million(ears), " parameters: what, where, when, which room")},
      {"projector", absl::StrFormat("%s parameters: an audio token each %.1f s, and one for each source, each pair of "
                                    "sources and the room",
                                    Million(projector), heard_per_token)},
      {"decoder", absl::StrCat(Million(decoder), " parameters: ", DecoderWords(config.decoder))},
      {"tokeniser", TokenizerWords(*parts->tokenizer)},
      {"knows", absl::StrJoin(labels, ", ")}};
}

void InspectDecoder(ModelReport& report) {
  report.kind = IsGguf(report.path) ? "decoder (GGUF)" : "decoder (Hugging Face)";
  absl::StatusOr<ImportedDecoder> imported = ImportDecoder(report.path, at::kFloat);
  if (!imported.ok()) {
    report.state = imported.status();
    return;
  }
  const DecoderConfig& config = imported->decoder->config();
  report.parameters = Count(*imported->decoder);
  report.summary = DecoderWords(config);
  report.facts = {{"decoder", absl::StrCat(Million(report.parameters), " parameters: ", DecoderWords(config))},
                  {"head", config.tie_word_embeddings ? "tied to the embedding" : "its own"},
                  {"tokeniser", TokenizerWords(*imported->tokenizer)},
                  {"hears", "nothing: it has no ears; a projector must be trained for it"}};
}

// The file whose hash names the weights, and the bytes of all files.
void AddFiles(ModelReport& report) {
  std::error_code error;
  std::string weights = report.path;
  if (!IsGguf(report.path)) {
    for (const auto& entry : fs::directory_iterator(report.path, error)) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with(".safetensors") || name.ends_with(".json")) {
        report.bytes += static_cast<int64_t>(fs::file_size(entry.path(), error));
      }
    }
    weights = report.path + "/model.safetensors";
    if (!fs::exists(weights, error)) weights += ".index.json";
  } else {
    report.bytes = static_cast<int64_t>(fs::file_size(report.path, error));
  }
  if (absl::StatusOr<std::string> hash = Sha256OfFile(weights); hash.ok()) report.sha256 = *std::move(hash);
}

}  // namespace

ModelReport InspectModel(const std::string& path) {
  ModelReport report;
  report.path = path;
  std::error_code error;
  if (!fs::exists(path, error)) {
    report.state = absl::NotFoundError(absl::StrCat(path, ": no such file or folder"));
    return report;
  }
  if (!IsGguf(path) && IsAuricleFolder(path)) {
    InspectOwn(report);
  } else {
    InspectDecoder(report);
  }
  AddFiles(report);
  return report;
}

std::vector<std::string> FindModels(const std::string& path) {
  std::error_code error;
  const auto is_model = [&](const fs::path& at) {
    return fs::is_directory(at, error) ? fs::exists(at / "config.json", error) : IsGguf(at.string());
  };
  if (is_model(path)) return {path};
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    if (is_model(entry.path())) found.push_back(entry.path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace auricle::model
