// Writes GGUF files, right ones and wrong ones, for tests of the reader. Knows the format from its specification alone
// (ggml, docs/gguf.md), not from the reader.
#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace auricle::test {

class GgufWriter {
 public:
  static constexpr uint32_t kUint32 = 4, kFloat32 = 6, kBool = 7, kString = 8, kArray = 9, kUint64 = 10, kInt32 = 5;

  void Text(const std::string& key, const std::string& value) { Begin(key, kString) += Counted(value); }
  void Whole(const std::string& key, uint32_t value) { Begin(key, kUint32) += Bytes(value); }
  void Number(const std::string& key, float value) { Begin(key, kFloat32) += Bytes(value); }
  void Texts(const std::string& key, const std::vector<std::string>& values) {
    std::string& out = Begin(key, kArray);
    out += Bytes(kString) + Bytes(static_cast<uint64_t>(values.size()));
    for (const std::string& value : values) out += Counted(value);
  }
  void Wholes(const std::string& key, const std::vector<int32_t>& values) {
    std::string& out = Begin(key, kArray);
    out += Bytes(kInt32) + Bytes(static_cast<uint64_t>(values.size()));
    for (const int32_t value : values) out += Bytes(value);
  }
  // A value of any type, as bytes.
  void Raw(const std::string& key, uint32_t type, const std::string& bytes) { Begin(key, type) += bytes; }

  // `ne`: fastest dimension first. The bytes go behind those of the tensors before, aligned.
  void Tensor(const std::string& name, const std::vector<uint64_t>& ne, uint32_t type, const std::string& bytes) {
    TensorAt(name, ne, type, data_.size());
    data_ += bytes;
    data_.resize((data_.size() + 31) / 32 * 32);
  }
  // A claim about bytes that somebody else puts there, or nobody.
  void TensorAt(const std::string& name, const std::vector<uint64_t>& ne, uint32_t type, uint64_t offset) {
    ++tensors_;
    claims_ += Counted(name) + Bytes(static_cast<uint32_t>(ne.size()));
    for (const uint64_t extent : ne) claims_ += Bytes(extent);
    claims_ += Bytes(type) + Bytes(offset);
  }

  std::string File(uint32_t version = 3, const std::string& magic = "GGUF") const {
    std::string file = magic + Bytes(version) + Bytes(tensors_) + Bytes(entries_) + metadata_ + claims_;
    file.resize((file.size() + 31) / 32 * 32);
    return file + data_;
  }
  void Write(const std::string& path) const { std::ofstream(path, std::ios::binary) << File(); }

  template <typename T>
  static std::string Bytes(T value) {
    std::string bytes(sizeof value, '\0');
    std::memcpy(bytes.data(), &value, sizeof value);
    return bytes;
  }
  static std::string Counted(const std::string& text) { return Bytes(static_cast<uint64_t>(text.size())) + text; }

 private:
  std::string& Begin(const std::string& key, uint32_t type) {
    ++entries_;
    metadata_ += Counted(key) + Bytes(type);
    return metadata_;
  }
  std::string metadata_, claims_, data_;
  uint64_t entries_ = 0, tensors_ = 0;
};

}  // namespace auricle::test
