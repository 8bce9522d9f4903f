#include "model/model_folder.h"

#include <torch/torch.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/atomic_file.h"
#include "model/checkpoint/folder_file.h"
#include "model/checkpoint/tensors.h"
#include "model/text/chat_template.h"

namespace auricle::model {
namespace {

constexpr char kConfigFile[] = "config.json";
constexpr char kWeightsFile[] = "model.safetensors";
constexpr char kTokenizerFile[] = "tokenizer.json";
constexpr char kEarsPrefix[] = "ears.";
constexpr char kProjectorPrefix[] = "projector.";
constexpr char kDecoderPrefix[] = "decoder.";
constexpr size_t kMaxTokenizerBytes = 64 << 20;

// Parameters and running statistics. Counters of batches seen (integers) matter to training alone and are not stored.
NamedTensors StateOf(const torch::nn::Module& module) {
  NamedTensors state;
  for (const auto& item : module.named_parameters()) state.emplace_back(item.key(), item.value());
  for (const auto& item : module.named_buffers()) {
    if (item.value().is_floating_point()) state.emplace_back(item.key(), item.value());
  }
  return state;
}

absl::Status LoadModule(torch::nn::Module& module, const std::string& prefix, CheckpointTensors& tensors) {
  torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : StateOf(module)) {
    absl::StatusOr<at::Tensor> stored = tensors.Take(prefix + name, tensor.sizes(), tensor.scalar_type());
    if (!stored.ok()) return stored.status();
    tensor.copy_(*stored);
  }
  for (auto& parameter : module.parameters()) parameter.set_requires_grad(false);
  module.eval();
  return absl::OkStatus();
}

// The tokeniser must fit the decoder's vocabulary and know the chat template's tokens.
absl::Status CheckTokenizer(const std::shared_ptr<const Tokenizer>& tokenizer, int64_t vocab_size,
                            const std::string& origin) {
  if (tokenizer->size() > vocab_size) {
    return absl::DataLossError(
        absl::StrCat(origin, ": ", tokenizer->size(), " tokens, but decoder.vocab_size is ", vocab_size));
  }
  if (absl::Status status = ChatTemplate::Create(tokenizer).status(); !status.ok()) {
    return absl::DataLossError(absl::StrCat(origin, ": ", std::string(status.message())));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ModelParts> ReadModelFolder(const std::string& folder, at::ScalarType decoder_dtype) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    return absl::NotFoundError(absl::StrCat(folder, ": no such folder"));
  }
  ModelParts parts;
  std::string config_path, tokenizer_path, weights_path;
  for (const auto& [name, path] : {std::pair{kConfigFile, &config_path}, std::pair{kTokenizerFile, &tokenizer_path},
                                   std::pair{kWeightsFile, &weights_path}}) {
    absl::StatusOr<std::string> inside = FileInFolder(folder, name);
    if (!inside.ok()) return inside.status();
    *path = *std::move(inside);
  }
  absl::StatusOr<ModelConfig> config = ReadModelConfig(config_path);
  if (!config.ok()) return config.status();
  parts.config = *std::move(config);

  absl::StatusOr<std::string> json = ReadWholeFile(tokenizer_path, kMaxTokenizerBytes);
  if (!json.ok()) return json.status();
  parts.tokenizer_json = *std::move(json);
  absl::StatusOr<std::shared_ptr<const Tokenizer>> tokenizer =
      Tokenizer::FromJson(parts.tokenizer_json, tokenizer_path);
  if (!tokenizer.ok()) return tokenizer.status();
  parts.tokenizer = *std::move(tokenizer);
  absl::Status status = CheckTokenizer(parts.tokenizer, parts.config.decoder.vocab_size, tokenizer_path);
  if (!status.ok()) return status;

  absl::StatusOr<CheckpointTensors> tensors = CheckpointTensors::Open(weights_path);
  if (!tensors.ok()) return tensors.status();
  // The decoder first: it checks shapes before it takes memory.
  absl::StatusOr<Decoder> decoder =
      Decoder::FromCheckpoint(parts.config.decoder, *tensors, kDecoderPrefix, decoder_dtype);
  if (!decoder.ok()) return decoder.status();
  parts.decoder = std::make_shared<Decoder>(*std::move(decoder));
  try {
    parts.ears = EarsNetwork(parts.config.ears);
    parts.projector = Projector(parts.config.ears, parts.config.projector);
    status = LoadModule(*parts.ears, kEarsPrefix, *tensors);
    if (status.ok()) status = LoadModule(*parts.projector, kProjectorPrefix, *tensors);
  } catch (const std::exception& failure) {
    return absl::ResourceExhaustedError(absl::StrCat(weights_path, ": ", failure.what()));
  }
  if (status.ok()) status = tensors->RefuseLeftovers();
  if (!status.ok()) return status;
  return parts;
}

absl::Status WriteModelFolder(const std::string& folder, const ModelParts& parts, at::ScalarType matrices_as) {
  if (absl::Status status = parts.config.Validate(); !status.ok()) return status;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return absl::UnavailableError(absl::StrCat(folder, ": cannot create: ", error.message()));

  const std::string weights_path = absl::StrCat(folder, "/", kWeightsFile);
  NamedTensors tensors;
  try {
    torch::NoGradGuard no_grad;
    const auto add = [&](const std::string& prefix, const NamedTensors& state) {
      for (const auto& [name, tensor] : state) {
        const at::ScalarType stored = tensor.dim() >= 2 ? matrices_as : at::kFloat;
        tensors.emplace_back(prefix + name, tensor.detach().to(at::kCPU).to(stored));
      }
    };
    add(kEarsPrefix, StateOf(*parts.ears));
    add(kProjectorPrefix, StateOf(*parts.projector));
    add(kDecoderPrefix, parts.decoder->NamedParameters());
  } catch (const std::exception& failure) {
    return absl::ResourceExhaustedError(absl::StrCat(weights_path, ": ", failure.what()));
  }
  const std::string config = ModelConfigToJson(parts.config);
  const std::string_view config_pieces[] = {config}, tokenizer_pieces[] = {parts.tokenizer_json};
  absl::Status status = WriteFileAtomically(absl::StrCat(folder, "/", kConfigFile), config_pieces);
  if (status.ok()) status = WriteFileAtomically(absl::StrCat(folder, "/", kTokenizerFile), tokenizer_pieces);
  if (status.ok()) status = SaveTensors(weights_path, tensors, {{"format", "pt"}});
  return status;
}

absl::StatusOr<ModelParts> MakeRandomParts(ModelConfig config, const std::string& tokenizer_json, uint64_t seed) {
  ModelParts parts;
  absl::StatusOr<std::shared_ptr<const Tokenizer>> tokenizer = Tokenizer::FromJson(tokenizer_json, "tokenizer.json");
  if (!tokenizer.ok()) return tokenizer.status();
  parts.tokenizer = *std::move(tokenizer);
  parts.tokenizer_json = tokenizer_json;
  config.decoder.vocab_size = std::max(config.decoder.vocab_size, parts.tokenizer->size());
  if (absl::Status status = config.Validate(); !status.ok()) return status;
  absl::Status status = CheckTokenizer(parts.tokenizer, config.decoder.vocab_size, "tokenizer.json");
  if (!status.ok()) return status;
  try {
    torch::manual_seed(seed);  // the modules' own initialisation draws from LibTorch's default generator
    parts.ears = EarsNetwork(config.ears);
    parts.projector = Projector(config.ears, config.projector);
    absl::StatusOr<Decoder> decoder = Decoder::Random(config.decoder, at::detail::createCPUGenerator(seed));
    if (!decoder.ok()) return decoder.status();
    parts.decoder = std::make_shared<Decoder>(*std::move(decoder));
  } catch (const std::exception& failure) {
    return absl::ResourceExhaustedError(absl::StrCat("model: ", failure.what()));
  }
  parts.config = std::move(config);
  return parts;
}

}  // namespace auricle::model
