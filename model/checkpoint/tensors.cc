#include "model/checkpoint/tensors.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/isfinite.h>

#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/checkpoint/atomic_file.h"
#include "model/checkpoint/folder_file.h"
#include "model/checkpoint/mapped_file.h"

namespace auricle::model {
namespace {

struct TypePair {
  Dtype dtype;
  at::ScalarType type;
};
constexpr TypePair kTypes[] = {
    {Dtype::kBool, at::kBool},  {Dtype::kU8, at::kByte},   {Dtype::kI8, at::kChar},       {Dtype::kI16, at::kShort},
    {Dtype::kU16, at::kUInt16}, {Dtype::kF16, at::kHalf},  {Dtype::kBf16, at::kBFloat16}, {Dtype::kI32, at::kInt},
    {Dtype::kU32, at::kUInt32}, {Dtype::kF32, at::kFloat}, {Dtype::kF64, at::kDouble},    {Dtype::kI64, at::kLong},
    {Dtype::kU64, at::kUInt64},
};

constexpr size_t kMaxIndexBytes = 64 << 20;

// Every tensor of one safetensors file.
absl::Status AddFile(const std::string& path, std::map<std::string, StoredTensor>& stored) {
  absl::StatusOr<SafetensorsReader> reader = SafetensorsReader::Open(path);
  if (!reader.ok()) return reader.status();
  for (const TensorView& view : reader->tensors()) {
    absl::StatusOr<at::ScalarType> type = ToScalarType(view.dtype);
    if (!type.ok()) return type.status();
    StoredTensor tensor{path, view.shape, std::string(DtypeName(view.dtype)), at::isFloatingType(*type),
                        [view, mapping = reader->mapping()] { return CopyToTensor(view); }};
    if (!stored.emplace(view.name, std::move(tensor)).second) {
      return absl::DataLossError(absl::StrCat(path, ": ", Printable(view.name), ": is in another file, too"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<at::ScalarType> ToScalarType(Dtype dtype) {
  for (const TypePair& pair : kTypes) {
    if (pair.dtype == dtype) return pair.type;
  }
  return absl::InternalError("dtype without a scalar type");
}

absl::StatusOr<Dtype> FromScalarType(at::ScalarType type) {
  for (const TypePair& pair : kTypes) {
    if (pair.type == type) return pair.dtype;
  }
  return absl::InvalidArgumentError(absl::StrCat("safetensors cannot hold dtype ", c10::toString(type)));
}

absl::StatusOr<at::Tensor> CopyToTensor(const TensorView& view) {
  absl::StatusOr<at::ScalarType> type = ToScalarType(view.dtype);
  if (!type.ok()) return type.status();
  try {
    at::Tensor tensor = at::empty(view.shape, at::TensorOptions(*type));
    if (!view.bytes.empty()) std::memcpy(tensor.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
    return tensor;
  } catch (const std::exception& error) {  // out of memory
    return absl::ResourceExhaustedError(absl::StrCat(view.name, ": ", error.what()));
  }
}

absl::StatusOr<std::map<std::string, at::Tensor>> LoadTensors(const std::string& path) {
  absl::StatusOr<SafetensorsReader> reader = SafetensorsReader::Open(path);
  if (!reader.ok()) return reader.status();
  std::map<std::string, at::Tensor> tensors;
  for (const TensorView& view : reader->tensors()) {
    absl::StatusOr<at::Tensor> tensor = CopyToTensor(view);
    if (!tensor.ok()) return tensor.status();
    tensors[view.name] = *std::move(tensor);
  }
  return tensors;
}

absl::Status SaveTensors(const std::string& path, const NamedTensors& tensors,
                         const std::map<std::string, std::string>& metadata, at::ScalarType floats_as) {
  at::NoGradGuard no_grad;
  std::vector<at::Tensor> kept;  // holds the bytes of the views until they are written
  std::vector<TensorView> views;
  try {
    for (const auto& [name, tensor] : tensors) {
      if (!tensor.defined()) return absl::InvalidArgumentError(absl::StrCat(path, ": ", name, ": undefined tensor"));
      at::Tensor stored = tensor.detach().to(at::kCPU);
      if (floats_as != at::ScalarType::Undefined && stored.is_floating_point()) stored = stored.to(floats_as);
      stored = stored.contiguous();
      absl::StatusOr<Dtype> dtype = FromScalarType(stored.scalar_type());
      if (!dtype.ok()) {
        return absl::Status(dtype.status().code(),
                            absl::StrCat(path, ": ", name, ": ", std::string(dtype.status().message())));
      }
      views.push_back({name,
                       *dtype,
                       stored.sizes().vec(),
                       {static_cast<const std::byte*>(stored.const_data_ptr()), stored.nbytes()}});
      kept.push_back(std::move(stored));
    }
  } catch (const std::exception& error) {
    return absl::ResourceExhaustedError(absl::StrCat(path, ": ", error.what()));
  }
  return WriteSafetensors(path, views, metadata);
}

absl::StatusOr<at::Tensor> CopyToTensor(const GgufTensor& stored) {
  try {
    at::Tensor tensor = at::empty(stored.shape, at::TensorOptions(at::kFloat));
    Dequantise(stored.type, stored.bytes, {tensor.mutable_data_ptr<float>(), static_cast<size_t>(tensor.numel())});
    return tensor;
  } catch (const std::exception& error) {  // out of memory
    return absl::ResourceExhaustedError(absl::StrCat(stored.name, ": ", error.what()));
  }
}

absl::StatusOr<CheckpointTensors> CheckpointTensors::Open(const std::string& path) {
  std::map<std::string, StoredTensor> stored;
  if (absl::Status status = AddFile(path, stored); !status.ok()) return status;
  return CheckpointTensors(path, std::move(stored));
}

absl::StatusOr<CheckpointTensors> CheckpointTensors::OpenSharded(const std::string& index_path) {
  absl::StatusOr<std::string> text = ReadWholeFile(index_path, kMaxIndexBytes);
  if (!text.ok()) return text.status();
  const auto index = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  const auto bad = [&](const std::string& reason) {
    return absl::DataLossError(absl::StrCat(index_path, ": weight_map: ", reason));
  };
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
    return bad("missing, or not an object");
  }
  std::map<std::string, std::string> path_of;  // by tensor
  std::set<std::string> paths;
  for (const auto& [tensor, file] : index["weight_map"].items()) {
    if (!file.is_string()) return bad(absl::StrCat(Printable(tensor), ": not the name of a file"));
    absl::StatusOr<std::string> path =
        FileInFolder(std::filesystem::path(index_path).parent_path().string(), file.get<std::string>());
    if (!path.ok()) return path.status();
    paths.insert(*path);
    path_of[tensor] = *std::move(path);
  }
  std::map<std::string, StoredTensor> stored;
  for (const std::string& path : paths) {
    if (absl::Status status = AddFile(path, stored); !status.ok()) return status;
  }
  for (const auto& [tensor, path] : path_of) {
    const auto found = stored.find(tensor);
    if (found == stored.end() || found->second.file != path) {
      return bad(absl::StrCat(Printable(tensor), " is not in ", path));
    }
  }
  return CheckpointTensors(index_path, std::move(stored));
}

absl::StatusOr<at::Tensor> CheckpointTensors::Take(const std::string& name, at::IntArrayRef shape,
                                                   at::ScalarType dtype) {
  const auto found = stored_.find(name);
  if (found == stored_.end()) {
    return absl::NotFoundError(absl::StrCat(origin_, ": ", name, ": missing; the configuration needs it with shape [",
                                            absl::StrJoin(shape, ", "), "]"));
  }
  const StoredTensor& stored = found->second;
  taken_.insert(name);
  const auto wrong = [&](const std::string& reason) {
    return absl::DataLossError(absl::StrCat(stored.file, ": ", name, ": ", reason));
  };
  if (at::IntArrayRef(stored.shape) != shape) {
    return wrong(absl::StrCat("shape [", absl::StrJoin(stored.shape, ", "), "], but the configuration needs [",
                              absl::StrJoin(shape, ", "), "]"));
  }
  if (!stored.floating_point) return wrong(absl::StrCat("dtype ", stored.type, ", but weights are floating point"));
  absl::StatusOr<at::Tensor> tensor = stored.read();
  if (!tensor.ok()) return tensor.status();
  try {
    at::Tensor converted = tensor->to(dtype);
    if (!at::isfinite(converted).all().item<bool>()) return wrong("holds NaN or infinity");
    return converted;
  } catch (const std::exception& error) {
    return absl::ResourceExhaustedError(absl::StrCat(stored.file, ": ", name, ": ", error.what()));
  }
}

absl::Status CheckpointTensors::RefuseLeftovers(const std::string& prefix) const {
  std::vector<std::string> left;
  for (const auto& [name, tensor] : stored_) {
    if (name.starts_with(prefix) && !taken_.contains(name)) left.push_back(Printable(name));
  }
  if (left.empty()) return absl::OkStatus();
  const size_t count = left.size();
  if (left.size() > 3) left.resize(3);
  return absl::DataLossError(absl::StrCat(origin_, ": ", absl::StrJoin(left, ", "), ": unknown to the configuration (",
                                          count, " such in all)"));
}

}  // namespace auricle::model
