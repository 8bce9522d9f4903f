#include "model/decoder/gguf_decoder.h"

#include <ATen/core/Tensor.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/mapped_file.h"
#include "model/text/pre_tokenizer.h"

namespace auricle::model {
namespace {

using nlohmann::json;

// Parts of names inside a layer: GGUF's and Hugging Face's.
constexpr std::pair<std::string_view, std::string_view> kLayerParts[] = {
    {"attn_norm", "input_layernorm"}, {"attn_q", "self_attn.q_proj"},      {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},   {"attn_output", "self_attn.o_proj"}, {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},    {"ffn_up", "mlp.up_proj"},           {"ffn_down", "mlp.down_proj"},
};

// Codes of tokenizer.ggml.token_type.
constexpr int64_t kControlToken = 3, kUserToken = 4;

// Llama 3's pattern of splitting.
constexpr std::string_view kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// "blk.3.attn_q.weight" -> layer 3, attn_q, weight; nothing where the name is of another form.
struct LayerName {
  std::string layer, part, kind;
};
std::optional<LayerName> SplitLayerName(const std::string& name) {
  const size_t first = name.find('.'), second = name.find('.', first + 1), last = name.rfind('.');
  if (!name.starts_with("blk.") || second == std::string::npos || last <= second) return std::nullopt;
  return LayerName{name.substr(first + 1, second - first - 1), name.substr(second + 1, last - second - 1),
                   name.substr(last + 1)};
}

std::string HuggingFaceName(const std::string& name) {
  if (name == "token_embd.weight") return "model.embed_tokens.weight";
  if (name == "output_norm.weight") return "model.norm.weight";
  if (name == "output.weight") return "lm_head.weight";
  if (const std::optional<LayerName> layer = SplitLayerName(name)) {
    for (const auto& [ours, theirs] : kLayerParts) {
      if (layer->part == ours)
        return absl::StrCat("model.layers.", layer->layer, ".", std::string(theirs), ".", layer->kind);
    }
  }
  return name;
}

// Rotary pairs (2j, 2j + 1) of each head's rows become (j, j + d / 2).
at::Tensor PairsToHalves(const at::Tensor& rows, int64_t heads) {
  std::vector<int64_t> apart = {heads, rows.size(0) / heads / 2, 2};
  for (int64_t i = 1; i < rows.dim(); ++i) apart.push_back(rows.size(i));
  return rows.view(apart).transpose(1, 2).reshape(rows.sizes());
}

// Reads keys under "<architecture>." and keeps the first complaint.
class Keys {
 public:
  Keys(const GgufReader& file, std::string architecture) : file_(file), prefix_(std::move(architecture) + ".") {}

  bool Has(std::string_view key) const { return file_.metadata().contains(prefix_ + std::string(key)); }
  void Required(std::string_view key, int64_t& value) { Put(file_.Integer(prefix_ + std::string(key)), value); }
  void Optional(std::string_view key, int64_t& value) {
    if (Has(key)) Required(key, value);
  }
  void Required(std::string_view key, double& value) { Put(file_.Number(prefix_ + std::string(key)), value); }
  void Optional(std::string_view key, double& value) {
    if (Has(key)) Required(key, value);
  }
  const absl::Status& status() const { return status_; }

 private:
  template <typename T>
  void Put(const absl::StatusOr<T>& read, T& value) {
    if (read.ok()) {
      value = *read;
    } else if (status_.ok()) {
      status_ = read.status();
    }
  }
  const GgufReader& file_;
  const std::string prefix_;
  absl::Status status_;
};

absl::Status Unsupported(const GgufReader& file, const std::string& key, const std::string& reason) {
  return absl::UnimplementedError(absl::StrCat(file.path(), ": ", key, ": ", reason));
}

// The steps before merging that tokenizer.ggml.pre stands for.
absl::StatusOr<json> PreTokenizerJson(const GgufReader& file, const std::string& name) {
  const auto split = [](std::string_view pattern) {
    return json{{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
  };
  const auto byte_level = [](bool use_regex) {
    return json{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", use_regex}};
  };
  json steps = json::array();
  if (name == "gpt-2" || name == "default") {
    steps = {byte_level(true)};
  } else if (name == "smollm") {
    steps = {split(R"(\p{N})"), byte_level(true)};
  } else if (name == "qwen2") {
    steps = {split(kQwen2Pattern), byte_level(false)};
  } else if (name == "llama-bpe" || name == "llama3") {
    steps = {split(kLlama3Pattern), byte_level(false)};
  } else {
    return Unsupported(file, "tokenizer.ggml.pre",
                       absl::StrCat("\"", Printable(name), "\" is not known: gpt-2, smollm, qwen2 and llama-bpe are"));
  }
  return json{{"type", "Sequence"}, {"pretokenizers", steps}};
}

}  // namespace

absl::StatusOr<DecoderConfig> GgufDecoderConfig(const GgufReader& file) {
  absl::StatusOr<std::string> architecture = file.Text("general.architecture");
  if (!architecture.ok()) return architecture.status();
  if (*architecture != "llama" && *architecture != "qwen2") {
    return Unsupported(file, "general.architecture",
                       absl::StrCat("\"", Printable(*architecture), "\" is not known: llama and qwen2 are"));
  }
  DecoderConfig config;
  config.architecture = *architecture == "llama" ? DecoderArchitecture::kLlama : DecoderArchitecture::kQwen2;
  Keys keys(file, *architecture);
  keys.Required("block_count", config.num_hidden_layers);
  keys.Required("embedding_length", config.hidden_size);
  keys.Required("feed_forward_length", config.intermediate_size);
  keys.Required("attention.head_count", config.num_attention_heads);
  config.num_key_value_heads = config.num_attention_heads;
  keys.Optional("attention.head_count_kv", config.num_key_value_heads);
  config.head_dim = config.num_attention_heads > 0 ? config.hidden_size / config.num_attention_heads : 0;
  keys.Optional("attention.key_length", config.head_dim);
  keys.Optional("context_length", config.max_position_embeddings);
  keys.Required("attention.layer_norm_rms_epsilon", config.rms_norm_eps);
  keys.Optional("rope.freq_base", config.rope_theta);
  int64_t rotary = config.head_dim, experts = 0;
  keys.Optional("rope.dimension_count", rotary);
  keys.Optional("expert_count", experts);
  if (!keys.status().ok()) return keys.status();
  if (rotary != config.head_dim) {
    return Unsupported(file, *architecture + ".rope.dimension_count",
                       absl::StrCat(rotary, ", but heads have ", config.head_dim, " dimensions; all must turn"));
  }
  if (experts != 0) return Unsupported(file, *architecture + ".expert_count", "mixtures of experts are not read");
  if (keys.Has("rope.scaling.type")) {
    absl::StatusOr<std::string> type = file.Text(*architecture + ".rope.scaling.type");
    if (!type.ok()) return type.status();
    if (*type != "none") {
      return Unsupported(
          file, *architecture + ".rope.scaling.type",
          absl::StrCat("\"", Printable(*type), "\" is not read from GGUF; take the Hugging Face folder"));
    }
  }
  if (file.Find("rope_freqs.weight") != nullptr) {
    return Unsupported(file, "rope_freqs.weight",
                       "Llama 3.1's stretched frequencies are not read from GGUF; take the Hugging Face folder");
  }
  const GgufTensor* embedding = file.Find("token_embd.weight");
  if (embedding == nullptr || embedding->shape.size() != 2) {
    return absl::NotFoundError(absl::StrCat(file.path(), ": token_embd.weight: missing, or no matrix"));
  }
  config.vocab_size = embedding->shape[0];
  config.tie_word_embeddings = file.Find("output.weight") == nullptr;
  config.qkv_bias = file.Find("blk.0.attn_q.bias") != nullptr;
  config.output_bias = file.Find("blk.0.attn_output.bias") != nullptr;
  config.mlp_bias = file.Find("blk.0.ffn_gate.bias") != nullptr;
  if (absl::Status status = config.Validate(); !status.ok()) {
    return absl::DataLossError(absl::StrCat(file.path(), ": ", std::string(status.message())));
  }
  return config;
}

CheckpointTensors GgufDecoderTensors(const GgufReader& file, const DecoderConfig& config) {
  std::map<std::string, StoredTensor> stored;
  for (const GgufTensor& tensor : file.tensors()) {
    int64_t paired_heads = 0;
    if (const auto name = SplitLayerName(tensor.name); name && config.architecture == DecoderArchitecture::kLlama) {
      if (name->part == "attn_q") paired_heads = config.num_attention_heads;
      if (name->part == "attn_k") paired_heads = config.num_key_value_heads;
    }
    const auto read = [tensor, paired_heads, mapping = file.mapping()]() -> absl::StatusOr<at::Tensor> {
      absl::StatusOr<at::Tensor> rows = CopyToTensor(tensor);
      if (!rows.ok() || paired_heads == 0) return rows;
      return PairsToHalves(*rows, paired_heads);  // the shape was compared with the configuration's before
    };
    stored.emplace(HuggingFaceName(tensor.name),
                   StoredTensor{file.path(), tensor.shape, std::string(BlockOf(tensor.type).name), true, read});
  }
  return CheckpointTensors(file.path(), std::move(stored));
}

absl::StatusOr<std::string> GgufTokenizerJson(const GgufReader& file) {
  absl::StatusOr<std::string> kind = file.Text("tokenizer.ggml.model");
  if (!kind.ok()) return kind.status();
  if (*kind != "gpt2") {
    return Unsupported(file, "tokenizer.ggml.model",
                       absl::StrCat("\"", Printable(*kind), "\" is not known: gpt2 (byte-level BPE) is"));
  }
  absl::StatusOr<std::vector<std::string>> tokens = file.Texts("tokenizer.ggml.tokens");
  absl::StatusOr<std::vector<std::string>> merges = file.Texts("tokenizer.ggml.merges");
  if (!tokens.ok()) return tokens.status();
  if (!merges.ok()) return merges.status();
  std::vector<int64_t> types(tokens->size(), 1);
  if (file.metadata().contains("tokenizer.ggml.token_type")) {
    absl::StatusOr<std::vector<int64_t>> given = file.Integers("tokenizer.ggml.token_type");
    if (!given.ok()) return given.status();
    if (given->size() != tokens->size()) {
      return absl::DataLossError(absl::StrCat(file.path(), ": tokenizer.ggml.token_type: ", given->size(),
                                              " entries for ", tokens->size(), " tokens"));
    }
    types = *std::move(given);
  }
  std::string pre = "default";
  if (file.metadata().contains("tokenizer.ggml.pre")) {
    absl::StatusOr<std::string> given = file.Text("tokenizer.ggml.pre");
    if (!given.ok()) return given.status();
    pre = *std::move(given);
  }
  absl::StatusOr<json> pre_tokenizer = PreTokenizerJson(file, pre);
  if (!pre_tokenizer.ok()) return pre_tokenizer.status();

  json vocabulary = json::object(), added = json::array();
  for (size_t id = 0; id < tokens->size(); ++id) {
    const std::string& token = (*tokens)[id];
    if (types[id] == kControlToken || types[id] == kUserToken) {
      added.push_back({{"id", id}, {"content", token}, {"special", types[id] == kControlToken}});
    } else if (!vocabulary.emplace(token, id).second) {
      return absl::DataLossError(
          absl::StrCat(file.path(), ": tokenizer.ggml.tokens: \"", Printable(token), "\" is given twice"));
    }
  }
  const bool llama3 = pre == "llama-bpe" || pre == "llama3";
  const json whole = {
      {"version", "1.0"},
      {"added_tokens", std::move(added)},
      {"normalizer", pre == "qwen2" ? json{{"type", "NFC"}} : json()},
      {"pre_tokenizer", *std::move(pre_tokenizer)},
      {"decoder", {{"type", "ByteLevel"}}},
      {"model",
       {{"type", "BPE"}, {"ignore_merges", llama3}, {"vocab", std::move(vocabulary)}, {"merges", *std::move(merges)}}}};
  return whole.dump(-1, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace);
}

}  // namespace auricle::model
