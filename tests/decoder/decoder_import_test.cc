// Decoders from elsewhere: the golden models as Hugging Face folders, in shards and as GGUF; and what is refused.
#include "model/decoder/decoder_import.h"

#include <gtest/gtest.h>

#include <fstream>

#include "model/text/byte_alphabet.h"
#include "tests/checkpoint/gguf_writer.h"
#include "tests/checkpoint/temporary_folder.h"
#include "tests/decoder/golden_model.h"
#include "tests/model/max_difference.h"

namespace auricle::model {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::GgufWriter;

constexpr double kTolerance = 1e-4;  // the golden README's

std::string TokenizerFolder() { return GoldenModel::Folder("bpe-tiny"); }

// Logits of the golden row 0, by an imported decoder.
at::Tensor RowLogits(const Decoder& decoder, const GoldenModel& golden) {
  at::NoGradGuard no_grad;
  const at::Tensor ids = golden.expected.at("input_ids")[0].unsqueeze(0);
  return decoder.Logits(decoder.Forward(decoder.Embed(ids), Counting(24)))[0];
}

std::string FloatBytes(const at::Tensor& tensor) {
  const at::Tensor floats = tensor.to(at::kFloat).contiguous();
  return {static_cast<const char*>(floats.const_data_ptr()), floats.nbytes()};
}

// Q8_0 by its definition: d = max |x| / 127 as a half, q = round(x / d).
std::string Q8Bytes(const at::Tensor& tensor) {
  std::string bytes;
  const at::Tensor blocks = tensor.to(at::kFloat).contiguous().view({-1, 32});
  for (int64_t i = 0; i < blocks.size(0); ++i) {
    const at::Half d = static_cast<at::Half>(blocks[i].abs().max().item<float>() / 127);
    bytes += GgufWriter::Bytes(d);
    const at::Tensor q = (blocks[i] / static_cast<float>(d)).round().clamp(-127, 127).to(at::kChar);
    bytes.append(static_cast<const char*>(q.const_data_ptr()), 32);
  }
  return bytes;
}

// The golden README's rule backwards: gguf[i d + 2 j + s] = hf[i d + s d/2 + j].
at::Tensor Interleaved(const at::Tensor& hf, int64_t heads) {
  const int64_t d = hf.size(0) / heads;
  at::Tensor out = hf.clone();
  for (int64_t i = 0; i < heads; ++i) {
    for (int64_t s = 0; s < 2; ++s) {
      for (int64_t j = 0; j < d / 2; ++j) out[i * d + 2 * j + s] = hf[i * d + s * d / 2 + j];
    }
  }
  return out;
}

class DecoderImportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!GoldenModel::Exists()) GTEST_SKIP() << "shared/reference/golden is absent";
  }

  // A Hugging Face folder of a golden model, in folder_.
  void PutFolder(const std::string& name) {
    for (const char* file : {"config.json", "model.safetensors"}) {
      fs::copy_file(GoldenModel::Folder(name) + file, folder_.File(file));
    }
    fs::copy_file(TokenizerFolder() + (name == "llama-tiny" ? "gpt2.json" : "qwen2.json"),
                  folder_.File("tokenizer.json"));
  }

  // A golden model as GGUF. `quantised`: matrices but the embedding in Q8_0.
  GgufWriter AsGguf(const std::string& name, bool quantised = false) {
    const GoldenModel golden(name);
    const DecoderConfig& config = golden.decoder->config();
    const bool llama = config.architecture == DecoderArchitecture::kLlama;
    const std::string prefix = llama ? "llama." : "qwen2.";
    GgufWriter file;
    file.Text("general.architecture", llama ? "llama" : "qwen2");
    file.Whole(prefix + "block_count", 3);
    file.Whole(prefix + "embedding_length", 64);
    file.Whole(prefix + "feed_forward_length", static_cast<uint32_t>(config.intermediate_size));
    file.Whole(prefix + "attention.head_count", 4);
    file.Whole(prefix + "attention.head_count_kv", 2);
    file.Number(prefix + "attention.layer_norm_rms_epsilon", static_cast<float>(config.rms_norm_eps));
    file.Number(prefix + "rope.freq_base", static_cast<float>(config.rope_theta));
    PutTokenizer(file, llama ? "gpt2" : "qwen2");
    for (const auto& [hf_name, tensor] : golden.decoder->NamedParameters()) {
      at::Tensor rows = tensor.detach();
      std::string to = hf_name;
      const auto replace = [&](const std::string& from, const std::string& by) {
        if (const size_t at = to.find(from); at != std::string::npos) to.replace(at, from.size(), by);
      };
      if (llama && to.find("q_proj") != std::string::npos) rows = Interleaved(rows, 4);
      if (llama && to.find("k_proj") != std::string::npos) rows = Interleaved(rows, 2);
      const std::pair<const char*, const char*> names[] = {{"model.embed_tokens", "token_embd"},
                                                           {"model.layers.", "blk."},
                                                           {"post_attention_layernorm", "ffn_norm"},
                                                           {"input_layernorm", "attn_norm"},
                                                           {"self_attn.q_proj", "attn_q"},
                                                           {"self_attn.k_proj", "attn_k"},
                                                           {"self_attn.v_proj", "attn_v"},
                                                           {"self_attn.o_proj", "attn_output"},
                                                           {"mlp.gate_proj", "ffn_gate"},
                                                           {"mlp.up_proj", "ffn_up"},
                                                           {"mlp.down_proj", "ffn_down"},
                                                           {"model.norm", "output_norm"},
                                                           {"lm_head", "output"}};
      for (const auto& [from, by] : names) replace(from, by);
      std::vector<uint64_t> ne;
      for (int64_t i = rows.dim(); i-- > 0;) ne.push_back(static_cast<uint64_t>(rows.size(i)));
      const bool small = quantised && rows.dim() == 2 && to != "token_embd.weight";
      file.Tensor(to, ne, small ? 8 : 0, small ? Q8Bytes(rows) : FloatBytes(rows));
    }
    return file;
  }

  // The tiny tokeniser as GGUF's metadata spells it.
  static void PutTokenizer(GgufWriter& file, const std::string& name) {
    const json tokenizer = GoldenModel::Json(TokenizerFolder() + name + ".json");
    std::vector<std::string> tokens(324), merges;
    std::vector<int32_t> types(324, 1);
    for (const auto& [token, id] : tokenizer["model"]["vocab"].items()) tokens[id.get<size_t>()] = token;
    for (const json& added : tokenizer["added_tokens"]) {
      tokens[added["id"].get<size_t>()] = added["content"];
      types[added["id"].get<size_t>()] = 3;
    }
    for (const json& merge : tokenizer["model"]["merges"]) {
      merges.push_back(merge.is_string() ? merge.get<std::string>()
                                         : merge[0].get<std::string>() + " " + merge[1].get<std::string>());
    }
    file.Text("tokenizer.ggml.model", "gpt2");
    file.Text("tokenizer.ggml.pre", name == "gpt2" ? "gpt-2" : "qwen2");
    file.Texts("tokenizer.ggml.tokens", tokens);
    file.Texts("tokenizer.ggml.merges", merges);
    file.Wholes("tokenizer.ggml.token_type", types);
  }

  void ExpectRefused(const std::string& path, absl::StatusCode code, const std::vector<std::string>& parts) {
    const absl::Status status = ImportDecoder(path, at::kFloat).status();
    EXPECT_EQ(status.code(), code) << status;
    for (const std::string& part : parts) {
      EXPECT_NE(status.message().find(part), absl::string_view::npos) << status << "\nlacks " << part;
    }
  }

  const TemporaryFolder folder_;
};

TEST_F(DecoderImportTest, ReadsHuggingFaceFoldersOfBothFamilies) {
  for (const char* name : {"llama-tiny", "qwen2-tiny"}) {
    for (const auto& entry : fs::directory_iterator(folder_.path())) fs::remove(entry.path());
    PutFolder(name);
    const auto imported = ImportDecoder(folder_.path(), at::kFloat);
    ASSERT_TRUE(imported.ok()) << imported.status();
    const GoldenModel golden(name);
    EXPECT_LE(MaxDifference(RowLogits(*imported->decoder, golden), golden.expected.at("logits")[0]), kTolerance);
    EXPECT_EQ(imported->tokenizer->size(), 324);
  }
}

TEST_F(DecoderImportTest, ReadsShards) {
  PutFolder("qwen2-tiny");
  const auto tensors = LoadTensors(folder_.File("model.safetensors")).value();
  json map = json::object();
  NamedTensors halves[2];
  size_t n = 0;
  for (const auto& [name, tensor] : tensors) {
    halves[n % 2].emplace_back(name, tensor);
    map[name] = n++ % 2 == 0 ? "model-00001-of-00002.safetensors" : "model-00002-of-00002.safetensors";
  }
  ASSERT_TRUE(SaveTensors(folder_.File("model-00001-of-00002.safetensors"), halves[0]).ok());
  ASSERT_TRUE(SaveTensors(folder_.File("model-00002-of-00002.safetensors"), halves[1]).ok());
  fs::remove(folder_.File("model.safetensors"));
  const auto put_index = [&] {
    std::ofstream(folder_.File("model.safetensors.index.json")) << json{{"metadata", {}}, {"weight_map", map}};
  };
  put_index();
  const auto imported = ImportDecoder(folder_.path(), at::kFloat);
  ASSERT_TRUE(imported.ok()) << imported.status();
  const GoldenModel golden("qwen2-tiny");
  EXPECT_LE(MaxDifference(RowLogits(*imported->decoder, golden), golden.expected.at("logits")[0]), kTolerance);

  map["model.norm.weight"] = "../outside.safetensors";
  put_index();
  ExpectRefused(folder_.path(), absl::StatusCode::kFailedPrecondition, {"../outside.safetensors"});
  map["model.norm.weight"] = map["lm_head.weight"] == "model-00001-of-00002.safetensors"
                                 ? "model-00001-of-00002.safetensors"
                                 : "model-00002-of-00002.safetensors";
  map["imagined.weight"] = "model-00001-of-00002.safetensors";
  put_index();
  ExpectRefused(folder_.path(), absl::StatusCode::kDataLoss, {"index.json", "imagined.weight"});
  map = {{"model.norm.weight", 7}};
  put_index();
  ExpectRefused(folder_.path(), absl::StatusCode::kDataLoss, {"weight_map", "model.norm.weight"});
}

TEST_F(DecoderImportTest, ReadsGgufOfBothFamiliesWithTheirTokenisers) {
  std::ifstream lines(TokenizerFolder() + "cases.jsonl");
  std::map<std::string, std::vector<json>> cases;
  for (std::string line; std::getline(lines, line);) {
    const json c = json::parse(line);
    cases[c["tokenizer"]].push_back(c);
  }
  for (const char* name : {"llama-tiny", "qwen2-tiny"}) {
    const std::string path = folder_.File(std::string(name) + ".gguf");
    AsGguf(name).Write(path);
    const auto imported = ImportDecoder(path, at::kFloat);
    ASSERT_TRUE(imported.ok()) << imported.status();
    const GoldenModel golden(name);
    EXPECT_LE(MaxDifference(RowLogits(*imported->decoder, golden), golden.expected.at("logits")[0]), kTolerance);
    for (const json& c : cases[std::string(name) == "llama-tiny" ? "gpt2" : "qwen2"]) {
      const auto ids = imported->tokenizer->Encode(c["text"].get<std::string>(), SpecialTokens::kRecognise);
      ASSERT_TRUE(ids.ok()) << ids.status();
      EXPECT_EQ(*ids, c["ids"].get<std::vector<TokenId>>()) << c["text"];
    }
  }
}

TEST_F(DecoderImportTest, QuantisedWeightsStayWithinTheirSteps) {
  const std::string path = folder_.File("q.gguf");
  AsGguf("llama-tiny", /*quantised=*/true).Write(path);
  const auto imported = ImportDecoder(path, at::kFloat);
  ASSERT_TRUE(imported.ok()) << imported.status();
  const GoldenModel golden("llama-tiny");
  const NamedTensors exact = golden.decoder->NamedParameters(), read = imported->decoder->NamedParameters();
  ASSERT_EQ(exact.size(), read.size());
  for (size_t i = 0; i < exact.size(); ++i) {
    // Half a step of a block's own 127; d itself is rounded to eleven bits.
    const double largest = exact[i].second.abs().max().item<double>();
    EXPECT_LE(MaxDifference(exact[i].second, read[i].second), largest * (0.5 / 127 + 0x1p-11)) << exact[i].first;
  }
}

TEST_F(DecoderImportTest, RefusesWhatDoesNotFitByName) {
  using enum absl::StatusCode;
  ExpectRefused(folder_.File("nothing.gguf"), kNotFound, {"nothing.gguf"});
  ExpectRefused(folder_.File("nothing"), kNotFound, {"config.json"});
  const std::string path = folder_.File("m.gguf");
  const auto refuse = [&](const std::function<void(GgufWriter&)>& change, absl::StatusCode code,
                          const std::vector<std::string>& parts) {
    GgufWriter file;
    change(file);
    file.Write(path);
    ExpectRefused(path, code, parts);
  };
  refuse([](GgufWriter&) {}, kNotFound, {"general.architecture"});
  refuse([](GgufWriter& f) { f.Text("general.architecture", "mamba"); }, kUnimplemented, {"mamba", "llama and qwen2"});
  refuse([](GgufWriter& f) { f.Text("general.architecture", "llama"); }, kNotFound, {"llama.block_count"});
  const auto head = [](GgufWriter& f) {
    f.Text("general.architecture", "llama");
    f.Whole("llama.block_count", 3);
    f.Whole("llama.embedding_length", 64);
    f.Whole("llama.feed_forward_length", 128);
    f.Whole("llama.attention.head_count", 4);
    f.Number("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  };
  refuse(head, kNotFound, {"token_embd.weight"});
  refuse([&](GgufWriter& f) { head(f), f.Whole("llama.expert_count", 8); }, kUnimplemented, {"expert_count"});
  refuse([&](GgufWriter& f) { head(f), f.Whole("llama.rope.dimension_count", 8); }, kUnimplemented,
         {"rope.dimension_count"});
  refuse([&](GgufWriter& f) { head(f), f.Text("llama.rope.scaling.type", "yarn"); }, kUnimplemented, {"yarn"});
  const auto with_embedding = [&](GgufWriter& f) {
    head(f);
    f.Tensor("token_embd.weight", {64, 328}, 0, std::string(64 * 328 * 4, '\0'));
  };
  refuse(with_embedding, kNotFound, {"tokenizer.ggml.model"});
  refuse([&](GgufWriter& f) { with_embedding(f), f.Text("tokenizer.ggml.model", "llama"); }, kUnimplemented,
         {"tokenizer.ggml.model", "gpt2"});
  refuse([&](GgufWriter& f) { with_embedding(f), PutTokenizer(f, "gpt2"); }, kNotFound,
         {"model.layers.0.input_layernorm.weight"});

  GgufWriter more = AsGguf("llama-tiny");
  more.Tensor("blk.0.attn_sinks.weight", {4}, 0, std::string(16, '\0'));
  more.Write(path);
  ExpectRefused(path, kDataLoss, {"blk.0.attn_sinks.weight", "unknown to the configuration"});
}

// SmolLM2-135M-Instruct, where ./run fetch has put it.
class SmolLm2Test : public ::testing::Test {
 protected:
  static std::string Path() {
    const char* cache = std::getenv("AURICLE_CACHE");
    const char* home = std::getenv("HOME");
    const std::string root = cache != nullptr ? cache : std::string(home != nullptr ? home : "") + "/.cache/auricle";
    return root + "/weights/SmolLM2-135M-Instruct.Q4_1.gguf";
  }
  void SetUp() override {
    if (!GoldenModel::Exists()) GTEST_SKIP() << "shared/reference/golden is absent";
    if (!fs::exists(Path())) GTEST_SKIP() << Path() << " is absent: ./run fetch smollm2 brings it";
    truth_ = GoldenModel::Json(GoldenModel::Folder("smollm2") + "expected.json");
  }
  json truth_;
};

TEST_F(SmolLm2Test, EveryListedTensorHasTheReferenceNumbers) {
  const GgufReader file = GgufReader::Open(Path()).value();
  EXPECT_EQ(file.tensors().size(), truth_["gguf"]["tensor_count"].get<size_t>());
  for (const json& expected : truth_["dequantised"]) {
    const GgufTensor* tensor = file.Find(expected["name"].get<std::string>());
    ASSERT_NE(tensor, nullptr) << expected["name"];
    EXPECT_EQ(tensor->shape, expected["shape_row_major"].get<std::vector<int64_t>>());
    const at::Tensor values = CopyToTensor(*tensor).value().flatten();
    const auto first = expected["first8"].get<std::vector<double>>(),
               last = expected["last8"].get<std::vector<double>>();
    for (int64_t i = 0; i < 8; ++i) {
      EXPECT_EQ(values[i].item<float>(), static_cast<float>(first[static_cast<size_t>(i)])) << expected["name"];
      EXPECT_EQ(values[values.numel() - 8 + i].item<float>(), static_cast<float>(last[static_cast<size_t>(i)]));
    }
    const double scale = expected["abs_sum"].get<double>();
    EXPECT_NEAR(values.to(at::kDouble).sum().item<double>(), expected["sum"].get<double>(), 1e-6 * scale);
    EXPECT_NEAR(values.to(at::kDouble).abs().sum().item<double>(), scale, 1e-6 * scale);
  }
}

TEST_F(SmolLm2Test, TokenisesAsTheReference) {
  const auto imported = ImportDecoder(Path(), at::kBFloat16);
  ASSERT_TRUE(imported.ok()) << imported.status();
  for (const json& c : truth_["tokenisation"]) {
    const auto ids = imported->tokenizer->Encode(c["text"].get<std::string>(), SpecialTokens::kRecognise);
    ASSERT_TRUE(ids.ok()) << ids.status();
    EXPECT_EQ(*ids, c["ids"].get<std::vector<TokenId>>()) << c["text"];
    EXPECT_EQ(imported->tokenizer->Decode(*ids, /*skip_special=*/false), c["decoded"].get<std::string>());
  }
}

TEST_F(SmolLm2Test, AnswersChatsAsTheReference) {
  at::NoGradGuard no_grad;
  const auto imported = ImportDecoder(Path(), at::kFloat);
  ASSERT_TRUE(imported.ok()) << imported.status();
  const Decoder& decoder = *imported->decoder;
  for (const json& prompt : truth_["prompts"]) {
    const auto ids = imported->tokenizer->Encode(prompt["rendered"].get<std::string>(), SpecialTokens::kRecognise);
    ASSERT_TRUE(ids.ok());
    ASSERT_EQ(*ids, prompt["ids"].get<std::vector<TokenId>>());
    const auto count = static_cast<int64_t>(ids->size());
    const bool greedy = prompt.contains("greedy32") && !prompt["greedy32"].is_null();
    KvCache cache(decoder.config(), 1, count + 32, at::kFloat);
    const at::Tensor logits = decoder.Logits(
        decoder.Forward(decoder.Embed(at::tensor(*ids, at::kLong).unsqueeze(0)), Counting(count), {}, &cache))[0];
    EXPECT_EQ(logits.argmax(-1).equal(at::tensor(prompt["argmax_per_position"].get<std::vector<int64_t>>(), at::kLong)),
              true);
    at::Tensor scores = logits[count - 1];
    for (size_t i = 0; i < 10; ++i) {
      EXPECT_NEAR(scores[prompt["top10_ids"][i].get<int64_t>()].item<double>(), prompt["top10_logits"][i].get<double>(),
                  1e-3);
    }
    EXPECT_NEAR(scores.logsumexp(0).item<double>(), prompt["logsumexp"].get<double>(), 1e-3);
    if (!greedy) continue;
    int64_t at = count;
    for (const json& token : prompt["greedy32"]["tokens"]) {
      ASSERT_EQ(scores.argmax().item<int64_t>(), token.get<int64_t>()) << at - count;
      scores = decoder.Logits(decoder.Forward(decoder.Embed(at::tensor({token.get<int64_t>()}, at::kLong).unsqueeze(0)),
                                              at::tensor({at}, at::kLong).unsqueeze(0), {}, &cache))[0][0];
      ++at;
    }
  }
}

}  // namespace
}  // namespace auricle::model
