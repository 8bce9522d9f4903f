// Readers of outside bytes must answer damaged ones with a Status, and what they do accept must keep their promises: no
// view past the file, no audio past the limits, no token outside the vocabulary. Crashes and reads out of bounds show
// themselves, best under the sanitizers.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "client/cli/question_file.h"
#include "model/audio/audio_file.h"
#include "model/checkpoint/gguf.h"
#include "model/checkpoint/safetensors.h"
#include "model/decoder/gguf_decoder.h"
#include "model/decoder/lora.h"
#include "model/model_config.h"
#include "model/text/tokenizer.h"
#include "model/tiny_model.h"
#include "server/inference/audio_intake.h"
#include "server/runtime/config.h"
#include "tests/checkpoint/gguf_writer.h"
#include "tests/decoder/small_decoder.h"
#include "tests/fuzz/fuzz_folder.h"
#include "tests/fuzz/fuzz_loop.h"
#include "tests/fuzz/mutator.h"

namespace auricle {
namespace {

namespace fs = std::filesystem;
using test::FuzzFolder;
using test::FuzzLoop;
using test::FuzzSeed;
using test::JsonWords;
using test::Mutator;
using test::ReadAll;

// Targets are suites: ./run fuzz Tokenizer runs TokenizerFuzz.
struct SafetensorsFuzz : FuzzFolder {};
struct GgufFuzz : FuzzFolder {};
struct AdapterFuzz : FuzzFolder {};
struct ClipFuzz : FuzzFolder {};
struct QuestionFileFuzz : FuzzFolder {};
struct ServerConfigFuzz : FuzzFolder {};

// With the files of a model to damage.
struct TinyModel : FuzzFolder {
  static void SetUpTestSuite() { ASSERT_TRUE(model::WriteTinyModel((Folder() / "tiny").string(), 1).ok()); }
};
struct TokenizerFuzz : TinyModel {};
struct TextFuzz : TinyModel {};
struct ModelConfigFuzz : TinyModel {};

// A file of two small tensors; most of it is header, which is where a reader can be fooled.
std::string SmallSafetensors() {
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
      R"("b":{"dtype":"I64","shape":[],"data_offsets":[24,32]}})";
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(header.size() >> (8 * i)));
  return bytes + header + std::string(32, '\1');
}

TEST_F(SafetensorsFuzz, SafetensorsNeverShowBytesThatAreNotThere) {
  Mutator mutator(FuzzSeed(1), JsonWords());
  const std::string good = SmallSafetensors();
  ASSERT_TRUE(model::SafetensorsReader::Open(AsFile(good)).ok());
  int accepted = 0, refused = 0;
  for (FuzzLoop loop("Safetensors", 3000); loop.Next();) {
    const std::string bytes = loop.Try(mutator.Mutate(good));
    const auto reader = model::SafetensorsReader::Open(AsFile(bytes));
    if (!reader.ok()) {
      ++refused;
      EXPECT_FALSE(reader.status().message().empty());
      continue;
    }
    ++accepted;
    size_t all = 0;
    unsigned sum = 0;
    for (const model::TensorView& tensor : reader->tensors()) {
      size_t elements = 1;
      for (const int64_t size : tensor.shape) elements *= static_cast<size_t>(size);
      EXPECT_EQ(tensor.bytes.size(), elements * model::DtypeBytes(tensor.dtype)) << tensor.name;
      for (const std::byte b : tensor.bytes) sum += static_cast<unsigned>(b);  // faults where it is not mapped
      all += tensor.bytes.size();
    }
    EXPECT_LE(all, bytes.size());
    EXPECT_GE(sum, 0u);
  }
  EXPECT_GT(accepted, 0);
  EXPECT_GT(refused, 0);
}

// What its readers say of a damaged file of one decoder: shape, tokeniser, every tensor's bytes.
TEST_F(GgufFuzz, GgufNeverShowsBytesThatAreNotThere) {
  test::GgufWriter writer;
  writer.Text("general.architecture", "llama");
  for (const char* key : {"block_count", "embedding_length", "feed_forward_length", "attention.head_count"}) {
    writer.Whole(std::string("llama.") + key, 2);
  }
  writer.Number("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  writer.Text("tokenizer.ggml.model", "gpt2");
  writer.Texts("tokenizer.ggml.tokens", {"a", "b", "ab", "<|im_end|>"});
  writer.Texts("tokenizer.ggml.merges", {"a b"});
  writer.Wholes("tokenizer.ggml.token_type", {1, 1, 1, 3});
  writer.Tensor("token_embd.weight", {32, 4}, 8, std::string(4 * 34, '\1'));
  writer.Tensor("blk.0.attn_q.weight", {2, 2}, 0, std::string(16, '\1'));
  const std::string good = writer.File();
  ASSERT_TRUE(model::GgufReader::Open(AsFile(good)).ok());
  Mutator mutator(FuzzSeed(5), {"GGUF", "llama", "general.alignment", "tokenizer.ggml.pre", "smollm",
                                std::string("\x09\0\0\0", 4), std::string(8, '\xff'), std::string("\x1e\0\0\0", 4)});
  int accepted = 0, refused = 0;
  for (FuzzLoop loop("Gguf", 3000); loop.Next();) {
    const std::string bytes = loop.Try(mutator.Mutate(good));
    const auto reader = model::GgufReader::Open(AsFile(bytes));
    if (!reader.ok()) {
      ++refused;
      EXPECT_FALSE(reader.status().message().empty());
      continue;
    }
    ++accepted;
    for (const model::GgufTensor& tensor : reader->tensors()) {
      size_t numbers = 1;
      for (const int64_t extent : tensor.shape) numbers *= static_cast<size_t>(extent);
      std::vector<float> values(numbers);
      model::Dequantise(tensor.type, tensor.bytes, values);
    }
    (void)model::GgufDecoderConfig(*reader);
    if (const auto tokenizer = model::GgufTokenizerJson(*reader); tokenizer.ok()) {
      (void)model::Tokenizer::FromJson(*tokenizer, "fuzz");
    }
  }
  EXPECT_GT(accepted, 0);
  EXPECT_GT(refused, 0);
}

TEST_F(AdapterFuzz, AdaptersAreReadOrRefused) {
  const auto base = model::SmallDecoder(2);
  const std::string folder = (Folder() / "adapter").string();
  ASSERT_TRUE(model::LoraAdapter::Random({}, *base, at::detail::createCPUGenerator(1))->Write(folder, "small").ok());
  const std::string good = ReadAll(Folder() / "adapter" / "adapter_config.json");
  Mutator mutator(FuzzSeed(8), JsonWords());
  int accepted = 0, refused = 0;
  for (FuzzLoop loop("Adapter", 1000); loop.Next();) {
    AsFile(loop.Try(mutator.Mutate(good)), "adapter/adapter_config.json");
    const auto adapter = model::LoraAdapter::Read(folder, *base);
    adapter.ok() ? ++accepted : ++refused;
    if (adapter.ok()) {
      EXPECT_TRUE(adapter->config().Validate().ok());
    }
  }
  EXPECT_GT(accepted, 0);
  EXPECT_GT(refused, 0);
}

TEST_F(TokenizerFuzz, TokenizersKeepToTheirVocabularyOrAreRefused) {
  Mutator mutator(FuzzSeed(2), JsonWords());
  const std::string good = ReadAll(Folder() / "tiny" / "tokenizer.json");
  int accepted = 0, refused = 0;
  for (FuzzLoop loop("Tokenizer", 300); loop.Next();) {
    const auto tokenizer = model::Tokenizer::FromJson(loop.Try(mutator.Mutate(good)), "fuzz");
    if (!tokenizer.ok()) {
      ++refused;
      continue;
    }
    ++accepted;
    for (const char* text : {"Where is the dog?", "", "h\xc3\xa9llo \xe2\x82\xac <|im_end|>"}) {
      const auto ids = (*tokenizer)->Encode(text, model::SpecialTokens::kRecognise);
      if (!ids.ok()) continue;
      for (const model::TokenId id : *ids) {
        ASSERT_GE(id, 0);
        ASSERT_LT(id, (*tokenizer)->size());
      }
      (*tokenizer)->Decode(*ids, /*skip_special=*/false);
    }
  }
  EXPECT_GT(accepted, 0);
  EXPECT_GT(refused, 0);
}

TEST_F(TextFuzz, TextIsEncodedWithoutLossOrRefused) {
  Mutator mutator(FuzzSeed(3), {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "<|audio|>", "\xe2\x80\x8d",
                                std::string(1, '\0')});
  const auto tokenizer = model::Tokenizer::Load((Folder() / "tiny" / "tokenizer.json").string());
  ASSERT_TRUE(tokenizer.ok());
  const std::string good = "Is the dog left of the r\xc3\xa9veil \xf0\x9f\x90\x95, or 90\xc2\xb0 to its right?\n";
  int accepted = 0, refused = 0;
  for (FuzzLoop loop("Text", 3000); loop.Next();) {
    const std::string text = loop.Try(mutator.Mutate(good));
    const auto ids = (*tokenizer)->Encode(text, model::SpecialTokens::kAsText);
    ids.ok() ? ++accepted : ++refused;
    if (ids.ok()) {
      EXPECT_EQ((*tokenizer)->Decode(*ids, /*skip_special=*/false), text);
    }
  }
  EXPECT_GT(accepted, 0);
  EXPECT_GT(refused, 0);
}

TEST_F(ModelConfigFuzz, ModelConfigurationsAreReadOrRefused) {
  Mutator mutator(FuzzSeed(4), JsonWords());
  const std::string good = ReadAll(Folder() / "tiny" / "config.json");
  int refused = 0;
  for (FuzzLoop loop("ModelConfig", 1000); loop.Next();) {
    refused += !model::ReadModelConfig(AsFile(loop.Try(mutator.Mutate(good)), "config.json")).ok();
  }
  EXPECT_GT(refused, 0);
}

// What a client may put into a message: the bytes of a serialized clip, damaged, then through both steps of intake.
TEST_F(ClipFuzz, ClipsFromTheWireGiveFourFiniteChannelsOrAnError) {
  constexpr double kMaxSeconds = 2;
  v1::AudioClip pcm;
  pcm.set_encoding(v1::AUDIO_ENCODING_PCM_F32LE);
  pcm.set_format(v1::FOA_FORMAT_FUMA);
  pcm.set_sample_rate_hz(16000);
  pcm.set_data(std::string(16 * 3200, '\0'));
  v1::AudioClip file;
  file.set_encoding(v1::AUDIO_ENCODING_FILE);
  file.set_format(v1::FOA_FORMAT_AMBIX);
  file.set_data(*audio::EncodeFoaFlac(audio::MakeSilentClip(3200, 16000)));
  const std::string seeds[] = {pcm.SerializeAsString(), file.SerializeAsString()};
  Mutator mutator(FuzzSeed(6), {"\x00\x00\xc0\x7f", "\x00\x00\x80\x7f", "\x00\x00\x80\xff", "fLaC"});
  int accepted = 0, refused = 0;
  for (FuzzLoop loop("Clip", 1500); loop.Next();) {
    v1::AudioClip clip;
    if (!clip.ParseFromString(loop.Try(mutator.Mutate(seeds[loop.round() % 2]))))
      continue;  // gRPC would not hand it on
    const auto payload = server::InspectClip(std::move(clip), nullptr, kMaxSeconds);
    const auto heard = payload.ok() ? server::DecodePayload(*payload, 16000, kMaxSeconds) : payload.status();
    if (!heard.ok()) {
      ++refused;
      continue;
    }
    ++accepted;
    EXPECT_EQ(heard->sample_rate, 16000);
    EXPECT_LE(heard->seconds(), kMaxSeconds + 0.01);
    EXPECT_EQ(heard->samples.size(), 4 * heard->frames());
    for (const float sample : heard->samples) ASSERT_TRUE(std::isfinite(sample));
  }
  EXPECT_GT(accepted, 0);
  EXPECT_GT(refused, 0);
}

TEST_F(QuestionFileFuzz, LinesOfQuestionFilesAreAskedOrSayWhyNot) {
  Mutator mutator(FuzzSeed(7), JsonWords());
  const std::string good =
      R"({"id":"q1","audio":"a.flac","question":"Where is the dog?","options":["left","right"],"form":"mcq","answer":"B"})";
  for (FuzzLoop loop("QuestionFile", 3000); loop.Next();) {
    const client::QuestionRow row =
        client::ParseQuestionLine(loop.Try(mutator.Mutate(good)), 1, "/tmp", v1::FOA_FORMAT_AMBIX);
    // The id goes into the answers' JSON as it is.
    EXPECT_TRUE(nlohmann::json::accept(row.id_json)) << row.id_json;
    if (row.status.ok()) {
      EXPECT_FALSE(row.question.empty());
    }
  }
}

TEST_F(ServerConfigFuzz, SettingsAreReadOrRefused) {
  Mutator settings(FuzzSeed(10), JsonWords());
  for (FuzzLoop loop("ServerConfig", 1000); loop.Next();) {
    bool help = false;
    const std::string path = AsFile(
        loop.Try(settings.Mutate(R"({"listen":"127.0.0.1:0","model":["a"],"max-clip-seconds":10,"reflection":true})")),
        "s.json");
    const auto config = server::ParseServerConfig({"--config", path}, &help);
    if (config.ok()) {
      EXPECT_TRUE(server::ValidateServerConfig(*config).ok());
    }
  }
}

}  // namespace
}  // namespace auricle
