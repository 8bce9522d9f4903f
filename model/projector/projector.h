// The dense hybrid projector: from what the ears perceive to tokens in the decoder's width.
//
// Dense tokens, 2.5 per second: one semantic expert (semantic tokens), four spatial experts (spatial and fused tokens)
// and one joint expert (semantic and spatial tokens), concatenated, layer norm, mean over 4 tokens, bottleneck MLP.
// After them one token per slot, most confident first, and one token for the room. Why both: docs/decisions/
// slot-tokens.md.
#pragma once

#include <torch/torch.h>

#include "absl/status/statusor.h"
#include "model/encoder/ears_network.h"

namespace auricle::model {

struct ProjectorConfig {
  int expert_width = 128;   // output of each of the six experts, [8, 4096]
  int expert_hidden = 256;  // [8, 8192]
  int bottleneck = 256;     // hidden width of the dense MLP, [8, 8192]
  int slot_hidden = 384;    // hidden width of the slot and room MLPs, [8, 8192]
  int pool = 4;             // tokens of 100 ms in one dense token, [1, 32]
  int decoder_width = 256;  // [8, 16384]

  absl::Status Validate() const;
  static absl::StatusOr<ProjectorConfig> FromJson(const nlohmann::json& json);
  nlohmann::json ToJson() const;
};

struct AudioTokens {
  torch::Tensor embeddings;  // [B, M, decoder_width]: per clip dense, slots, room, then zeros up to M
  torch::Tensor lengths;     // [B] int64, CPU: ceil(tokens / pool) + K + 1
  torch::Tensor slot_order;  // [B, K] int64: slot_order[b, i] is the slot behind clip b's i-th slot token
};

class ProjectorImpl : public torch::nn::Module {
 public:
  ProjectorImpl(const EarsConfig& ears, const ProjectorConfig& config);

  // Differentiable in every float tensor of `heard` but for the order of the slots.
  AudioTokens forward(const EarsOutput& heard);

  // The parts of forward.
  torch::Tensor Dense(const EarsOutput& heard);       // [B, ceil(N / pool), decoder_width]
  torch::Tensor SlotInputs(const EarsOutput& heard);  // [B, K, slot_input_width]
  torch::Tensor RoomInputs(const EarsOutput& heard);  // [B, room_input_width]

  static int SlotInputWidth(const EarsConfig& ears);
  static constexpr int kRoomInputWidth = kReverberationBands + 3;
  static constexpr int kActivityBins = 20;
  static constexpr int kAzimuthHarmonics = 4;

 private:
  EarsConfig ears_;
  ProjectorConfig config_;
  torch::nn::ModuleList experts_{nullptr};  // semantic, spatial 0..3, joint
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::Sequential bottleneck_{nullptr};
  torch::nn::Sequential slot_{nullptr};
  torch::nn::Sequential room_{nullptr};
};
TORCH_MODULE(Projector);

}  // namespace auricle::model
