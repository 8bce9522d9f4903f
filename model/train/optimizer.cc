#include "model/train/optimizer.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace auricle::train {
namespace {

// Tables that are looked up row by row and learned queries gain nothing from orthogonal updates.
bool SuitsMuon(const Parameter& parameter) {
  const torch::Tensor& value = parameter.value;
  if (value.dim() < 2) return false;
  const int64_t rows = value.size(0), columns = value.numel() / std::max<int64_t>(1, rows);
  if (std::min(rows, columns) < 16) return false;
  for (const char* word : {"embed", "quer", "lm_head", "position"}) {
    if (absl::StrContains(parameter.name, word)) return false;
  }
  return true;
}

double UpdateCost(const Parameter& parameter, bool muon) {
  const double n = static_cast<double>(parameter.value.numel());
  if (!muon) return n;
  const double rows = static_cast<double>(parameter.value.size(0));
  return n * (4.0 + std::min(rows, n / rows) / 8.0);
}

}  // namespace

absl::Status OptimizerOptions::Validate() const {
  auto in = [](double v, double lo, double hi) { return v >= lo && v < hi; };
  if (!in(beta1, 0, 1)) return absl::InvalidArgumentError("optimizer.beta1 must be in [0, 1)");
  if (!in(beta2, 0, 1)) return absl::InvalidArgumentError("optimizer.beta2 must be in [0, 1)");
  if (!in(momentum, 0, 1)) return absl::InvalidArgumentError("optimizer.momentum must be in [0, 1)");
  if (!in(weight_decay, 0, 1)) return absl::InvalidArgumentError("optimizer.weight_decay must be in [0, 1)");
  if (!(epsilon > 0)) return absl::InvalidArgumentError("optimizer.epsilon must be above 0");
  if (!in(max_grad_norm, 0, 1e9)) return absl::InvalidArgumentError("optimizer.max_grad_norm must be in [0, 1e9)");
  if (!in(adamw_rate_scale, 1e-6, 1e3)) {
    return absl::InvalidArgumentError("optimizer.adamw_rate_scale must be in [1e-6, 1e3)");
  }
  return absl::OkStatus();
}

torch::Tensor Orthogonalize(const torch::Tensor& matrices, torch::ScalarType compute) {
  // Quintic iteration with the coefficients of Jordan et al.: steepest at zero among those that stay in [0.7, 1.2].
  constexpr double kA = 3.4445, kB = -4.7750, kC = 2.0315;
  const bool tall = matrices.size(1) > matrices.size(2);
  torch::Tensor x = tall ? matrices.transpose(1, 2) : matrices;
  const torch::Tensor norm = torch::linalg_vector_norm(x, 2, {1, 2}, /*keepdim=*/true).clamp_min(1e-7);
  x = (x / norm).to(compute);
  for (int i = 0; i < 5; ++i) {
    const torch::Tensor a = torch::bmm(x, x.transpose(1, 2));
    x = torch::baddbmm(x, torch::baddbmm(a, a, a, kB, kC), x, kA, 1.0);
  }
  return tall ? x.transpose(1, 2) : x;
}

Optimizer::Optimizer(OptimizerOptions options, std::vector<Parameter> parameters, int parts)
    : options_(options), parameters_(std::move(parameters)) {
  torch::NoGradGuard no_grad;
  parts = std::max(1, parts);
  work_.resize(parts);
  std::vector<double> load(parts, 0.0);
  auto lightest = [&] { return std::min_element(load.begin(), load.end()) - load.begin(); };

  std::vector<size_t> order(parameters_.size());
  std::iota(order.begin(), order.end(), 0);
  std::vector<bool> muon(parameters_.size());
  for (size_t i = 0; i < parameters_.size(); ++i) muon[i] = options_.muon && SuitsMuon(parameters_[i]);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return UpdateCost(parameters_[a], muon[a]) > UpdateCost(parameters_[b], muon[b]);
  });
  for (size_t i : order) {
    const size_t part = lightest();
    load[part] += UpdateCost(parameters_[i], muon[i]);
    const torch::Tensor& value = parameters_[i].value;
    const int64_t rows = value.dim() > 0 ? value.size(0) : 1;
    Work* home = nullptr;
    for (Work& work : work_[part]) {
      const torch::Tensor& first = parameters_[work.indices.front()].value;
      if (work.muon == muon[i] && (!muon[i] || (first.size(0) == rows && first.numel() == value.numel()))) home = &work;
    }
    if (home == nullptr) home = &work_[part].emplace_back(Work{muon[i], {}});
    home->indices.push_back(i);
  }
  for (size_t i = 0; i < parameters_.size(); ++i) {
    momentum_.push_back(torch::zeros_like(parameters_[i].value, torch::MemoryFormat::Contiguous));
    second_.push_back(muon[i] ? torch::Tensor() : torch::zeros_like(momentum_.back()));
  }
}

double Optimizer::Step(const std::vector<torch::Tensor>& gradients, double learning_rate) {
  const double norm = Prepare(gradients, learning_rate);
  for (int part = 0; part < parts(); ++part) UpdatePart(part);
  return norm;
}

double Optimizer::Prepare(const std::vector<torch::Tensor>& gradients, double learning_rate) {
  torch::NoGradGuard no_grad;
  gradients_ = gradients;
  rate_ = learning_rate;
  std::vector<torch::Tensor> norms;
  for (const torch::Tensor& gradient : gradients_) {
    if (gradient.defined()) norms.push_back(torch::linalg_vector_norm(gradient, 2));
  }
  const double norm = norms.empty() ? 0.0 : torch::linalg_vector_norm(torch::stack(norms), 2).item<double>();
  skip_ = !std::isfinite(norm);
  scale_ = options_.max_grad_norm > 0 && norm > options_.max_grad_norm ? options_.max_grad_norm / norm : 1.0;
  if (!skip_) ++steps_;
  return norm;
}

void Optimizer::UpdatePart(int part) {
  if (skip_) return;
  torch::NoGradGuard no_grad;
  for (const Work& work : work_[part]) work.muon ? UpdateMuon(work) : UpdateAdamW(work);
}

std::vector<size_t> Optimizer::PartIndices(int part) const {
  std::vector<size_t> indices;
  for (const Work& work : work_[part]) indices.insert(indices.end(), work.indices.begin(), work.indices.end());
  return indices;
}

void Optimizer::UpdateMuon(const Work& work) {
  std::vector<torch::Tensor> directions;
  const torch::Tensor& first = parameters_[work.indices.front()].value;
  const int64_t rows = first.size(0), columns = first.numel() / rows;
  for (size_t i : work.indices) {
    torch::Tensor& momentum = momentum_[i];
    momentum.mul_(options_.momentum);
    if (gradients_[i].defined()) momentum.add_(gradients_[i], (1 - options_.momentum) * scale_);
    torch::Tensor direction = momentum * options_.momentum;
    if (gradients_[i].defined()) direction.add_(gradients_[i], (1 - options_.momentum) * scale_);
    directions.push_back(direction.reshape({rows, columns}));
  }
  const bool is_double = first.scalar_type() == torch::kDouble;
  const torch::Tensor updates = Orthogonalize(torch::stack(directions), is_double ? torch::kDouble : torch::kBFloat16);
  const double step = rate_ * 0.2 * std::sqrt(static_cast<double>(std::max(rows, columns)));
  for (size_t k = 0; k < work.indices.size(); ++k) {
    torch::Tensor& value = parameters_[work.indices[k]].value;
    value.mul_(1 - rate_ * options_.weight_decay);
    value.sub_(updates[static_cast<int64_t>(k)].reshape(value.sizes()).to(value.scalar_type()), step);
  }
}

void Optimizer::UpdateAdamW(const Work& work) {
  const double rate = rate_ * (options_.muon ? options_.adamw_rate_scale : 1.0);
  const double correction1 = 1 - std::pow(options_.beta1, static_cast<double>(steps_));
  const double correction2 = 1 - std::pow(options_.beta2, static_cast<double>(steps_));
  for (size_t i : work.indices) {
    torch::Tensor& value = parameters_[i].value;
    if (!gradients_[i].defined()) continue;
    const torch::Tensor gradient = gradients_[i] * scale_;
    momentum_[i].mul_(options_.beta1).add_(gradient, 1 - options_.beta1);
    second_[i].mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
    if (value.dim() >= 2) value.mul_(1 - rate * options_.weight_decay);
    const torch::Tensor scale = (second_[i] / correction2).sqrt_().add_(options_.epsilon);
    value.addcdiv_(momentum_[i], scale, -rate / correction1);
  }
}

std::map<std::string, torch::Tensor> Optimizer::State() const {
  std::map<std::string, torch::Tensor> state;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    state[absl::StrCat("momentum.", parameters_[i].name)] = momentum_[i];
    if (second_[i].defined()) state[absl::StrCat("second.", parameters_[i].name)] = second_[i];
  }
  state["steps"] = torch::tensor({steps_}, torch::kInt64);
  return state;
}

absl::Status Optimizer::LoadState(const std::map<std::string, torch::Tensor>& state) {
  torch::NoGradGuard no_grad;
  const auto mine = State();
  for (const auto& [name, tensor] : mine) {
    const auto found = state.find(name);
    if (found == state.end()) return absl::InvalidArgumentError(absl::StrCat("optimizer state lacks ", name));
    if (found->second.sizes() != tensor.sizes()) {
      return absl::InvalidArgumentError(absl::StrCat("optimizer state ", name, " has another shape"));
    }
  }
  for (const auto& [name, tensor] : mine) {
    if (name != "steps") torch::Tensor(tensor).copy_(state.at(name));
  }
  steps_ = state.at("steps").item<int64_t>();
  return absl::OkStatus();
}

}  // namespace auricle::train
