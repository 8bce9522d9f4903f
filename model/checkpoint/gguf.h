// GGUF files (ggml's model format, versions 2 and 3; docs/gguf.md of ggml): typed metadata, then tensors.
//
// The reader maps the file and checks every claim before anything is handed out, as the reader of safetensors does. No
// LibTorch here; checkpoint/tensors.h turns tensors into at::Tensor, decoder/gguf_decoder.h knows what names mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/checkpoint/ggml_blocks.h"

namespace auricle::model {

// Whole numbers of all widths are int64 (an unsigned one above 2^63 - 1 is refused), floats are double.
using GgufValue = std::variant<bool, int64_t, double, std::string, std::vector<bool>, std::vector<int64_t>,
                               std::vector<double>, std::vector<std::string>>;

// One tensor inside a file. Does not own its bytes.
struct GgufTensor {
  std::string name;
  GgmlType type = GgmlType::kF32;
  std::vector<int64_t> shape;  // row-major, slowest dimension first: the file's `ne`, reversed
  std::span<const std::byte> bytes;
};

// A mapped file. Views stay valid while the reader, or any copy of it, lives. Immutable: safe for concurrent reads.
class GgufReader {
 public:
  // Errors of the system as MappedFile::Open. DATA_LOSS with file, key or tensor and reason: wrong magic, a length or
  // count beyond the file, an unknown value type, a key or tensor given twice, more than four dimensions, overflowing
  // shapes, rows that are no whole blocks, offsets unaligned, outside the file or overlapping. UNIMPLEMENTED: version,
  // big-endian file, number format, arrays of arrays.
  static absl::StatusOr<GgufReader> Open(const std::string& path);

  const std::string& path() const { return path_; }
  const std::map<std::string, GgufValue, std::less<>>& metadata() const { return metadata_; }
  const std::vector<GgufTensor>& tensors() const { return tensors_; }
  // Null where there is none of that name.
  const GgufTensor* Find(std::string_view name) const;
  // Whoever holds this keeps the bytes of the views mapped.
  std::shared_ptr<const void> mapping() const { return mapping_; }

  // The value of `key`: NOT_FOUND where there is none, DATA_LOSS where it is of another kind. Each names file and key.
  absl::StatusOr<int64_t> Integer(std::string_view key) const;
  absl::StatusOr<double> Number(std::string_view key) const;  // whole numbers as well
  absl::StatusOr<std::string> Text(std::string_view key) const;
  absl::StatusOr<std::vector<std::string>> Texts(std::string_view key) const;
  absl::StatusOr<std::vector<int64_t>> Integers(std::string_view key) const;

 private:
  template <typename T>
  absl::StatusOr<T> Get(std::string_view key, const char* kind) const;

  std::string path_;
  std::shared_ptr<const void> mapping_;
  std::map<std::string, GgufValue, std::less<>> metadata_;
  std::vector<GgufTensor> tensors_;
  std::map<std::string, size_t, std::less<>> index_;
};

}  // namespace auricle::model
