// Shape of a Llama- or Qwen2-family decoder, as Hugging Face's config.json spells it.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace auricle::model {

enum class DecoderArchitecture { kLlama, kQwen2 };

// Rotary frequencies stretched as in Llama 3.1 (rope_type "llama3"); off where factor is 0.
struct Llama3RopeScaling {
  double factor = 0;
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  double original_max_position_embeddings = 8192;
};

struct DecoderConfig {
  DecoderArchitecture architecture = DecoderArchitecture::kLlama;
  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t num_hidden_layers = 0;
  int64_t num_attention_heads = 0;
  int64_t num_key_value_heads = 0;  // divides num_attention_heads
  int64_t head_dim = 0;             // even; hidden_size / num_attention_heads where the file does not say
  int64_t intermediate_size = 0;
  int64_t max_position_embeddings = 2048;
  double rms_norm_eps = 1e-6;
  double rope_theta = 10000;
  Llama3RopeScaling rope_scaling;
  bool tie_word_embeddings = false;
  bool qkv_bias = false;     // llama: attention_bias; qwen2: always
  bool output_bias = false;  // llama: attention_bias; qwen2: never
  bool mlp_bias = false;     // llama only

  // INVALID_ARGUMENT naming the field and its range.
  absl::Status Validate() const;
};

// Reads a config.json object in the classic spelling (rope_theta at the top, rope_scaling beside it) or transformers
// 5's (rope_parameters). `origin` stands for the file in messages. DATA_LOSS where a field is missing or of the wrong
// type; UNIMPLEMENTED for architectures, activations, rope types or sliding windows that this decoder does not compute.
absl::StatusOr<DecoderConfig> ParseDecoderConfig(const nlohmann::json& json, const std::string& origin);

// In the classic spelling; ParseDecoderConfig reads it back to the same values.
nlohmann::json DecoderConfigToJson(const DecoderConfig& config);

}  // namespace auricle::model
