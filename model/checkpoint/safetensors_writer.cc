#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/atomic_file.h"
#include "model/checkpoint/safetensors.h"

namespace auricle::model {
namespace {

absl::Status CheckTensor(const TensorView& tensor, const std::string& path) {
  uint64_t bytes = DtypeBytes(tensor.dtype);
  for (int64_t extent : tensor.shape) {
    if (extent < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(extent), &bytes)) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": ", tensor.name, ": impossible shape ", tensor.ShapeString()));
    }
  }
  if (bytes != tensor.bytes.size()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", tensor.name, ": ", tensor.bytes.size(), " bytes given, ",
                                                   std::string(DtypeName(tensor.dtype)), " ", tensor.ShapeString(),
                                                   " takes ", bytes));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteSafetensors(const std::string& path, std::span<const TensorView> tensors,
                              const std::map<std::string, std::string>& metadata) {
  std::vector<const TensorView*> order;
  std::set<std::string_view> names;
  for (const TensorView& tensor : tensors) {
    if (tensor.name == "__metadata__" || !names.insert(tensor.name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": ", tensor.name, ": a tensor's name must be unique and not __metadata__"));
    }
    if (absl::Status status = CheckTensor(tensor, path); !status.ok()) return status;
    order.push_back(&tensor);
  }
  std::sort(order.begin(), order.end(), [](const TensorView* a, const TensorView* b) {
    const size_t bytes_a = DtypeBytes(a->dtype), bytes_b = DtypeBytes(b->dtype);
    return bytes_a != bytes_b ? bytes_a > bytes_b : a->name < b->name;
  });

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t offset = 0;
  for (const TensorView* tensor : order) {
    header[tensor->name] = {{"dtype", DtypeName(tensor->dtype)},
                            {"shape", tensor->shape},
                            {"data_offsets", {offset, offset + tensor->bytes.size()}}};
    offset += tensor->bytes.size();
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception& error) {  // a name or a metadata value that is not UTF-8
    return absl::InvalidArgumentError(absl::StrCat(path, ": header: ", error.what()));
  }
  text.append((8 - text.size() % 8) % 8, ' ');  // the data begins on a multiple of 8

  std::string length(8, '\0');
  for (int i = 0; i < 8; ++i) length[i] = static_cast<char>(text.size() >> (8 * i) & 0xff);
  std::vector<std::string_view> pieces = {length, text};
  for (const TensorView* tensor : order) {
    pieces.emplace_back(reinterpret_cast<const char*>(tensor->bytes.data()), tensor->bytes.size());
  }
  return WriteFileAtomically(path, pieces);
}

}  // namespace auricle::model
