#include "model/checkpoint/safetensors.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <fstream>

#include "tests/checkpoint/temporary_folder.h"

namespace auricle::model {
namespace {

// A file from a header and data, the length field as given or true.
std::string FileBytes(const std::string& header, const std::string& data, std::optional<uint64_t> length = {}) {
  const uint64_t claimed = length.value_or(header.size());
  std::string file(8, '\0');
  for (int i = 0; i < 8; ++i) file[i] = static_cast<char>(claimed >> (8 * i) & 0xff);
  return file + header + data;
}

class SafetensorsTest : public ::testing::Test {
 protected:
  std::string Put(const std::string& bytes) {
    const std::string path = folder_.File("x.safetensors");
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  absl::Status ErrorOf(const std::string& bytes) { return SafetensorsReader::Open(Put(bytes)).status(); }
  // The refusal must name the file, and `what`: the tensor and the reason.
  void ExpectRefused(const std::string& header, const std::string& data, const std::vector<std::string>& what) {
    const absl::Status status = ErrorOf(FileBytes(header, data));
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << header;
    for (const std::string& part : what) {
      EXPECT_NE(status.message().find(part), absl::string_view::npos) << status << " lacks " << part;
    }
    EXPECT_NE(status.message().find("x.safetensors"), absl::string_view::npos) << status;
  }
  TemporaryFolder folder_;
};

TEST_F(SafetensorsTest, ReadsAFileWrittenByHand) {
  const float values[2] = {1.5f, -2.0f};
  std::string data(reinterpret_cast<const char*>(values), 8);
  data += "\x07";
  const std::string header =
      R"({"__metadata__":{"by":"hand"},"a.w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
      R"("b":{"dtype":"U8","shape":[],"data_offsets":[8,9]},"none":{"dtype":"F16","shape":[0,3],"data_offsets":[9,9]}}   )";
  const auto reader = SafetensorsReader::Open(Put(FileBytes(header, data)));
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ(reader->metadata().at("by"), "hand");
  const TensorView* a = reader->Find("a.w");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(std::memcmp(a->bytes.data(), values, 8), 0);
  EXPECT_EQ(reader->Find("b")->bytes.size(), 1u);
  EXPECT_EQ(reader->Find("none")->bytes.size(), 0u);
  EXPECT_EQ(reader->Find("absent"), nullptr);
}

TEST_F(SafetensorsTest, RefusesEveryLieOfTheHeaderAndNamesIt) {
  const std::string data(8, '\0');
  const auto tensor = [](const std::string& body) { return "{\"w\":{" + body + "}}"; };
  ExpectRefused(tensor(R"("dtype":"F31","shape":[2],"data_offsets":[0,8])"), data, {"w", "unknown dtype F31"});
  ExpectRefused(tensor(R"("shape":[2],"data_offsets":[0,8])"), data, {"w", "dtype"});
  ExpectRefused(tensor(R"("dtype":"F32","data_offsets":[0,8])"), data, {"w", "shape"});
  ExpectRefused(tensor(R"("dtype":"F32","shape":[2])"), data, {"w", "data_offsets"});
  ExpectRefused(tensor(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"), data, {"w", "shape"});
  ExpectRefused(tensor(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])"), data, {"w", "shape"});
  ExpectRefused(tensor(R"("dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,8])"), data, {"overflows"});
  ExpectRefused(tensor(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"), data, {"w", "takes 12"});
  ExpectRefused(tensor(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"), data, {"w", "backwards"});
  ExpectRefused(tensor(R"("dtype":"F32","shape":[4],"data_offsets":[0,16])"), data, {"w", "outside", "truncated"});
  ExpectRefused(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,18446744073709551615])"), data,
                {"w", "data_offsets"});
  ExpectRefused(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])"), data, {"w", "hole"});
  ExpectRefused(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])"), data, {"4 bytes after"});
  ExpectRefused(tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,8],"extra":1)"), data, {"w", "unknown field"});
  ExpectRefused(
      R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"v":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
      data, {"overlaps"});
  ExpectRefused(
      R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
      data, {"w", "twice"});
  ExpectRefused(R"({"__metadata__":{"a":1}})", "", {"__metadata__"});
  ExpectRefused(R"({"w":3})", "", {"w", "object"});
  ExpectRefused(R"([1,2])", "", {"header"});
  ExpectRefused(R"({"w":)", "", {"header"});
  ExpectRefused("", "", {"header"});
}

TEST_F(SafetensorsTest, RefusesAHeaderLengthBeyondTheFileOrTheFormat) {
  for (uint64_t length : {uint64_t{3}, uint64_t{100'000'001}, ~uint64_t{0}, uint64_t{1} << 63}) {
    const absl::Status status = ErrorOf(FileBytes("{}", "", length));
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << length;
    EXPECT_NE(status.message().find("header"), absl::string_view::npos);
  }
  EXPECT_EQ(ErrorOf("").code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ErrorOf("1234567").code(), absl::StatusCode::kDataLoss);
}

TEST_F(SafetensorsTest, RefusesEveryTruncationOfAGoodFile) {
  const std::string whole = FileBytes(
      R"({"w":{"dtype":"BF16","shape":[3],"data_offsets":[0,6]},"v":{"dtype":"I64","shape":[1],"data_offsets":[6,14]}})",
      std::string(14, '\1'));
  ASSERT_TRUE(ErrorOf(whole).ok());
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(ErrorOf(whole.substr(0, length)).code(), absl::StatusCode::kDataLoss) << length;
  }
}

TEST_F(SafetensorsTest, SurvivesAnyOneByteOfTheHeaderBeingChanged) {
  const std::string whole =
      FileBytes(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", std::string(8, '\0'));
  for (size_t at = 0; at + 8 < whole.size(); ++at) {
    for (int change : {1, 2, 4, 8, 16, 32, 64, 128}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ change);
      const auto reader = SafetensorsReader::Open(Put(changed));
      if (!reader.ok()) continue;
      for (const TensorView& view : reader->tensors()) EXPECT_EQ(view.bytes.size(), 8u);  // only the name may differ
    }
  }
}

TEST_F(SafetensorsTest, RefusesWhatIsNoRegularFileWithoutWaiting) {
  EXPECT_EQ(SafetensorsReader::Open(folder_.File("absent")).status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(SafetensorsReader::Open(folder_.path()).ok());
  const std::string pipe = folder_.File("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(SafetensorsReader::Open(pipe).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SafetensorsTest, WritesWhatItReadsWhateverTheDtype) {
  std::vector<std::string> contents;
  std::vector<TensorView> views;
  const Dtype all[] = {Dtype::kBool, Dtype::kU8,  Dtype::kI8,  Dtype::kI16, Dtype::kU16, Dtype::kF16, Dtype::kBf16,
                       Dtype::kI32,  Dtype::kU32, Dtype::kF32, Dtype::kF64, Dtype::kI64, Dtype::kU64};
  for (Dtype dtype : all) contents.emplace_back(6 * DtypeBytes(dtype), static_cast<char>('a' + contents.size()));
  for (size_t i = 0; i < contents.size(); ++i) {
    views.push_back({std::string(DtypeName(all[i])), all[i], {2, 3}, std::as_bytes(std::span(contents[i]))});
  }
  const std::string path = folder_.File("all.safetensors");
  ASSERT_TRUE(WriteSafetensors(path, views, {{"step", "12"}}).ok());
  const auto reader = SafetensorsReader::Open(path);
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ(reader->tensors().size(), std::size(all));
  EXPECT_EQ(reader->metadata().at("step"), "12");
  for (size_t i = 0; i < contents.size(); ++i) {
    const TensorView* view = reader->Find(DtypeName(all[i]));
    ASSERT_NE(view, nullptr);
    EXPECT_EQ(view->dtype, all[i]);
    EXPECT_EQ(view->shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(std::memcmp(view->bytes.data(), contents[i].data(), contents[i].size()), 0);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(view->bytes.data()) % DtypeBytes(all[i]), 0u) << "not aligned";
  }
}

TEST_F(SafetensorsTest, KeepsTheBytesMappedAfterTheFileIsReplacedAndTheReaderIsGone) {
  const std::string path = folder_.File("m.safetensors");
  const std::string old_bytes(4, '1'), new_bytes(4, '2');
  ASSERT_TRUE(
      WriteSafetensors(path, std::vector<TensorView>{{"w", Dtype::kU8, {4}, std::as_bytes(std::span(old_bytes))}})
          .ok());
  std::shared_ptr<const void> mapping;
  std::span<const std::byte> bytes;
  {
    const auto reader = SafetensorsReader::Open(path);
    ASSERT_TRUE(reader.ok());
    mapping = reader->mapping();
    bytes = reader->Find("w")->bytes;
  }
  ASSERT_TRUE(
      WriteSafetensors(path, std::vector<TensorView>{{"w", Dtype::kU8, {4}, std::as_bytes(std::span(new_bytes))}})
          .ok());
  EXPECT_EQ(std::memcmp(bytes.data(), "1111", 4), 0);
  EXPECT_EQ(std::memcmp(SafetensorsReader::Open(path)->Find("w")->bytes.data(), "2222", 4), 0);
}

TEST_F(SafetensorsTest, RefusesToWriteATensorThatContradictsItself) {
  const std::string path = folder_.File("bad.safetensors"), bytes(4, 'x');
  const std::span<const std::byte> four = std::as_bytes(std::span(bytes));
  const TensorView good{"w", Dtype::kU8, {4}, four};
  EXPECT_EQ(WriteSafetensors(path, std::vector<TensorView>{{"w", Dtype::kF32, {2}, four}}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(WriteSafetensors(path, std::vector<TensorView>{good, good}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(WriteSafetensors(path, std::vector<TensorView>{{"__metadata__", Dtype::kU8, {4}, four}}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(WriteSafetensors(path, std::vector<TensorView>{{"\xFF", Dtype::kU8, {4}, four}}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(SafetensorsGoldenTest, ReadsTheReferenceFiles) {
  const std::string folder = std::string(AURICLE_SHARED_DIR) + "/reference/golden/";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
  const auto model = SafetensorsReader::Open(folder + "llama-tiny/model.safetensors");
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->Find("model.embed_tokens.weight")->shape, (std::vector<int64_t>{328, 64}));
  const auto expected = SafetensorsReader::Open(folder + "qwen2-tiny/expected.safetensors");
  ASSERT_TRUE(expected.ok()) << expected.status();
  EXPECT_EQ(expected->Find("input_ids")->dtype, Dtype::kI64);
}

}  // namespace
}  // namespace auricle::model
