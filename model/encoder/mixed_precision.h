// bf16 autocast on the CPU as a scope.
#pragma once

#include <torch/torch.h>

namespace auricle::model {

// While alive, convolutions and matrix products of this thread run in bf16 (weights stay float32); about twice as fast
// where the CPU has AVX512_BF16 or AMX. Nests; does nothing when `enabled` is false.
class Bf16Scope {
 public:
  explicit Bf16Scope(bool enabled = true);
  ~Bf16Scope();
  Bf16Scope(const Bf16Scope&) = delete;
  Bf16Scope& operator=(const Bf16Scope&) = delete;

 private:
  bool enabled_;
  bool was_enabled_ = false;
  at::ScalarType was_type_ = at::kBFloat16;
};

}  // namespace auricle::model
