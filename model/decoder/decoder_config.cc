#include "model/decoder/decoder_config.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace auricle::model {
namespace {

using nlohmann::json;

// Reads fields one by one and keeps the first complaint.
class FieldReader {
 public:
  FieldReader(const json& object, const std::string& origin) : object_(object), origin_(origin) {}

  // Absent and null are the same.
  bool Has(const char* name) const {
    const auto found = object_.find(name);
    return found != object_.end() && !found->is_null();
  }
  void Required(const char* name, int64_t& value) {
    if (!Has(name)) return Complain(name, "missing");
    Optional(name, value);
  }
  void Optional(const char* name, int64_t& value) {
    if (!Has(name)) return;
    if (!object_[name].is_number_integer()) return Complain(name, "not a whole number");
    value = object_[name].get<int64_t>();
  }
  void Optional(const char* name, double& value) {
    if (!Has(name)) return;
    if (!object_[name].is_number()) return Complain(name, "not a number");
    value = object_[name].get<double>();
  }
  void Optional(const char* name, bool& value) {
    if (!Has(name)) return;
    if (!object_[name].is_boolean()) return Complain(name, "not true or false");
    value = object_[name].get<bool>();
  }
  std::string Text(const char* name) const {
    return Has(name) && object_[name].is_string() ? object_[name].get<std::string>() : "";
  }
  void Complain(const std::string& name, const std::string& reason) {
    if (status_.ok()) status_ = absl::DataLossError(absl::StrCat(origin_, ": ", name, ": ", reason));
  }
  const absl::Status& status() const { return status_; }

 private:
  const json& object_;
  const std::string& origin_;
  absl::Status status_;
};

absl::Status Unsupported(const std::string& origin, const std::string& field, const std::string& reason) {
  return absl::UnimplementedError(absl::StrCat(origin, ": ", field, ": ", reason));
}

absl::StatusOr<DecoderArchitecture> ParseArchitecture(const json& object, const FieldReader& fields,
                                                      const std::string& origin) {
  std::string name = fields.Text("model_type");
  if (fields.Has("architectures") && object["architectures"].is_array() && !object["architectures"].empty() &&
      object["architectures"][0].is_string()) {
    const std::string architecture = object["architectures"][0].get<std::string>();
    if (architecture == "LlamaForCausalLM" && (name.empty() || name == "llama")) return DecoderArchitecture::kLlama;
    if (architecture == "Qwen2ForCausalLM" && (name.empty() || name == "qwen2")) return DecoderArchitecture::kQwen2;
    return Unsupported(origin, "architectures",
                       absl::StrCat(architecture, " (model_type \"", name,
                                    "\") is not known: LlamaForCausalLM and Qwen2ForCausalLM are"));
  }
  if (name == "llama") return DecoderArchitecture::kLlama;
  if (name == "qwen2") return DecoderArchitecture::kQwen2;
  return Unsupported(origin, "model_type", absl::StrCat("\"", name, "\" is not known: llama and qwen2 are"));
}

// Both spellings: "rope_parameters" holds theta and scaling together; else theta is at the top and "rope_scaling"
// beside it.
absl::Status ParseRope(const json& object, FieldReader& top, const std::string& origin, DecoderConfig& config) {
  top.Optional("rope_theta", config.rope_theta);
  const char* group = top.Has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  if (!top.Has(group)) return top.status();
  if (!object[group].is_object()) return absl::DataLossError(absl::StrCat(origin, ": ", group, ": not an object"));
  FieldReader rope(object[group], origin);
  rope.Optional("rope_theta", config.rope_theta);
  const std::string type = rope.Has("rope_type") ? rope.Text("rope_type") : rope.Text("type");
  if (type == "llama3") {
    Llama3RopeScaling& scaling = config.rope_scaling;
    scaling.factor = 1;
    rope.Optional("factor", scaling.factor);
    if (!(scaling.factor >= 1)) rope.Complain("rope_scaling.factor", "must be at least 1");
    rope.Optional("low_freq_factor", scaling.low_freq_factor);
    rope.Optional("high_freq_factor", scaling.high_freq_factor);
    rope.Optional("original_max_position_embeddings", scaling.original_max_position_embeddings);
  } else if (!type.empty() && type != "default") {
    return Unsupported(origin, absl::StrCat(group, ".rope_type"),
                       absl::StrCat("\"", type, "\" is not known: default and llama3 are"));
  }
  return rope.status();
}

absl::Status CheckRange(const std::string& field, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", value, " outside ", low, " to ", high));
}

}  // namespace

absl::Status DecoderConfig::Validate() const {
  struct Bound {
    const char* field;
    int64_t value, low, high;
  };
  // Upper bounds are far above any real model: they keep products of a lying file inside int64.
  for (const Bound& bound :
       {Bound{"vocab_size", vocab_size, 1, 1 << 24}, Bound{"hidden_size", hidden_size, 1, 1 << 17},
        Bound{"num_hidden_layers", num_hidden_layers, 1, 1024},
        Bound{"num_attention_heads", num_attention_heads, 1, 4096},
        Bound{"num_key_value_heads", num_key_value_heads, 1, num_attention_heads}, Bound{"head_dim", head_dim, 2, 4096},
        Bound{"intermediate_size", intermediate_size, 1, 1 << 20},
        Bound{"max_position_embeddings", max_position_embeddings, 1, 1 << 30}}) {
    if (absl::Status status = CheckRange(bound.field, bound.value, bound.low, bound.high); !status.ok()) return status;
  }
  if (num_attention_heads % num_key_value_heads != 0) {
    return absl::InvalidArgumentError(absl::StrCat("num_key_value_heads: ", num_key_value_heads,
                                                   " does not divide num_attention_heads ", num_attention_heads));
  }
  if (head_dim % 2 != 0) return absl::InvalidArgumentError(absl::StrCat("head_dim: ", head_dim, " is odd"));
  if (!(rms_norm_eps > 0 && rms_norm_eps < 1)) {
    return absl::InvalidArgumentError(absl::StrCat("rms_norm_eps: ", rms_norm_eps, " outside (0, 1)"));
  }
  if (!(rope_theta > 1 && rope_theta <= 1e12)) {
    return absl::InvalidArgumentError(absl::StrCat("rope_theta: ", rope_theta, " outside (1, 1e12]"));
  }
  const Llama3RopeScaling& scaling = rope_scaling;
  if (scaling.factor != 0 &&
      !(scaling.factor >= 1 && std::isfinite(scaling.factor) && scaling.low_freq_factor > 0 &&
        scaling.high_freq_factor > scaling.low_freq_factor && scaling.original_max_position_embeddings >= 1)) {
    return absl::InvalidArgumentError(
        "rope_scaling: needs factor >= 1, 0 < low_freq_factor < high_freq_factor, original_max_position_embeddings >= "
        "1");
  }
  return absl::OkStatus();
}

absl::StatusOr<DecoderConfig> ParseDecoderConfig(const json& object, const std::string& origin) {
  if (!object.is_object()) return absl::DataLossError(absl::StrCat(origin, ": not a JSON object"));
  FieldReader fields(object, origin);
  DecoderConfig config;
  absl::StatusOr<DecoderArchitecture> architecture = ParseArchitecture(object, fields, origin);
  if (!architecture.ok()) return architecture.status();
  config.architecture = *architecture;

  fields.Required("vocab_size", config.vocab_size);
  fields.Required("hidden_size", config.hidden_size);
  fields.Required("num_hidden_layers", config.num_hidden_layers);
  fields.Required("num_attention_heads", config.num_attention_heads);
  fields.Required("intermediate_size", config.intermediate_size);
  config.num_key_value_heads = config.num_attention_heads;
  fields.Optional("num_key_value_heads", config.num_key_value_heads);
  config.head_dim = config.num_attention_heads > 0 ? config.hidden_size / config.num_attention_heads : 0;
  fields.Optional("head_dim", config.head_dim);
  fields.Optional("max_position_embeddings", config.max_position_embeddings);
  fields.Optional("rms_norm_eps", config.rms_norm_eps);
  fields.Optional("tie_word_embeddings", config.tie_word_embeddings);
  if (config.architecture == DecoderArchitecture::kLlama) {
    fields.Optional("attention_bias", config.qkv_bias);
    config.output_bias = config.qkv_bias;
    fields.Optional("mlp_bias", config.mlp_bias);
  } else {
    config.qkv_bias = true;
  }
  bool sliding = false;
  fields.Optional("use_sliding_window", sliding);
  if (!fields.status().ok()) return fields.status();
  if (sliding) return Unsupported(origin, "use_sliding_window", "true is not supported");
  if (fields.Has("hidden_act") && fields.Text("hidden_act") != "silu") {
    return Unsupported(origin, "hidden_act", absl::StrCat("\"", fields.Text("hidden_act"), "\" is not known: silu is"));
  }
  if (absl::Status status = ParseRope(object, fields, origin, config); !status.ok()) return status;
  if (absl::Status status = config.Validate(); !status.ok()) {
    return absl::DataLossError(absl::StrCat(origin, ": ", std::string(status.message())));
  }
  return config;
}

json DecoderConfigToJson(const DecoderConfig& config) {
  const bool llama = config.architecture == DecoderArchitecture::kLlama;
  json object = {{"architectures", {llama ? "LlamaForCausalLM" : "Qwen2ForCausalLM"}},
                 {"model_type", llama ? "llama" : "qwen2"},
                 {"hidden_act", "silu"},
                 {"vocab_size", config.vocab_size},
                 {"hidden_size", config.hidden_size},
                 {"num_hidden_layers", config.num_hidden_layers},
                 {"num_attention_heads", config.num_attention_heads},
                 {"num_key_value_heads", config.num_key_value_heads},
                 {"head_dim", config.head_dim},
                 {"intermediate_size", config.intermediate_size},
                 {"max_position_embeddings", config.max_position_embeddings},
                 {"rms_norm_eps", config.rms_norm_eps},
                 {"rope_theta", config.rope_theta},
                 {"tie_word_embeddings", config.tie_word_embeddings}};
  if (llama) {
    object["attention_bias"] = config.qkv_bias;
    object["mlp_bias"] = config.mlp_bias;
  }
  if (config.rope_scaling.factor != 0) {
    object["rope_scaling"] = {
        {"rope_type", "llama3"},
        {"factor", config.rope_scaling.factor},
        {"low_freq_factor", config.rope_scaling.low_freq_factor},
        {"high_freq_factor", config.rope_scaling.high_freq_factor},
        {"original_max_position_embeddings", config.rope_scaling.original_max_position_embeddings}};
  }
  return object;
}

}  // namespace auricle::model
