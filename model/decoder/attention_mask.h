// Boolean attention masks: true where a query may look at a key.
#pragma once

#include <ATen/core/Tensor.h>

namespace auricle::model {

// For rows padded on either side. valid: bool [B, S], false at padding. Returns [B, 1, T, S] for the last T positions:
// causal, no padded key is seen by another position, and every position sees itself (an empty softmax is NaN).
at::Tensor CausalPaddingMask(const at::Tensor& valid, int64_t queries);

// Rotary positions for such rows: the count of valid tokens before each, 0 at padding before the first. int64 [B, S].
at::Tensor PaddedPositions(const at::Tensor& valid);

// Several continuations behind one shared prefix, packed in one row, as training does with several questions on one
// clip. segment: int64 [B, S], 0 for the prefix, 1, 2, ... for the continuations, negative for padding. A position sees
// earlier positions (and itself) of the prefix and of its own segment. A continuation may go on from another one, as
// several answers from one question do: trunk [B, S] is then the segment that it goes on from, and its own where there
// is none (undefined: none anywhere). Returns [B, 1, S, S].
at::Tensor SharedPrefixMask(const at::Tensor& segment, const at::Tensor& trunk = {});

// Positions for such rows: the prefix counts from 0, and each continuation goes on from what it goes on from. int64
// [B, S].
at::Tensor SharedPrefixPositions(const at::Tensor& segment, const at::Tensor& trunk = {});

}  // namespace auricle::model
