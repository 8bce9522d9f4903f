#include "model/decoder/decoder_config.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace auricle::model {
namespace {

using nlohmann::json;

json Llama() {
  return json::parse(
      R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 100, "hidden_size": 32,
    "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 48,
    "hidden_act": "silu", "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "tie_word_embeddings": true})");
}

json With(const char* field, json value) {
  json file = Llama();
  file[field] = std::move(value);
  return file;
}

void ExpectRefused(const json& file, absl::StatusCode code, const std::string& field) {
  const absl::Status status = ParseDecoderConfig(file, "c.json").status();
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_NE(status.message().find("c.json: "), absl::string_view::npos) << status;
  EXPECT_NE(status.message().find(field), absl::string_view::npos) << status;
}

TEST(DecoderConfigTest, ReadsTheClassicSpellingAndDerivesWhatIsAbsent) {
  const DecoderConfig config = ParseDecoderConfig(Llama(), "c.json").value();
  EXPECT_EQ(config.head_dim, 8);
  EXPECT_EQ(config.rope_theta, 500000);
  EXPECT_TRUE(config.tie_word_embeddings);
  EXPECT_FALSE(config.qkv_bias);
}

TEST(DecoderConfigTest, ReadsTransformers5Spelling) {
  json file = Llama();
  file.erase("rope_theta");
  file["rope_parameters"] = {{"rope_theta", 250000.0}, {"rope_type", "default"}};
  EXPECT_EQ(ParseDecoderConfig(file, "c.json")->rope_theta, 250000);
  file["rope_parameters"]["rope_type"] = "llama3";
  file["rope_parameters"]["factor"] = 8.0;
  EXPECT_EQ(ParseDecoderConfig(file, "c.json")->rope_scaling.factor, 8);
}

TEST(DecoderConfigTest, GivesQwen2ItsBiasesAndLlamaOnlyThoseItNames) {
  json qwen = Llama();
  qwen["architectures"][0] = "Qwen2ForCausalLM";
  qwen["model_type"] = "qwen2";
  const DecoderConfig config = ParseDecoderConfig(qwen, "c.json").value();
  EXPECT_TRUE(config.qkv_bias);
  EXPECT_FALSE(config.output_bias);
  const DecoderConfig biased = ParseDecoderConfig(With("attention_bias", true), "c.json").value();
  EXPECT_TRUE(biased.qkv_bias && biased.output_bias);
}

TEST(DecoderConfigTest, WritesWhatItReads) {
  json file = Llama();
  file["rope_scaling"] = {{"rope_type", "llama3"},
                          {"factor", 4.0},
                          {"low_freq_factor", 1.0},
                          {"high_freq_factor", 3.0},
                          {"original_max_position_embeddings", 512}};
  file["mlp_bias"] = true;
  const json once = DecoderConfigToJson(ParseDecoderConfig(file, "c.json").value());
  EXPECT_EQ(DecoderConfigToJson(ParseDecoderConfig(once, "c.json").value()), once);
  for (const auto& [name, value] : file.items()) EXPECT_EQ(once[name], value) << name;
}

TEST(DecoderConfigTest, RefusesWhatItWouldComputeWrongly) {
  const absl::StatusCode code = absl::StatusCode::kUnimplemented;
  ExpectRefused(With("architectures", {"MistralForCausalLM"}), code, "MistralForCausalLM");
  ExpectRefused(With("model_type", "qwen2"), code, "LlamaForCausalLM");
  ExpectRefused(With("hidden_act", "gelu"), code, "hidden_act");
  ExpectRefused(With("rope_scaling", {{"rope_type", "yarn"}, {"factor", 2.0}}), code, "yarn");
  ExpectRefused(With("rope_scaling", {{"type", "linear"}, {"factor", 2.0}}), code, "linear");
  ExpectRefused(With("use_sliding_window", true), code, "use_sliding_window");
}

TEST(DecoderConfigTest, NamesTheFieldThatIsMissingMistypedOrOutOfRange) {
  const absl::StatusCode code = absl::StatusCode::kDataLoss;
  for (const char* field :
       {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"}) {
    json file = Llama();
    file.erase(field);
    ExpectRefused(file, code, field);
    ExpectRefused(With(field, "many"), code, field);
    ExpectRefused(With(field, -1), code, field);
    ExpectRefused(With(field, 1ll << 40), code, field);
  }
  ExpectRefused(With("num_key_value_heads", 3), code, "num_key_value_heads");
  ExpectRefused(With("head_dim", 7), code, "head_dim");
  ExpectRefused(With("rms_norm_eps", 0.0), code, "rms_norm_eps");
  ExpectRefused(With("rope_theta", 0.5), code, "rope_theta");
  ExpectRefused(With("rope_theta", "big"), code, "rope_theta");
  ExpectRefused(With("rope_scaling", {{"rope_type", "llama3"}, {"factor", 0.0}}), code, "rope_scaling");
  EXPECT_EQ(ParseDecoderConfig(json::array(), "c.json").status().code(), code);
}

}  // namespace
}  // namespace auricle::model
