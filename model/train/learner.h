// What learns: one set of weights, its optimiser and its moving average, fed by one or several replicas.
//
// A replica is a copy of the network that shares the weights' memory but has gradients of its own, so that each thread
// can run forward and backward alone (on two cores two one-thread replicas beat one of two threads by up to 40 %).
// Gradients are averaged in a fixed order, so a step does not depend on which thread was faster.
//
// A step, for T threads (part = 0 .. T - 1):
//   each replica's forward and backward   (one thread each)
//   -- all threads meet --   Reduce(part)
//   -- all threads meet --   Prepare(rate), by one thread
//   -- all threads meet --   Update(part)
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "model/train/optimizer.h"
#include "torch/types.h"

namespace auricle::train {

class Learner {
 public:
  // parameters[r][i] and buffers[r][i]: replica r's i-th tensor, the same names in the same order for each replica.
  // The constructor makes the parameters of replicas 1, 2, ... share the memory of replica 0's. Buffers (running
  // statistics) stay apart and are averaged after each step. `parts`: threads that share an update.
  Learner(const OptimizerOptions& options, double ema_decay, std::vector<std::vector<Parameter>> parameters,
          std::vector<std::vector<Parameter>> buffers, int parts);

  void Reduce(int part);
  // Returns the gradients' norm before clipping; where it is not finite, Update leaves all weights alone and buffers
  // are as before the forward pass.
  double Prepare(double learning_rate);
  // Optimiser, moving average, and gradients cleared, for this part of the parameters.
  void Update(int part);
  // All of the above on this thread.
  double Step(double learning_rate);

  int64_t steps() const { return optimizer_.steps(); }

  // fp32 tensors by name: weights and buffers ("model."), their moving averages ("ema."), the optimiser's state
  // ("optimizer."). Aliases, not copies.
  std::map<std::string, torch::Tensor> State() const;
  // INVALID_ARGUMENT names the first tensor that is missing or of another shape.
  absl::Status LoadState(const std::map<std::string, torch::Tensor>& state);

  // After the weights were written to from outside: buffers are copied to all replicas, and averages begin anew there.
  void RestartAverages();

  // Moving averages of weights and buffers by their plain names.
  std::map<std::string, torch::Tensor> Averages() const;

 private:
  void CopyBuffersFromFirst();

  std::vector<std::vector<Parameter>> parameters_, buffers_;  // [replica][tensor]
  std::vector<torch::Tensor> ema_parameters_, ema_buffers_;
  std::vector<torch::Tensor> good_buffers_;  // as of the last step that was taken
  Optimizer optimizer_;
  double ema_decay_;
  double decay_ = 0;
  bool skip_ = false;
};

}  // namespace auricle::train
