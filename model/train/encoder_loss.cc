#include "model/train/encoder_loss.h"

#include <torch/torch.h>

#include <algorithm>
#include <numeric>

namespace auricle::train {
namespace {

namespace F = torch::nn::functional;

// sqrt(2 - 2 cos + 1e-3): nearly the angle in radians, with a bounded slope where the two agree. The floor of a perfect
// prediction is sqrt(1e-3).
torch::Tensor Chord(const torch::Tensor& predicted, const torch::Tensor& truth) {
  const torch::Tensor unit = F::normalize(predicted, F::NormalizeFuncOptions().dim(-1).eps(1e-6));
  return torch::sqrt(2 - 2 * (unit * truth).sum(-1) + 1e-3);
}

torch::Tensor Bce(const torch::Tensor& logit, const torch::Tensor& target) {
  // max(x, 0) - x t + ln(1 + exp(-|x|)), broadcasting as plain arithmetic does.
  return torch::clamp_min(logit, 0) - logit * target + torch::log1p(torch::exp(-torch::abs(logit)));
}

torch::Tensor SmoothL1(const torch::Tensor& difference) {
  const torch::Tensor size = torch::abs(difference);
  return torch::where(size < 1, 0.5 * size * size, size - 0.5);
}

// Every order of n things: int64 [n!, n].
torch::Tensor Permutations(int64_t n) {
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::vector<int64_t> all;
  do {
    all.insert(all.end(), order.begin(), order.end());
  } while (std::next_permutation(order.begin(), order.end()));
  return torch::tensor(all, torch::kInt64).view({-1, n});
}

torch::Tensor Real(const torch::Tensor& x) { return x.scalar_type() == torch::kDouble ? x : x.to(torch::kFloat32); }

}  // namespace

torch::Tensor BestAssignment(const torch::Tensor& cost) {
  const int64_t n = cost.size(2);
  const torch::Tensor orders = Permutations(n).to(cost.device());               // [P, N]
  const torch::Tensor cells = orders * n + torch::arange(n, orders.options());  // [P, N] in K * N
  const torch::Tensor totals = cost.flatten(1).index_select(1, cells.flatten()).view({-1, cells.size(0), n}).sum(2);
  return orders.index_select(0, totals.argmin(1));
}

EncoderLoss ComputeEncoderLoss(const EncoderPredictions& predictions, const SceneTargets& targets,
                               const EncoderLossWeights& weights) {
  const torch::Tensor exist_logit = Real(predictions.exist_logit);  // [B, K]
  const auto type = exist_logit.scalar_type();
  auto truth = [&](const torch::Tensor& t) { return t.to(type); };
  const torch::Tensor exists = truth(targets.exists);                 // [B, N]
  const torch::Tensor activity = truth(targets.activity);             // [B, N, F]
  const torch::Tensor active_frames = activity.sum(-1).clamp_min(1);  // [B, N]

  // Pairwise terms [B, K, N]: slot k if it stood for source n.
  struct PairTerm {
    const char* name;
    double weight;
    torch::Tensor cost;
  };
  std::vector<PairTerm> terms;
  terms.push_back({"direction", weights.direction,
                   Chord(Real(predictions.direction).unsqueeze(2), truth(targets.direction).unsqueeze(1))});
  if (predictions.frame_direction.defined()) {
    const torch::Tensor chord =
        Chord(Real(predictions.frame_direction).unsqueeze(2), truth(targets.frame_direction).unsqueeze(1));
    terms.push_back({"frame_direction", weights.frame_direction,
                     (chord * activity.unsqueeze(1)).sum(-1) / active_frames.unsqueeze(1)});
  }
  const torch::Tensor log_p = torch::log_softmax(Real(predictions.class_logits), -1);  // [B, K, C]
  {
    const int64_t slots = log_p.size(1);
    const torch::Tensor index = targets.class_index.unsqueeze(1).expand({-1, slots, -1});
    const torch::Tensor right = -log_p.gather(2, index);              // [B, K, N]
    const torch::Tensor uniform = -log_p.mean(-1, /*keepdim=*/true);  // [B, K, 1]
    terms.push_back(
        {"class", weights.class_name, (1 - weights.class_smoothing) * right + weights.class_smoothing * uniform});
  }
  terms.push_back({"distance", weights.distance,
                   SmoothL1(Real(predictions.log_distance).unsqueeze(2) - truth(targets.log_distance).unsqueeze(1))});
  if (predictions.frame_log_distance.defined()) {
    const torch::Tensor error =
        SmoothL1(Real(predictions.frame_log_distance).unsqueeze(2) - truth(targets.frame_log_distance).unsqueeze(1));
    terms.push_back({"frame_distance", weights.frame_distance,
                     (error * activity.unsqueeze(1)).sum(-1) / active_frames.unsqueeze(1)});
  }
  const torch::Tensor activity_cost =
      Bce(Real(predictions.activity_logit).unsqueeze(2), activity.unsqueeze(1)).mean(-1);  // [B, K, N]
  const torch::Tensor exist_cost = Bce(exist_logit.unsqueeze(2), exists.unsqueeze(1));     // [B, K, N]

  const torch::Tensor real = exists.unsqueeze(1);  // [B, 1, N]
  torch::Tensor cost = weights.activity * activity_cost + weights.exist * exist_cost;
  for (const PairTerm& term : terms) cost = cost + term.weight * term.cost * real;

  EncoderLoss out;
  out.assignment = BestAssignment(cost.detach());
  // [B, K, N], 1 where slot k stands for source n.
  const torch::Tensor chosen = torch::zeros_like(cost.detach()).scatter_(1, out.assignment.unsqueeze(1), 1.0);
  const torch::Tensor source = chosen * real;
  const torch::Tensor count = exists.sum().clamp_min(1);

  torch::Tensor total;
  auto add = [&](const char* name, double weight, const torch::Tensor& value) {
    total = total.defined() ? total + weight * value : weight * value;
    out.parts.emplace_back(name, value.detach());
  };
  for (const PairTerm& term : terms) add(term.name, term.weight, (term.cost * source).sum() / count);
  add("activity", weights.activity, (activity_cost * chosen).sum() / chosen.sum());
  add("exist", weights.exist, (exist_cost * chosen).sum() / chosen.sum());
  if (predictions.motion_logits.defined()) {
    const torch::Tensor log_motion = torch::log_softmax(Real(predictions.motion_logits), -1);
    const torch::Tensor index = targets.motion.clamp_min(0).unsqueeze(1).expand({-1, log_motion.size(1), -1});
    const torch::Tensor known = source * (targets.motion >= 0).to(type).unsqueeze(1);
    add("motion", weights.motion, (-log_motion.gather(2, index) * known).sum() / known.sum().clamp_min(1));
  }
  if (predictions.tag_logits.defined()) {
    // [B, F, C]: 1 where a source of that class sounds in that frame.
    const torch::Tensor logits = Real(predictions.tag_logits);
    torch::Tensor tags = torch::zeros_like(logits.detach());
    tags.scatter_add_(2, targets.class_index.unsqueeze(1).expand({-1, tags.size(1), -1}),
                      (activity * exists.unsqueeze(-1)).transpose(1, 2).contiguous());
    add("tags", weights.tags, Bce(logits, tags.clamp_max(1)).sum(-1).mean());
  }
  const torch::Tensor indoors = 1 - truth(targets.free_field);  // [B]
  if (predictions.log_t30.defined()) {
    const torch::Tensor known = truth(targets.t30_known);
    add("t30", weights.t30,
        (SmoothL1(Real(predictions.log_t30) - truth(targets.log_t30)) * known).sum() / known.sum().clamp_min(1));
  }
  if (predictions.log_volume.defined()) {
    add("volume", weights.volume,
        (SmoothL1(Real(predictions.log_volume) - truth(targets.log_volume)) * indoors).sum() /
            indoors.sum().clamp_min(1));
  }
  if (predictions.free_field_logit.defined()) {
    add("free_field", weights.free_field, Bce(Real(predictions.free_field_logit), truth(targets.free_field)).mean());
  }
  out.total = total;
  return out;
}

}  // namespace auricle::train
