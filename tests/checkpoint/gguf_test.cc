#include "model/checkpoint/gguf.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "tests/checkpoint/gguf_writer.h"
#include "tests/checkpoint/temporary_folder.h"

namespace auricle::model {
namespace {

using test::GgufWriter;

// type, bytes, values: made by gguf-py, another implementation.
TEST(GgmlBlocksTest, BlocksBecomeTheNumbersOfTheReferenceImplementation) {
  std::ifstream table(std::string(AURICLE_SOURCE_DIR) + "/tests/checkpoint/ggml_blocks.tsv");
  int types = 0;
  for (std::string line; std::getline(table, line);) {
    if (line.starts_with("#")) continue;
    std::istringstream row(line);
    std::string name, hex, values;
    std::getline(row, name, '\t');
    std::getline(row, hex, '\t');
    std::getline(row, values);
    std::vector<std::byte> bytes;
    for (size_t i = 0; i < hex.size(); i += 2) {
      bytes.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    }
    std::vector<float> expected;
    std::istringstream numbers(values);
    for (std::string number; numbers >> number;) expected.push_back(std::stof(number));
    const uint32_t codes[] = {0, 1, 2, 3, 8, 12, 14, 30};
    for (const uint32_t code : codes) {
      const GgmlBlock block = FindGgmlBlock(code).value();
      if (block.name != name) continue;
      ++types;
      ASSERT_EQ(bytes.size() / static_cast<size_t>(block.bytes) * static_cast<size_t>(block.numbers), expected.size());
      std::vector<float> read(expected.size());
      Dequantise(block.type, bytes, read);
      EXPECT_EQ(read, expected) << name;
    }
  }
  EXPECT_EQ(types, 7);
}

TEST(GgmlBlocksTest, HalvesOfEveryKindAreExact) {
  // Zero, the smallest subnormal, the largest subnormal, one, the largest, infinity, and their negatives (IEEE 754).
  const std::pair<uint16_t, float> cases[] = {
      {0x0000, 0.0f},     {0x0001, 0x1p-24f}, {0x03ff, 1023 * 0x1p-24f}, {0x0400, 0x1p-14f}, {0x3c00, 1.0f},
      {0x7bff, 65504.0f}, {0x7c00, INFINITY}, {0x8001, -0x1p-24f},       {0xbc00, -1.0f},    {0xfc00, -INFINITY}};
  for (const auto& [bits, value] : cases) {
    const std::byte bytes[] = {static_cast<std::byte>(bits & 255), static_cast<std::byte>(bits >> 8)};
    float read = 7;
    Dequantise(GgmlType::kF16, bytes, {&read, 1});
    EXPECT_EQ(read, value) << std::hex << bits;
  }
}

class GgufTest : public ::testing::Test {
 protected:
  absl::StatusOr<GgufReader> Read(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
    return GgufReader::Open(path_);
  }
  void ExpectRefused(const std::string& bytes, absl::StatusCode code, const std::vector<std::string>& parts) {
    const absl::Status status = Read(bytes).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_NE(status.message().find("m.gguf"), absl::string_view::npos) << status;
    for (const std::string& part : parts) {
      EXPECT_NE(status.message().find(part), absl::string_view::npos) << status << "\nlacks " << part;
    }
  }
  static std::string Floats(const std::vector<float>& values) {
    std::string bytes;
    for (const float value : values) bytes += GgufWriter::Bytes(value);
    return bytes;
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.File("m.gguf");
};

TEST_F(GgufTest, GivesBackMetadataAndTensorsOfBothVersions) {
  GgufWriter file;
  file.Text("general.architecture", "llama");
  file.Whole("llama.block_count", 30);
  file.Number("llama.rope.freq_base", 1e5f);
  file.Texts("tokens", {"a", "",
                        "\xc4\xa0"
                        "b"});
  file.Wholes("types", {1, -3});
  file.Raw("yes", GgufWriter::kBool, std::string(1, '\1'));
  file.Tensor("matrix", {3, 2}, 0, Floats({1, 2, 3, 4, 5, 6}));
  file.Tensor("blocks", {32}, 8, std::string(34, '\1'));
  for (const uint32_t version : {2u, 3u}) {
    const auto read = Read(file.File(version));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->Text("general.architecture").value(), "llama");
    EXPECT_EQ(read->Integer("llama.block_count").value(), 30);
    EXPECT_EQ(read->Number("llama.rope.freq_base").value(), 1e5);
    EXPECT_EQ(read->Number("llama.block_count").value(), 30);
    EXPECT_EQ(read->Texts("tokens").value(), (std::vector<std::string>{"a", "",
                                                                       "\xc4\xa0"
                                                                       "b"}));
    EXPECT_EQ(read->Integers("types").value(), (std::vector<int64_t>{1, -3}));
    ASSERT_NE(read->Find("matrix"), nullptr);
    EXPECT_EQ(read->Find("matrix")->shape, (std::vector<int64_t>{2, 3}));
    std::vector<float> values(6);
    Dequantise(GgmlType::kF32, read->Find("matrix")->bytes, values);
    EXPECT_EQ(values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(read->Find("blocks")->bytes.size(), 34u);
    EXPECT_EQ(read->Find("nothing"), nullptr);
    EXPECT_EQ(read->Integer("nothing").status().code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(read->Integer("tokens").status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST_F(GgufTest, NamesWhatItDoesNotRead) {
  using enum absl::StatusCode;
  GgufWriter file;
  ExpectRefused(file.File(1), kUnimplemented, {"version 1"});
  ExpectRefused(file.File(0x03000000), kUnimplemented, {"big-endian"});
  GgufWriter nested;
  nested.Raw("deep", GgufWriter::kArray, GgufWriter::Bytes(GgufWriter::kArray) + GgufWriter::Bytes(uint64_t{1}));
  ExpectRefused(nested.File(), kUnimplemented, {"deep", "array of arrays"});
  GgufWriter quantised;
  quantised.Tensor("blk.0.ffn_up.weight", {256}, 10, std::string(84, '\0'));
  ExpectRefused(quantised.File(), kUnimplemented, {"blk.0.ffn_up.weight", "Q2_K", "Q4_K"});
}

TEST_F(GgufTest, RefusesEveryLieByName) {
  using enum absl::StatusCode;
  const uint64_t huge = uint64_t{1} << 63;
  ExpectRefused("GGUF", kDataLoss, {"4 bytes"});
  ExpectRefused(GgufWriter().File(3, "GGML"), kDataLoss, {"GGUF"});
  ExpectRefused("GGUF" + GgufWriter::Bytes(uint32_t{3}) + GgufWriter::Bytes(huge) + GgufWriter::Bytes(uint64_t{0}),
                kDataLoss, {"tensor's name", "truncated"});
  ExpectRefused("GGUF" + GgufWriter::Bytes(uint32_t{3}) + GgufWriter::Bytes(uint64_t{0}) + GgufWriter::Bytes(huge),
                kDataLoss, {"metadata key", "truncated"});
  const auto with = [](const auto& change) {
    GgufWriter file;
    change(file);
    return file.File();
  };
  const auto array_of = [](uint32_t type, uint64_t count) {
    return GgufWriter::Bytes(type) + GgufWriter::Bytes(count);
  };
  struct Case {
    std::string bytes;
    std::vector<std::string> parts;
  };
  const Case cases[] = {
      {with([](GgufWriter& f) { f.Whole("twice", 1), f.Whole("twice", 1); }), {"twice", "given twice"}},
      {with([](GgufWriter& f) { f.Raw("odd", 99, ""); }), {"odd", "unknown type 99"}},
      {with([](GgufWriter& f) { f.Raw("truth", GgufWriter::kBool, "\2"); }), {"truth", "truth value"}},
      {with([&](GgufWriter& f) { f.Raw("text", GgufWriter::kString, GgufWriter::Bytes(huge)); }), {"text"}},
      {with([&](GgufWriter& f) { f.Raw("large", GgufWriter::kUint64, GgufWriter::Bytes(huge)); }), {"large", "2^63"}},
      {with([&](GgufWriter& f) { f.Raw("list", GgufWriter::kArray, array_of(GgufWriter::kString, huge)); }),
       {"list", "truncated"}},
      {with([&](GgufWriter& f) { f.Raw("list", GgufWriter::kArray, array_of(77, 1)); }), {"list", "unknown type 77"}},
      {with([](GgufWriter& f) { f.Whole("general.alignment", 24); }), {"general.alignment", "power of two"}},
      {with([](GgufWriter& f) {
         f.Tensor("deep", {1, 1, 1, 1, 1}, 0, "abcd");
       }),
       {"deep", "5 dimensions"}},
      {with([&](GgufWriter& f) {
         f.Tensor("wide", {huge, 4}, 0, "abcd");
       }),
       {"wide", "overflows"}},
      {with([&](GgufWriter& f) {
         f.Tensor("wide", {huge / 2, 2}, 0, "abcd");
       }),
       {"wide", "overflows"}},
      {with([](GgufWriter& f) { f.Tensor("part", {31}, 8, std::string(34, 'x')); }), {"part", "whole blocks of 32"}},
      {with([](GgufWriter& f) { f.Tensor("short", {100}, 0, "abcd"); }), {"short", "outside the file"}},
      {with([](GgufWriter& f) { f.Tensor("a", {1}, 0, "abcd"), f.TensorAt("b", {1}, 0, 4); }), {"b", "multiple of 32"}},
      {with([](GgufWriter& f) { f.Tensor("a", {16}, 0, std::string(64, 'x')), f.TensorAt("b", {1}, 0, 32); }),
       {"b", "overlaps"}},
      {with([](GgufWriter& f) { f.Tensor("a", {1}, 0, "abcd"), f.Tensor("a", {1}, 0, "abcd"); }), {"a", "given twice"}},
      {with([](GgufWriter& f) { f.TensorAt("far", {1}, 0, uint64_t{1} << 40); }), {"far", "outside the file"}},
  };
  for (const Case& c : cases) ExpectRefused(c.bytes, kDataLoss, c.parts);
}

TEST_F(GgufTest, EveryShorterFileIsRefused) {
  GgufWriter file;
  file.Text("general.architecture", "llama");
  file.Texts("tokens", {"a", "b"});
  file.Tensor("matrix", {8}, 0, std::string(32, 'x'));
  const std::string whole = file.File();
  ASSERT_TRUE(Read(whole).ok());
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(Read(whole.substr(0, length)).ok()) << length << " of " << whole.size();
  }
}

}  // namespace
}  // namespace auricle::model
