#include "model/decoder/decoder_import.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/atomic_file.h"
#include "model/checkpoint/folder_file.h"
#include "model/decoder/gguf_decoder.h"

namespace auricle::model {
namespace {

constexpr size_t kMaxConfigBytes = 4 << 20, kMaxTokenizerBytes = 64 << 20;

// `origin` stands for where the tokeniser comes from in messages.
absl::StatusOr<ImportedDecoder> Assemble(const DecoderConfig& config, CheckpointTensors tensors,
                                         std::string tokenizer_json, const std::string& origin, at::ScalarType dtype) {
  ImportedDecoder imported;
  absl::StatusOr<std::shared_ptr<const Tokenizer>> tokenizer = Tokenizer::FromJson(tokenizer_json, origin);
  if (!tokenizer.ok()) return tokenizer.status();
  imported.tokenizer = *std::move(tokenizer);
  imported.tokenizer_json = std::move(tokenizer_json);
  if (imported.tokenizer->size() > config.vocab_size) {
    return absl::DataLossError(absl::StrCat(origin, ": ", imported.tokenizer->size(), " tokens, but the embedding has ",
                                            config.vocab_size, " rows"));
  }
  absl::StatusOr<Decoder> decoder = Decoder::FromCheckpoint(config, tensors, "", dtype);
  if (!decoder.ok()) return decoder.status();
  // Frequencies that old exports keep, and that follow from the configuration.
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    tensors.Ignore(absl::StrCat("model.layers.", i, ".self_attn.rotary_emb.inv_freq"));
  }
  if (absl::Status status = tensors.RefuseLeftovers(); !status.ok()) return status;
  imported.decoder = std::make_shared<Decoder>(*std::move(decoder));
  return imported;
}

absl::StatusOr<ImportedDecoder> ImportGguf(const std::string& path, at::ScalarType dtype) {
  absl::StatusOr<GgufReader> file = GgufReader::Open(path);
  if (!file.ok()) return file.status();
  absl::StatusOr<DecoderConfig> config = GgufDecoderConfig(*file);
  if (!config.ok()) return config.status();
  absl::StatusOr<std::string> tokenizer = GgufTokenizerJson(*file);
  if (!tokenizer.ok()) return tokenizer.status();
  return Assemble(*config, GgufDecoderTensors(*file, *config), *std::move(tokenizer), path, dtype);
}

absl::StatusOr<CheckpointTensors> OpenFolderWeights(const std::string& folder) {
  absl::StatusOr<std::string> single = FileInFolder(folder, "model.safetensors");
  if (!single.ok()) return single.status();
  absl::StatusOr<std::string> index = FileInFolder(folder, "model.safetensors.index.json");
  if (!index.ok()) return index.status();
  std::error_code error;
  if (!std::filesystem::exists(*single, error) && std::filesystem::exists(*index, error)) {
    return CheckpointTensors::OpenSharded(*index);
  }
  return CheckpointTensors::Open(*single);
}

absl::StatusOr<ImportedDecoder> ImportFolder(const std::string& folder, at::ScalarType dtype) {
  absl::StatusOr<std::string> config_path = FileInFolder(folder, "config.json");
  if (!config_path.ok()) return config_path.status();
  absl::StatusOr<std::string> config_text = ReadWholeFile(*config_path, kMaxConfigBytes);
  if (!config_text.ok()) return config_text.status();
  const auto config_json = nlohmann::json::parse(*config_text, nullptr, /*allow_exceptions=*/false);
  if (config_json.is_discarded()) return absl::DataLossError(absl::StrCat(*config_path, ": not valid JSON"));
  absl::StatusOr<DecoderConfig> config = ParseDecoderConfig(config_json, *config_path);
  if (!config.ok()) return config.status();
  absl::StatusOr<std::string> tokenizer_path = FileInFolder(folder, "tokenizer.json");
  if (!tokenizer_path.ok()) return tokenizer_path.status();
  absl::StatusOr<std::string> tokenizer = ReadWholeFile(*tokenizer_path, kMaxTokenizerBytes);
  if (!tokenizer.ok()) return tokenizer.status();
  absl::StatusOr<CheckpointTensors> tensors = OpenFolderWeights(folder);
  if (!tensors.ok()) return tensors.status();
  return Assemble(*config, *std::move(tensors), *std::move(tokenizer), *tokenizer_path, dtype);
}

}  // namespace

absl::StatusOr<ImportedDecoder> ImportDecoder(const std::string& path, at::ScalarType dtype) {
  return path.ends_with(".gguf") ? ImportGguf(path, dtype) : ImportFolder(path, dtype);
}

}  // namespace auricle::model
