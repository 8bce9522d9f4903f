// Model folders that are whole, and all the ways in which they are not. Works on the files alone, without LibTorch.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "model/checkpoint/safetensors.h"
#include "model/spatial_lalm.h"
#include "model/tiny_model.h"
#include "tests/checkpoint/temporary_folder.h"

namespace auricle::model {
namespace {

using nlohmann::json;

std::string Content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class ModelFolderTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(WriteTinyModel(folder_.path(), 1).ok()); }

  json Config() const { return json::parse(Content(folder_.File("config.json"))); }
  void PutConfig(const json& config) { std::ofstream(folder_.File("config.json")) << config; }

  // Rewrites the weights after `change` has had its way with the list of tensors.
  void ChangeWeights(const std::function<void(std::vector<TensorView>&)>& change) {
    const SafetensorsReader reader = SafetensorsReader::Open(folder_.File("model.safetensors")).value();
    std::vector<TensorView> tensors = reader.tensors();
    change(tensors);
    ASSERT_TRUE(WriteSafetensors(folder_.File("model.safetensors"), tensors, reader.metadata()).ok());
  }
  static TensorView& Named(std::vector<TensorView>& tensors, const std::string& name) {
    return *std::find_if(tensors.begin(), tensors.end(), [&](const TensorView& t) { return t.name == name; });
  }

  void ExpectRefused(absl::StatusCode code, const std::vector<std::string>& parts) {
    const absl::Status status = SpatialLalm::Load(folder_.path()).status();
    EXPECT_EQ(status.code(), code) << status;
    for (const std::string& part : parts) {
      EXPECT_NE(status.message().find(part), absl::string_view::npos) << status << "\nlacks " << part;
    }
  }

  const TemporaryFolder folder_;
};

TEST_F(ModelFolderTest, LoadsWhatWasWrittenAndSaysWhatItIs) {
  const auto model = SpatialLalm::Load(folder_.path());
  ASSERT_TRUE(model.ok()) << model.status();
  const v1::ModelInfo& info = (*model)->info();
  EXPECT_EQ(info.sample_rate_hz(), 16000u);
  EXPECT_EQ(info.classes_size(), 3);
  EXPECT_EQ(info.classes(0).label(), "a dog barking");
  EXPECT_EQ(info.context_tokens(), 1024u);
  EXPECT_EQ(info.audio_tokens_per_second(), 2.5);
  EXPECT_EQ(info.version().size(), 12u);
  // Every stored number but the running statistics of batch norm is a parameter.
  uint64_t stored = 0;
  const SafetensorsReader reader = SafetensorsReader::Open(folder_.File("model.safetensors")).value();
  for (const TensorView& tensor : reader.tensors()) {
    if (tensor.name.find("running_") == std::string::npos) stored += tensor.bytes.size() / DtypeBytes(tensor.dtype);
  }
  EXPECT_EQ(info.parameters(), stored);
}

TEST_F(ModelFolderTest, IsSmallAndTheSeedDecidesEveryByte) {
  const TemporaryFolder again, other;
  ASSERT_TRUE(WriteTinyModel(again.path(), 1).ok());
  ASSERT_TRUE(WriteTinyModel(other.path(), 2).ok());
  for (const char* file : {"config.json", "model.safetensors", "tokenizer.json"}) {
    EXPECT_EQ(Content(again.File(file)), Content(folder_.File(file))) << file;
  }
  EXPECT_NE(Content(other.File("model.safetensors")), Content(folder_.File("model.safetensors")));
  EXPECT_LT(Content(folder_.File("model.safetensors")).size(), 1u << 20);
}

TEST_F(ModelFolderTest, StoresMatricesInBf16AndVectorsInFloat32) {
  const SafetensorsReader reader = SafetensorsReader::Open(folder_.File("model.safetensors")).value();
  for (const TensorView& tensor : reader.tensors()) {
    EXPECT_EQ(tensor.dtype, tensor.shape.size() >= 2 ? Dtype::kBf16 : Dtype::kF32) << tensor.name;
  }
}

TEST_F(ModelFolderTest, NamesAMissingFile) {
  for (const char* file : {"config.json", "model.safetensors", "tokenizer.json"}) {
    const std::string moved = folder_.File("moved");
    std::filesystem::rename(folder_.File(file), moved);
    ExpectRefused(absl::StatusCode::kNotFound, {file});
    std::filesystem::rename(moved, folder_.File(file));
  }
  EXPECT_EQ(SpatialLalm::Load("/nonexistent/model").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(SpatialLalm::Load(folder_.File("config.json")).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ModelFolderTest, NamesTheFieldOfTheConfigThatIsWrong) {
  const json good = Config();
  const auto refused = [&](const std::function<void(json&)>& change, absl::StatusCode code, const std::string& field) {
    json config = good;
    change(config);
    PutConfig(config);
    ExpectRefused(code, {"config.json", field});
  };
  const absl::StatusCode wrong = absl::StatusCode::kDataLoss;
  refused([](json& c) { c.erase("auricle_version"); }, wrong, "auricle_version");
  refused([](json& c) { c["auricle_version"] = 2; }, absl::StatusCode::kUnimplemented, "auricle_version");
  refused([](json& c) { c["sample_rate"] = 24000; }, wrong, "sample_rate");
  refused([](json& c) { c["sample_rate"] = "16k"; }, wrong, "sample_rate");
  refused([](json& c) { c.erase("ears"); }, wrong, "ears");
  refused([](json& c) { c["ears"]["mels"] = 17; }, wrong, "mels");
  refused([](json& c) { c["ears"]["colour"] = 1; }, wrong, "colour");
  refused([](json& c) { c["projector"]["pool"] = 0; }, wrong, "pool");
  refused([](json& c) { c["projector"]["decoder_width"] = 64; }, wrong, "projector.decoder_width");
  refused([](json& c) { c["decoder"]["hidden_act"] = "gelu"; }, absl::StatusCode::kUnimplemented, "hidden_act");
  refused([](json& c) { c["decoder"].erase("hidden_size"); }, wrong, "hidden_size");
  refused([](json& c) { c["classes"].erase(0); }, wrong, "classes");
  refused([](json& c) { c["classes"][0] = "dog"; }, wrong, "classes[0]");
  refused([](json& c) { c["classes"][0]["name"] = c["classes"][1]["name"]; }, wrong, "classes");
  std::ofstream(folder_.File("config.json")) << "{";
  ExpectRefused(wrong, {"config.json", "JSON"});
}

TEST_F(ModelFolderTest, NamesTheTensorThatIsMissingUnknownMisshapenOrNotFinite) {
  const std::string good = Content(folder_.File("model.safetensors"));
  const auto restore = [&] { std::ofstream(folder_.File("model.safetensors"), std::ios::binary) << good; };
  for (const char* name : {"decoder.model.layers.1.mlp.up_proj.weight", "decoder.model.norm.weight"}) {
    ChangeWeights([&](auto& tensors) { Named(tensors, name).name = "decoder.other"; });
    ExpectRefused(absl::StatusCode::kNotFound, {"model.safetensors", name, "missing"});
    restore();
  }
  for (const char* part : {"ears.", "projector."}) {
    ChangeWeights(
        [&](auto& tensors) { std::erase_if(tensors, [&](const TensorView& t) { return t.name.starts_with(part); }); });
    ExpectRefused(absl::StatusCode::kNotFound, {"model.safetensors", part, "missing"});
    restore();
  }
  const std::string extra(8, '\0');
  ChangeWeights([&](auto& tensors) {
    tensors.push_back({"ears.third_ear", Dtype::kF32, {2}, std::as_bytes(std::span(extra))});
  });
  ExpectRefused(absl::StatusCode::kDataLoss, {"model.safetensors", "ears.third_ear", "unknown"});
  restore();
  ChangeWeights([&](auto& tensors) {
    std::swap(Named(tensors, "decoder.model.embed_tokens.weight").shape[0],
              Named(tensors, "decoder.model.embed_tokens.weight").shape[1]);
  });
  ExpectRefused(absl::StatusCode::kDataLoss, {"model.safetensors", "decoder.model.embed_tokens.weight", "shape"});
  restore();
  std::string infinite;
  ChangeWeights([&](auto& tensors) {
    TensorView& norm = Named(tensors, "decoder.model.norm.weight");
    infinite.assign(reinterpret_cast<const char*>(norm.bytes.data()), norm.bytes.size());
    const float value = std::numeric_limits<float>::infinity();
    std::memcpy(infinite.data() + 8, &value, 4);
    norm.bytes = std::as_bytes(std::span(infinite));
  });
  ExpectRefused(absl::StatusCode::kDataLoss, {"model.safetensors", "decoder.model.norm.weight", "infinity"});
  std::ofstream(folder_.File("model.safetensors"), std::ios::binary) << good.substr(0, good.size() / 2);
  ExpectRefused(absl::StatusCode::kDataLoss, {"model.safetensors", "truncated"});
}

TEST_F(ModelFolderTest, RefusesATokeniserThatDoesNotFit) {
  json tokenizer = json::parse(Content(folder_.File("tokenizer.json")));
  const json good = tokenizer;
  tokenizer["added_tokens"].erase(tokenizer["added_tokens"].size() - 1);
  std::ofstream(folder_.File("tokenizer.json")) << tokenizer;
  ExpectRefused(absl::StatusCode::kDataLoss, {"tokenizer.json", "<|audio|>"});
  tokenizer = good;
  tokenizer["added_tokens"][0]["id"] = 100000;
  std::ofstream(folder_.File("tokenizer.json")) << tokenizer;
  ExpectRefused(absl::StatusCode::kDataLoss, {"tokenizer.json", "vocab_size"});
}

}  // namespace
}  // namespace auricle::model
