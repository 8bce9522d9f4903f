// Safetensors files (https://huggingface.co/docs/safetensors, format 0.4): eight bytes of little-endian header length,
// a JSON header, then the tensors' bytes. The reader maps the file and checks every claim of the header before a single
// tensor is handed out, so that a truncated or hostile file is refused and never read out of bounds.
// No LibTorch here; checkpoint/tensors.h turns views into at::Tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace auricle::model {

enum class Dtype { kBool, kU8, kI8, kI16, kU16, kF16, kBf16, kI32, kU32, kF32, kF64, kI64, kU64 };

// Bytes of one element.
size_t DtypeBytes(Dtype dtype);
// The format's spelling: "F32", "BF16", ...
std::string_view DtypeName(Dtype dtype);

// One tensor inside a file or about to be written to one. Row-major, little-endian. Does not own its bytes.
struct TensorView {
  std::string name;
  Dtype dtype = Dtype::kF32;
  std::vector<int64_t> shape;  // empty: a scalar
  std::span<const std::byte> bytes;

  // "[3, 64]"
  std::string ShapeString() const;
};

// A mapped file. Views stay valid while the reader, or any copy of it, lives. Immutable: safe for concurrent reads.
// The file must not be truncated by others meanwhile (writers here replace files, they never rewrite them).
class SafetensorsReader {
 public:
  // NOT_FOUND, PERMISSION_DENIED or UNAVAILABLE where the file cannot be read; DATA_LOSS with file, tensor and reason
  // where it lies: header longer than the file or than 100 MB, JSON that is not the format's, unknown dtype, negative
  // or overflowing shape, offsets out of order or out of the file, a length that disagrees with shape and dtype,
  // tensors that overlap or leave holes, a name given twice.
  static absl::StatusOr<SafetensorsReader> Open(const std::string& path);

  const std::string& path() const { return path_; }
  // In the order of their bytes in the file.
  const std::vector<TensorView>& tensors() const { return tensors_; }
  // Null where there is none of that name.
  const TensorView* Find(std::string_view name) const;
  // The header's "__metadata__": text to text.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  // Whoever holds this keeps the bytes of the views mapped.
  std::shared_ptr<const void> mapping() const { return mapping_; }

 private:
  std::string path_;
  std::shared_ptr<const void> mapping_;
  std::vector<TensorView> tensors_;
  std::map<std::string, size_t, std::less<>> index_;
  std::map<std::string, std::string> metadata_;
};

// Writes a file that is either whole or absent, also after a crash: into "<path>.tmp.<random>", fsync, rename, fsync of
// the folder. Tensors are laid out by falling alignment and then by name, as the format's own library does, so that
// equal content gives equal bytes. INVALID_ARGUMENT for a name given twice, "__metadata__" as a name, or bytes that
// disagree with shape and dtype; UNAVAILABLE or RESOURCE_EXHAUSTED (disk full) with the system's reason.
absl::Status WriteSafetensors(const std::string& path, std::span<const TensorView> tensors,
                              const std::map<std::string, std::string>& metadata = {});

}  // namespace auricle::model
