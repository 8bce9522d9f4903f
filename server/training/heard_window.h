// A rolling window of scenes as the frozen encoder heard them, with their truth: what questions are asked about.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "auricle/v1/scene.pb.h"
#include "model/encoder/ears_network.h"
#include "server/training/run_config.h"
#include "server/training/scene_maker.h"
#include "server/training/stage.h"

namespace auricle::training {

// Scene n lies in place n % capacity. float16 on the workshop's device, about 160 kB for ten seconds.
class HeardWindow {
 public:
  // Memory for config.window.scenes scenes of at most the longest of config.seconds.
  absl::Status Create(const Workshop& shop, const DecoderStageConfig& config, const std::string& split, uint64_t seed);

  // Scenes rendered before step s, and the oldest still held.
  int64_t End(int64_t step) const { return config_.window.initial + config_.window.new_per_step * step; }
  int64_t Begin(int64_t step) const { return std::max<int64_t>(0, End(step) - config_.window.scenes); }

  // Renders scene `n` into row `row` of the scenes that enter next; on a CPU encodes it too. Several threads, each its
  // row.
  absl::Status Stage(const Workshop& shop, const SceneMaker& maker, model::EarsNetwork& encoder, int64_t n,
                     int64_t row);
  // Staged scenes first, first + 1, ... enter the window.
  void Commit(const Workshop& shop, model::EarsNetwork& encoder, int64_t first, int64_t count);
  // Both, for scenes [begin, end), on all threads.
  absl::Status Fill(const Workshop& shop, const SceneMaker& maker, model::EarsNetwork& encoder, int64_t begin,
                    int64_t end);

  // float32, for the projector; what it does not read (raw vectors, tags) is left undefined.
  model::EarsOutput Heard(const std::vector<int64_t>& places) const;
  const v1::Scene& truth(int64_t place) const { return truths_[place]; }
  int64_t tokens(int64_t place) const { return tokens_[place]; }

 private:
  static constexpr int64_t kFillBlock = 64;

  DecoderStageConfig config_;
  v1::SceneSpec spec_;
  uint64_t seed_ = 0;
  int64_t longest_ = 0;                // tokens
  std::vector<torch::Tensor> kept_;    // [capacity, ...] in the order of Parts()
  torch::Tensor mask_;                 // [capacity, longest] bool
  std::vector<torch::Tensor> staged_;  // the same for scenes that enter next; on the CPU
  torch::Tensor staged_features_;      // [rows, 10, frames, mels] where encoding waits for Commit
  std::vector<int64_t> tokens_, staged_tokens_;
  std::vector<v1::Scene> truths_, staged_truths_;
};

}  // namespace auricle::training
