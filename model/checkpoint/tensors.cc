#include "model/checkpoint/tensors.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/isfinite.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

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

absl::StatusOr<CheckpointTensors> CheckpointTensors::Open(const std::string& path) {
  absl::StatusOr<SafetensorsReader> reader = SafetensorsReader::Open(path);
  if (!reader.ok()) return reader.status();
  return CheckpointTensors(*std::move(reader));
}

absl::StatusOr<at::Tensor> CheckpointTensors::Take(const std::string& name, at::IntArrayRef shape,
                                                   at::ScalarType dtype) {
  const TensorView* view = reader_.Find(name);
  if (view == nullptr) {
    return absl::NotFoundError(absl::StrCat(reader_.path(), ": ", name,
                                            ": missing; the configuration needs it with shape [",
                                            absl::StrJoin(shape, ", "), "]"));
  }
  taken_[name] = true;
  if (at::IntArrayRef(view->shape) != shape) {
    return absl::DataLossError(absl::StrCat(reader_.path(), ": ", name, ": shape ", view->ShapeString(),
                                            ", but the configuration needs [", absl::StrJoin(shape, ", "), "]"));
  }
  absl::StatusOr<at::Tensor> tensor = CopyToTensor(*view);
  if (!tensor.ok()) return tensor.status();
  try {
    if (!tensor->is_floating_point()) {
      return absl::DataLossError(absl::StrCat(reader_.path(), ": ", name, ": dtype ",
                                              std::string(DtypeName(view->dtype)), ", but weights are floating point"));
    }
    at::Tensor converted = tensor->to(dtype);
    if (!at::isfinite(converted).all().item<bool>()) {
      return absl::DataLossError(absl::StrCat(reader_.path(), ": ", name, ": holds NaN or infinity"));
    }
    return converted;
  } catch (const std::exception& error) {
    return absl::ResourceExhaustedError(absl::StrCat(reader_.path(), ": ", name, ": ", error.what()));
  }
}

absl::Status CheckpointTensors::RefuseLeftovers(const std::string& prefix) const {
  std::vector<std::string> left;
  for (const TensorView& view : reader_.tensors()) {
    if (view.name.starts_with(prefix) && !taken_.contains(view.name)) left.push_back(view.name);
  }
  if (left.empty()) return absl::OkStatus();
  const size_t count = left.size();
  if (left.size() > 3) left.resize(3);
  return absl::DataLossError(absl::StrCat(reader_.path(), ": ", absl::StrJoin(left, ", "),
                                          ": unknown to the configuration (", count, " such in all)"));
}

}  // namespace auricle::model
