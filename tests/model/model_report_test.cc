#include "model/inspect/model_report.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "model/checkpoint/safetensors.h"
#include "model/tiny_model.h"
#include "tests/checkpoint/temporary_folder.h"

namespace auricle::model {
namespace {

namespace fs = std::filesystem;

TEST(ModelReportTest, SaysWhatAWholeModelIs) {
  const TemporaryFolder folder;
  ASSERT_TRUE(WriteTinyModel(folder.path(), 1).ok());
  const ModelReport report = InspectModel(folder.path());
  ASSERT_TRUE(report.state.ok()) << report.state;
  EXPECT_EQ(report.kind, "Auricle model");
  // Every stored number but the running statistics of batch norm is a parameter.
  int64_t stored = 0, bytes = 0;
  const SafetensorsReader reader = SafetensorsReader::Open(folder.File("model.safetensors")).value();
  for (const TensorView& tensor : reader.tensors()) {
    if (tensor.name.find("running_") == std::string::npos) {
      stored += static_cast<int64_t>(tensor.bytes.size() / DtypeBytes(tensor.dtype));
    }
  }
  for (const auto& entry : fs::directory_iterator(folder.path())) bytes += static_cast<int64_t>(entry.file_size());
  EXPECT_EQ(report.parameters, stored);
  EXPECT_EQ(report.bytes, bytes);
  EXPECT_EQ(report.sha256.size(), 64u);
  const std::map<std::string, std::string> facts(report.facts.begin(), report.facts.end());
  EXPECT_NE(facts.at("knows").find("a dog barking"), std::string::npos);
  EXPECT_NE(facts.at("hears").find("16000 Hz"), std::string::npos);
}

TEST(ModelReportTest, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  ASSERT_TRUE(WriteTinyModel(folder.path(), 1).ok());
  fs::resize_file(folder.File("model.safetensors"), fs::file_size(folder.File("model.safetensors")) - 8);
  EXPECT_EQ(InspectModel(folder.path()).state.code(), absl::StatusCode::kDataLoss);
  fs::remove(folder.File("model.safetensors"));
  EXPECT_EQ(InspectModel(folder.path()).state.code(), absl::StatusCode::kNotFound);

  const TemporaryFolder elsewhere;
  ASSERT_TRUE(WriteTinyModel(elsewhere.path(), 1).ok());
  fs::create_symlink(elsewhere.File("model.safetensors"), folder.File("model.safetensors"));
  const absl::Status link = InspectModel(folder.path()).state;
  EXPECT_EQ(link.code(), absl::StatusCode::kFailedPrecondition) << link;
  EXPECT_NE(link.message().find("model.safetensors"), absl::string_view::npos) << link;

  std::ofstream(folder.File("decoder.gguf")) << "GGUF but not much more";
  EXPECT_EQ(InspectModel(folder.File("decoder.gguf")).state.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(InspectModel(folder.File("absent")).state.code(), absl::StatusCode::kNotFound);
}

TEST(ModelReportTest, FindsModelsInAFolderByName) {
  const TemporaryFolder folder;
  for (const char* name : {"b", "a"}) ASSERT_TRUE(WriteTinyModel(folder.File(name), 1).ok());
  fs::create_directories(folder.File("empty"));
  std::ofstream(folder.File("c.gguf")) << "";
  EXPECT_EQ(FindModels(folder.path()),
            (std::vector<std::string>{folder.File("a"), folder.File("b"), folder.File("c.gguf")}));
  EXPECT_EQ(FindModels(folder.File("a")), std::vector<std::string>{folder.File("a")});
  EXPECT_TRUE(FindModels(folder.File("empty")).empty());
}

}  // namespace
}  // namespace auricle::model
