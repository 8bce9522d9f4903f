// The optimiser: Muon for matrices and convolutions, AdamW for everything else, with global gradient clipping.
//
// Muon replaces a matrix's momentum by its nearest semi-orthogonal matrix (five Newton-Schulz steps; K. Jordan et al.,
// "Muon: an optimizer for hidden layers in neural networks", 2024) and scales it by 0.2 sqrt(max(rows, columns)), so
// that one learning rate suits it and AdamW alike (J. Liu et al., "Muon is scalable for LLM training", 2025, eq. 4).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "torch/types.h"

namespace auricle::train {

struct OptimizerOptions {
  bool muon = true;            // false: AdamW for every parameter
  double beta1 = 0.9;          // AdamW
  double beta2 = 0.98;         // AdamW
  double epsilon = 1e-8;       // AdamW
  double momentum = 0.95;      // Muon, Nesterov
  double weight_decay = 0.01;  // decoupled; parameters of one dimension are not decayed
  double max_grad_norm = 3.0;  // over all parameters together; 0 switches clipping off
  // AdamW's rate over Muon's where both are used.
  double adamw_rate_scale = 1.0;

  absl::Status Validate() const;
};

// One trained tensor. `value` is fp32 and is updated in place.
struct Parameter {
  std::string name;
  torch::Tensor value;
};

// State is [same shape as the parameter] fp32 on the parameter's device. Not thread-safe, except that UpdatePart may be
// called for different parts at once.
class Optimizer {
 public:
  // `parts`: into how many shares of about equal work an update is divided.
  Optimizer(OptimizerOptions options, std::vector<Parameter> parameters, int parts = 1);

  // One whole step: clip, then update. `gradients[i]` belongs to parameter i; undefined means zero. Returns the norm
  // before clipping. A norm that is not finite leaves the parameters and the state alone.
  double Step(const std::vector<torch::Tensor>& gradients, double learning_rate);

  // The same in pieces, for several threads: Prepare once, then UpdatePart for each part in any order.
  double Prepare(const std::vector<torch::Tensor>& gradients, double learning_rate);
  void UpdatePart(int part);

  // Which parameters UpdatePart(part) changes.
  std::vector<size_t> PartIndices(int part) const;

  int parts() const { return static_cast<int>(work_.size()); }
  int64_t steps() const { return steps_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }

  // Everything that the next step depends on: "momentum.<name>", "second.<name>", "steps". Tensors are aliases.
  std::map<std::string, torch::Tensor> State() const;
  // INVALID_ARGUMENT names the tensor that is missing or of another shape; then nothing has changed.
  absl::Status LoadState(const std::map<std::string, torch::Tensor>& state);

 private:
  // Parameters of one shape, updated together in one batched Newton-Schulz iteration; or a list for AdamW.
  struct Work {
    bool muon = false;
    std::vector<size_t> indices;
  };
  void UpdateMuon(const Work& work);
  void UpdateAdamW(const Work& work);

  OptimizerOptions options_;
  std::vector<Parameter> parameters_;
  std::vector<torch::Tensor> momentum_;  // Muon: momentum; AdamW: first moment
  std::vector<torch::Tensor> second_;    // AdamW: second moment; undefined for Muon
  std::vector<std::vector<Work>> work_;  // [parts]
  std::vector<torch::Tensor> gradients_;
  double scale_ = 1;
  double rate_ = 0;
  bool skip_ = false;
  int64_t steps_ = 0;
};

// Semi-orthogonal factor of each matrix of `matrices` [n, rows, columns], approximately: singular values end in about
// [0.7, 1.2]. Works in `compute` (bfloat16 is enough; double for tests) and returns that type.
torch::Tensor Orthogonalize(const torch::Tensor& matrices, torch::ScalarType compute);

}  // namespace auricle::train
