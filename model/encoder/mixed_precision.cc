#include "model/encoder/mixed_precision.h"

#include <ATen/autocast_mode.h>

namespace auricle::model {

Bf16Scope::Bf16Scope(bool enabled) : enabled_(enabled) {
  if (!enabled_) return;
  was_enabled_ = at::autocast::is_autocast_enabled(at::kCPU);
  was_type_ = at::autocast::get_autocast_dtype(at::kCPU);
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  at::autocast::increment_nesting();
}

Bf16Scope::~Bf16Scope() {
  if (!enabled_) return;
  // Cached bf16 copies of the weights are stale after the next optimiser step.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(at::kCPU, was_enabled_);
  at::autocast::set_autocast_dtype(at::kCPU, was_type_);
}

}  // namespace auricle::model
