#include "model/decoder/attention_mask.h"

#include <torch/torch.h>

namespace auricle::model {
namespace {

// [S, S], true where the key is not after the query.
at::Tensor Causal(int64_t length, at::Device device) {
  return at::ones({length, length}, at::TensorOptions(at::kBool).device(device)).tril();
}

}  // namespace

at::Tensor CausalPaddingMask(const at::Tensor& valid, int64_t queries) {
  const int64_t length = valid.size(1);
  const at::Tensor itself = at::eye(length, at::TensorOptions(at::kBool).device(valid.device()));
  const at::Tensor mask = (Causal(length, valid.device()) & valid.unsqueeze(1)) | itself;  // [B, S, S]
  return mask.narrow(1, length - queries, queries).unsqueeze(1);
}

at::Tensor PaddedPositions(const at::Tensor& valid) { return (valid.to(at::kLong).cumsum(1) - 1).clamp_min(0); }

at::Tensor SharedPrefixMask(const at::Tensor& segment, const at::Tensor& trunk) {
  const at::Tensor query = segment.unsqueeze(2), key = segment.unsqueeze(1);
  const at::Tensor itself = at::eye(segment.size(1), at::TensorOptions(at::kBool).device(segment.device()));
  at::Tensor sees = (key == 0) | (key == query);
  if (trunk.defined()) sees = sees | (key == trunk.unsqueeze(2));
  return (((sees & (key >= 0)) & Causal(segment.size(1), segment.device())) | itself).unsqueeze(1);
}

at::Tensor SharedPrefixPositions(const at::Tensor& segment, const at::Tensor& trunk) {
  // Position = number of earlier positions that this one sees, padding aside: the mask's row sums say exactly that.
  return (SharedPrefixMask(segment, trunk).squeeze(1).sum(2) - 1).clamp_min(0);
}

}  // namespace auricle::model
