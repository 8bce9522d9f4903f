// The dense hybrid projector: from what the ears perceive to tokens in the decoder's width.
//
// Dense tokens, 2.5 per second: one semantic expert (semantic tokens), four spatial experts (spatial and fused tokens)
// and one joint expert (semantic and spatial tokens), concatenated, layer norm, mean over 4 tokens, bottleneck MLP.
// After them one token for each ordered pair of the most confident slots, which says how the first lies and sounds
// compared with the second; one token per slot, most confident first; and one token for the room. Why all of them:
// docs/decisions/0010-slot-tokens.md and 0012-relation-tokens.md.
#pragma once

#include <torch/torch.h>

#include "absl/status/statusor.h"
#include "model/encoder/ears_network.h"

namespace auricle::model {

struct ProjectorConfig {
  int expert_width = 128;   // output of each of the six experts, [8, 4096]
  int expert_hidden = 256;  // [8, 8192]
  int bottleneck = 256;     // hidden width of the dense MLP, [8, 8192]
  int slot_hidden = 384;    // hidden width of the slot, relation and room MLPs, [8, 8192]
  int related_slots = 3;    // slots whose ordered pairs get a token each (all slots where there are fewer), [0, 16]
  int pool = 4;             // tokens of 100 ms in one dense token, [1, 32]
  int decoder_width = 256;  // [8, 16384]

  absl::Status Validate() const;
  static absl::StatusOr<ProjectorConfig> FromJson(const nlohmann::json& json);
  nlohmann::json ToJson() const;
};

struct AudioTokens {
  torch::Tensor embeddings;  // [B, M, decoder_width]: per clip dense, relations, slots, room, then zeros up to M
  torch::Tensor lengths;     // [B] int64, CPU: TokenCount of each clip
  torch::Tensor slot_order;  // [B, K] int64: slot_order[b, i] is the slot behind clip b's i-th slot token
};

class ProjectorImpl : public torch::nn::Module {
 public:
  ProjectorImpl(const EarsConfig& ears, const ProjectorConfig& config);

  // Differentiable in every float tensor of `heard` but for the order of the slots.
  AudioTokens forward(const EarsOutput& heard);

  // The parts of forward.
  torch::Tensor Dense(const EarsOutput& heard);       // [B, ceil(N / pool), decoder_width]
  torch::Tensor SlotInputs(const EarsOutput& heard);  // [B, K, SlotInputWidth]
  torch::Tensor RoomInputs(const EarsOutput& heard);  // [B, kRoomInputWidth]
  // Of the pairs (order[0], order[1]), (order[0], order[2]), ..., (order[1], order[0]), ...: [B, R (R - 1),
  // RelationInputWidth], R related slots. order as in AudioTokens::slot_order.
  torch::Tensor RelationInputs(const EarsOutput& heard, const torch::Tensor& order);

  // Audio tokens of a clip of `tokens` tokens of 100 ms: ceil(tokens / pool) + R (R - 1) + K + 1.
  static int64_t TokenCount(const EarsConfig& ears, const ProjectorConfig& config, int64_t tokens);
  static int SlotInputWidth(const EarsConfig& ears);
  static int RelationInputWidth(const EarsConfig& ears);
  static constexpr int kRoomInputWidth = kReverberationBands + 3;
  static constexpr int kActivityBins = 20;
  static constexpr int kAzimuthHarmonics = 4;

 private:
  EarsConfig ears_;
  ProjectorConfig config_;
  torch::nn::ModuleList experts_{nullptr};  // semantic, spatial 0..3, joint
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::Sequential bottleneck_{nullptr};
  torch::nn::Sequential relation_{nullptr};  // null where no slots are related
  torch::nn::Sequential slot_{nullptr};
  torch::nn::Sequential room_{nullptr};
};
TORCH_MODULE(Projector);

}  // namespace auricle::model
