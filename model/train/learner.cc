#include "model/train/learner.h"

#include <torch/torch.h>

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/train/schedule.h"

namespace auricle::train {

Learner::Learner(const OptimizerOptions& options, double ema_decay, std::vector<std::vector<Parameter>> parameters,
                 std::vector<std::vector<Parameter>> buffers, int parts)
    : parameters_(std::move(parameters)),
      buffers_(std::move(buffers)),
      optimizer_(options, parameters_.front(), parts),
      ema_decay_(ema_decay) {
  torch::NoGradGuard no_grad;
  for (size_t r = 1; r < parameters_.size(); ++r) {
    for (size_t i = 0; i < parameters_[r].size(); ++i) {
      parameters_[r][i].value.set_data(parameters_[0][i].value.detach());
    }
  }
  for (const Parameter& parameter : parameters_.front()) ema_parameters_.push_back(parameter.value.detach().clone());
  for (const Parameter& buffer : buffers_.front()) {
    ema_buffers_.push_back(buffer.value.detach().clone());
    good_buffers_.push_back(buffer.value.detach().clone());
  }
  CopyBuffersFromFirst();
}

void Learner::CopyBuffersFromFirst() {
  for (size_t i = 0; i < good_buffers_.size(); ++i) good_buffers_[i].copy_(buffers_[0][i].value);
  for (size_t r = 1; r < buffers_.size(); ++r) {
    for (size_t i = 0; i < buffers_[r].size(); ++i) buffers_[r][i].value.copy_(buffers_[0][i].value);
  }
}

void Learner::Reduce(int part) {
  torch::NoGradGuard no_grad;
  if (parameters_.size() == 1) return;
  const double share = 1.0 / static_cast<double>(parameters_.size());
  for (size_t i = part; i < parameters_[0].size(); i += optimizer_.parts()) {
    torch::Tensor& sum = parameters_[0][i].value.mutable_grad();
    for (size_t r = 1; r < parameters_.size(); ++r) {
      const torch::Tensor& gradient = parameters_[r][i].value.grad();
      if (!gradient.defined()) continue;
      if (sum.defined()) {
        sum.add_(gradient);
      } else {
        sum = gradient.clone();
      }
    }
    if (sum.defined()) sum.mul_(share);
  }
}

double Learner::Prepare(double learning_rate) {
  torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> gradients;
  for (const Parameter& parameter : parameters_[0]) gradients.push_back(parameter.value.grad());
  const double norm = optimizer_.Prepare(gradients, learning_rate);
  skip_ = !std::isfinite(norm);
  decay_ = EmaDecay(ema_decay_, optimizer_.steps());
  for (size_t i = 0; i < buffers_[0].size(); ++i) {
    torch::Tensor& first = buffers_[0][i].value;
    if (!first.is_floating_point()) continue;
    for (size_t r = 1; r < buffers_.size(); ++r) first.add_(buffers_[r][i].value);
    first.div_(static_cast<double>(buffers_.size()));
    if (skip_) {
      first.copy_(good_buffers_[i]);
    } else {
      ema_buffers_[i].lerp_(first, 1 - decay_);
    }
  }
  CopyBuffersFromFirst();
  return norm;
}

void Learner::Update(int part) {
  torch::NoGradGuard no_grad;
  optimizer_.UpdatePart(part);
  // The average follows parameters that another part may still be updating: so each part averages what it updated.
  for (size_t i : optimizer_.PartIndices(part)) {
    if (!skip_) ema_parameters_[i].lerp_(parameters_[0][i].value, 1 - decay_);
    for (auto& replica : parameters_) replica[i].value.mutable_grad().reset();
  }
}

double Learner::Step(double learning_rate) {
  for (int part = 0; part < optimizer_.parts(); ++part) Reduce(part);
  const double norm = Prepare(learning_rate);
  for (int part = 0; part < optimizer_.parts(); ++part) Update(part);
  return norm;
}

std::map<std::string, torch::Tensor> Learner::State() const {
  std::map<std::string, torch::Tensor> state;
  for (size_t i = 0; i < parameters_[0].size(); ++i) {
    state[absl::StrCat("model.", parameters_[0][i].name)] = parameters_[0][i].value.detach();
    state[absl::StrCat("ema.", parameters_[0][i].name)] = ema_parameters_[i];
  }
  for (size_t i = 0; i < buffers_[0].size(); ++i) {
    state[absl::StrCat("model.", buffers_[0][i].name)] = buffers_[0][i].value;
    state[absl::StrCat("ema.", buffers_[0][i].name)] = ema_buffers_[i];
  }
  for (const auto& [name, tensor] : optimizer_.State()) state[absl::StrCat("optimizer.", name)] = tensor;
  return state;
}

absl::Status Learner::LoadState(const std::map<std::string, torch::Tensor>& state) {
  torch::NoGradGuard no_grad;
  std::map<std::string, torch::Tensor> optimizer_state;
  for (const auto& [name, mine] : State()) {
    const auto found = state.find(name);
    if (found == state.end()) return absl::InvalidArgumentError(absl::StrCat("the checkpoint lacks ", name));
    if (found->second.sizes() != mine.sizes()) {
      return absl::InvalidArgumentError(absl::StrCat("the checkpoint's ", name, " has another shape"));
    }
    constexpr std::string_view kOptimizer = "optimizer.";
    if (name.starts_with(kOptimizer)) optimizer_state[name.substr(kOptimizer.size())] = found->second;
  }
  if (absl::Status status = optimizer_.LoadState(optimizer_state); !status.ok()) return status;
  for (auto& [name, mine] : State()) {
    if (!name.starts_with("optimizer.")) torch::Tensor(mine).copy_(state.at(name));
  }
  CopyBuffersFromFirst();
  return absl::OkStatus();
}

void Learner::RestartAverages() {
  torch::NoGradGuard no_grad;
  for (size_t i = 0; i < ema_parameters_.size(); ++i) ema_parameters_[i].copy_(parameters_[0][i].value);
  for (size_t i = 0; i < ema_buffers_.size(); ++i) ema_buffers_[i].copy_(buffers_[0][i].value);
  CopyBuffersFromFirst();
}

std::map<std::string, torch::Tensor> Learner::Averages() const {
  std::map<std::string, torch::Tensor> averages;
  for (size_t i = 0; i < parameters_[0].size(); ++i) averages[parameters_[0][i].name] = ema_parameters_[i];
  for (size_t i = 0; i < buffers_[0].size(); ++i) averages[buffers_[0][i].name] = ema_buffers_[i];
  return averages;
}

}  // namespace auricle::train
