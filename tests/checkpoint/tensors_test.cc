#include "model/checkpoint/tensors.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/checkpoint/temporary_folder.h"

namespace auricle::model {
namespace {

void ExpectMessage(const absl::Status& status, absl::StatusCode code, const std::vector<std::string>& parts) {
  EXPECT_EQ(status.code(), code) << status;
  for (const std::string& part : parts)
    EXPECT_NE(status.message().find(part), absl::string_view::npos) << status << " lacks " << part;
}

TEST(TensorsTest, SavesAndLoadsEqualTensorsWhateverTheirStrides) {
  const TemporaryFolder folder;
  const std::string path = folder.File("t.safetensors");
  const at::Tensor matrix = at::arange(12, at::kFloat).view({3, 4}).t();  // not contiguous
  const at::Tensor counts = at::tensor({int64_t{1} << 40, int64_t{-7}}, at::kLong);
  const at::Tensor scalar = at::tensor(2.5, at::kDouble).squeeze();
  ASSERT_TRUE(
      SaveTensors(path, {{"m", matrix}, {"c", counts}, {"s", scalar}, {"e", at::empty({0, 5}, at::kHalf)}}).ok());
  const auto loaded = LoadTensors(path);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_TRUE(loaded->at("m").equal(matrix));
  EXPECT_TRUE(loaded->at("c").equal(counts));
  EXPECT_TRUE(loaded->at("s").equal(scalar));
  EXPECT_EQ(loaded->at("e").sizes(), (std::vector<int64_t>{0, 5}));
}

TEST(TensorsTest, RoundsFloatsToTheWantedTypeAndLeavesIntegers) {
  const TemporaryFolder folder;
  const std::string path = folder.File("t.safetensors");
  // bf16 keeps 8 bits of significand: 1 + 2^-8 lies half-way and goes to the even neighbour, 1.
  const at::Tensor floats = at::tensor({1.0f, 1.0f + 1.0f / 256, 3.0e38f}, at::kFloat);
  ASSERT_TRUE(SaveTensors(path, {{"f", floats}, {"i", at::tensor({3}, at::kInt)}}, {}, at::kBFloat16).ok());
  const auto loaded = LoadTensors(path);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->at("f").scalar_type(), at::kBFloat16);
  EXPECT_EQ(loaded->at("f")[1].item<float>(), 1.0f);
  EXPECT_EQ(loaded->at("i").scalar_type(), at::kInt);
}

class CheckpointTensorsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    at::Tensor broken = at::ones({2, 2});
    broken[1][0] = std::numeric_limits<float>::quiet_NaN();
    ASSERT_TRUE(SaveTensors(path_, {{"a.weight", at::ones({2, 3})},
                                    {"a.nan", broken},
                                    {"a.ids", at::ones({2}, at::kLong)},
                                    {"b.extra", at::zeros({1})}})
                    .ok());
  }
  const TemporaryFolder folder_;
  const std::string path_ = folder_.File("w.safetensors");
};

TEST_F(CheckpointTensorsTest, GivesTensorsInTheWantedTypeOnce) {
  auto tensors = CheckpointTensors::Open(path_);
  ASSERT_TRUE(tensors.ok());
  const auto weight = tensors->Take("a.weight", {2, 3}, at::kBFloat16);
  ASSERT_TRUE(weight.ok()) << weight.status();
  EXPECT_EQ(weight->scalar_type(), at::kBFloat16);
}

TEST_F(CheckpointTensorsTest, NamesFileTensorAndReason) {
  auto tensors = CheckpointTensors::Open(path_);
  ASSERT_TRUE(tensors.ok());
  ExpectMessage(tensors->Take("a.absent", {4, 4}, at::kFloat).status(), absl::StatusCode::kNotFound,
                {"w.safetensors", "a.absent", "missing", "[4, 4]"});
  ExpectMessage(tensors->Take("a.weight", {3, 2}, at::kFloat).status(), absl::StatusCode::kDataLoss,
                {"w.safetensors", "a.weight", "[2, 3]", "[3, 2]"});
  ExpectMessage(tensors->Take("a.nan", {2, 2}, at::kFloat).status(), absl::StatusCode::kDataLoss,
                {"w.safetensors", "a.nan", "NaN"});
  ExpectMessage(tensors->Take("a.ids", {2}, at::kFloat).status(), absl::StatusCode::kDataLoss,
                {"w.safetensors", "a.ids", "I64"});
}

TEST_F(CheckpointTensorsTest, RefusesTensorsThatNobodyTook) {
  auto tensors = CheckpointTensors::Open(path_);
  ASSERT_TRUE(tensors.ok());
  ASSERT_TRUE(tensors->Take("a.weight", {2, 3}, at::kFloat).ok());
  tensors->Ignore("a.nan");
  tensors->Ignore("a.ids");
  EXPECT_TRUE(tensors->RefuseLeftovers("a.").ok());
  ExpectMessage(tensors->RefuseLeftovers(), absl::StatusCode::kDataLoss, {"w.safetensors", "b.extra"});
}

}  // namespace
}  // namespace auricle::model
