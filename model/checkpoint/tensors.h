// Between safetensors files and at::Tensor.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/checkpoint/safetensors.h"

namespace auricle::model {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

absl::StatusOr<at::ScalarType> ToScalarType(Dtype dtype);
absl::StatusOr<Dtype> FromScalarType(at::ScalarType type);

// A CPU tensor with its own copy of the bytes. Costs one copy.
absl::StatusOr<at::Tensor> CopyToTensor(const TensorView& view);

// Every tensor of the file, copied, with its stored dtype.
absl::StatusOr<std::map<std::string, at::Tensor>> LoadTensors(const std::string& path);

// Stores tensors (any device and strides; detached, moved to the CPU, made contiguous; one at a time where possible).
// `floats_as`: floating-point tensors are rounded to this type first (at::kBFloat16 halves a float32 file); others
// keep their type. Undefined means: as they are.
absl::Status SaveTensors(const std::string& path, const NamedTensors& tensors,
                         const std::map<std::string, std::string>& metadata = {},
                         at::ScalarType floats_as = at::ScalarType::Undefined);

// Checked access to the tensors that a model expects to find in one file: each wrong thing becomes a DATA_LOSS or
// NOT_FOUND status that names file, tensor and reason.
class CheckpointTensors {
 public:
  static absl::StatusOr<CheckpointTensors> Open(const std::string& path);

  bool Has(const std::string& name) const { return reader_.Find(name) != nullptr; }
  // Converts to `dtype`. NOT_FOUND: no such tensor. DATA_LOSS: another shape, not floating point, NaN or infinity.
  // Remembers that `name` was asked for.
  absl::StatusOr<at::Tensor> Take(const std::string& name, at::IntArrayRef shape, at::ScalarType dtype);
  // Counts `name` as taken, whether or not the file has it.
  void Ignore(const std::string& name) { taken_[name] = true; }
  // DATA_LOSS naming the first tensors under `prefix` that nobody took: a file for another model than the one
  // configured.
  absl::Status RefuseLeftovers(const std::string& prefix = "") const;

  const SafetensorsReader& reader() const { return reader_; }

 private:
  explicit CheckpointTensors(SafetensorsReader reader) : reader_(std::move(reader)) {}
  SafetensorsReader reader_;
  std::map<std::string, bool> taken_;
};

}  // namespace auricle::model
