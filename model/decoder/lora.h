// Low-rank adapters of a decoder (Hu et al. 2021, LoRA, eq. 3): W' = W + scale B A, scale = alpha / rank, or
// alpha / sqrt(rank) (Kalajdzievski 2023, rank-stabilised). On disk as PEFT writes them: adapter_config.json and
// adapter_model.safetensors, so that adapters can come from elsewhere and go there.
#pragma once

#include <ATen/core/Generator.h>

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/decoder/decoder.h"

namespace auricle::model {

struct LoraConfig {
  int64_t rank = 16;  // [1, 4096]
  double alpha = 32;  // above 0
  bool rank_stabilised = false;
  // Names of projections, without their place: each layer's are adapted.
  std::vector<std::string> targets = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"};

  double scale() const;
  // INVALID_ARGUMENT naming the field and its range.
  absl::Status Validate() const;
};

// Thread-safe where it is only read. Its tensors are shared, not copied, when it is copied.
class LoraAdapter {
 public:
  // To begin training with: A normal(0, 1 / rank), B zero, so that nothing changes at first. float32 leaves that
  // require gradients.
  static absl::StatusOr<LoraAdapter> Random(const LoraConfig& config, const Decoder& base, at::Generator generator);
  // A PEFT folder for this decoder, in float32. NOT_FOUND, DATA_LOSS naming file, field or tensor and reason: missing,
  // unknown to the configuration, another shape than the decoder's, NaN, infinity. UNIMPLEMENTED for other kinds of
  // adapters and for what would be computed otherwise (DoRA, trained biases, ranks or layers of their own).
  static absl::StatusOr<LoraAdapter> Read(const std::string& folder, const Decoder& base);

  // Creates the folder where it is missing; each file is replaced whole, weights last. `base_name` is what the
  // configuration calls the decoder that it belongs to.
  absl::Status Write(const std::string& folder, const std::string& base_name) const;

  // A decoder with the adapter at work, weights it does not change shared with `base`. Where gradients are on, what it
  // computes can be differentiated after the adapter's tensors.
  Decoder Applied(const Decoder& base) const;

  const LoraConfig& config() const { return config_; }
  // PEFT's names ("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight") and the tensors themselves.
  NamedTensors NamedParameters() const;

 private:
  // The factors of one weight: down [rank, in] is A, up [out, rank] is B.
  struct Factors {
    at::Tensor down, up;
  };
  LoraConfig config_;
  std::map<std::string, Factors> factors_;  // by the decoder's name of the weight, without ".weight"
};

}  // namespace auricle::model
