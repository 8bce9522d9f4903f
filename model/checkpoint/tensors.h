// Between files of weights and at::Tensor.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/checkpoint/gguf.h"
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

// The tensor's numbers as float32, whatever type the file stores them in.
absl::StatusOr<at::Tensor> CopyToTensor(const GgufTensor& stored);

// One tensor somewhere among a checkpoint's files.
struct StoredTensor {
  std::string file;
  std::vector<int64_t> shape;
  std::string type;  // as the file's format spells it: "BF16", "Q4_1"
  bool floating_point = true;
  std::function<absl::StatusOr<at::Tensor>()> read;  // a copy; keeps the file mapped
};

// Checked access to the tensors that a model expects to find in its files: each wrong thing becomes a DATA_LOSS or
// NOT_FOUND status that names file, tensor and reason.
class CheckpointTensors {
 public:
  // One safetensors file.
  static absl::StatusOr<CheckpointTensors> Open(const std::string& path);
  // A safetensors checkpoint in several files, by its model.safetensors.index.json: {"weight_map": {tensor: file}}.
  // DATA_LOSS where a tensor is not in the file that the index says, or in two.
  static absl::StatusOr<CheckpointTensors> OpenSharded(const std::string& index_path);
  // Tensors of any format, by the names that the model knows them by. `origin` stands for the checkpoint in messages.
  CheckpointTensors(std::string origin, std::map<std::string, StoredTensor> stored)
      : origin_(std::move(origin)), stored_(std::move(stored)) {}

  bool Has(const std::string& name) const { return stored_.contains(name); }
  // Converts to `dtype`. NOT_FOUND: no such tensor. DATA_LOSS: another shape, not floating point, NaN or infinity.
  // Remembers that `name` was asked for.
  absl::StatusOr<at::Tensor> Take(const std::string& name, at::IntArrayRef shape, at::ScalarType dtype);
  // Counts `name` as taken, whether or not the checkpoint has it.
  void Ignore(const std::string& name) { taken_.insert(name); }
  // DATA_LOSS naming the first tensors under `prefix` that nobody took: a checkpoint of another model than the one
  // configured.
  absl::Status RefuseLeftovers(const std::string& prefix = "") const;

  const std::string& origin() const { return origin_; }

 private:
  std::string origin_;
  std::map<std::string, StoredTensor> stored_;
  std::set<std::string> taken_;
};

}  // namespace auricle::model
