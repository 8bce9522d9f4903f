// The ears' network: from spatial features to tokens, slots (sources) and the room. What sound is where, when.
//
//   features [B, 10, F, mels] --channel 0--> semantic stack -> semantic tokens [B, N, D]
//                             --all 10-----> spatial stack  -> spatial tokens  [B, N, D]
//   both -> linear -> chunked transformer -> fused tokens [B, N, D] -> slot decoder, room head
//   features, slots -> a beam towards each slot -> its class, distance and motion once more (EarsConfig::beams)
//
// B clips, F = 10 N feature frames (100 per second), N tokens (10 per second), D width, K slots, C classes.
//
// Streamable: token n depends on features up to frame 10 * (end of n's chunk) + kLookaheadFrames and on no statistics
// over time; batch norm is frozen in eval mode. Clips of different lengths go into one batch, zero-padded, with
// `token_counts`; then every valid output equals that of the clip alone (eval mode).
//
// Not thread-safe in training; in eval mode forward is const in effect and may be called from several threads.
// Members throw c10::Error on wrong shapes: model/projector/ears.h is the edge that turns them into Status.
#pragma once

#include <torch/torch.h>

#include "model/encoder/conv_stack.h"
#include "model/encoder/ears_config.h"
#include "model/encoder/fusion_transformer.h"
#include "model/encoder/room_head.h"
#include "model/encoder/slot_decoder.h"
#include "model/encoder/source_listener.h"

namespace auricle::model {

// Everything the ears perceive. All tensors are float32, on the network's device, with gradient when training.
// Positions at and beyond a clip's token count hold finite values without meaning.
struct EarsOutput {
  torch::Tensor token_mask;  // [B, N] bool, true where the token belongs to the clip

  torch::Tensor semantic_tokens;  // [B, N, D]
  torch::Tensor spatial_tokens;   // [B, N, D]
  torch::Tensor fused_tokens;     // [B, N, D]

  // Per slot. Slots are unordered: match them with the truth by permutation.
  torch::Tensor slot_embeddings;  // [B, K, D]
  torch::Tensor exist_logits;     // [B, K]
  torch::Tensor class_logits;     // [B, K, C]
  torch::Tensor direction_raw;    // [B, K, 3] x front, y left, z up; any length
  torch::Tensor direction;        // [B, K, 3] the same, unit length
  torch::Tensor log_distance;     // [B, K] ln(metres)
  torch::Tensor motion_logits;    // [B, K, 5], see kMotionKinds
  torch::Tensor course;           // [B, K, kCourseValues], see CourseOf; undefined without EarsConfig::beams

  // Per slot and token (100 ms).
  torch::Tensor activity_logits;      // [B, K, N]
  torch::Tensor frame_direction_raw;  // [B, K, N, 3]
  torch::Tensor frame_direction;      // [B, K, N, 3] unit length
  torch::Tensor frame_log_distance;   // [B, K, N] ln(metres)

  // Auxiliary sound-event detection: which classes sound in each token, whatever the slot.
  torch::Tensor sed_logits;  // [B, N, C]

  // Room.
  torch::Tensor log_t30;           // [B, 7] ln(seconds): broadband, then kOctaveCentresHz
  torch::Tensor log_volume;        // [B] ln(cubic metres)
  torch::Tensor free_field_logit;  // [B]
};

class EarsNetworkImpl : public torch::nn::Module {
 public:
  explicit EarsNetworkImpl(const EarsConfig& config);

  // Frames on either side of a token's own ten that reach it through the convolutions: 3 tokens at 10 Hz, then what is
  // left of the first two kernels. The last of them ends 12.5 ms after its centre: a lookahead of 332.5 ms.
  static constexpr int kLookbackFrames = 3 * kFramesPerToken + 4;
  static constexpr int kLookaheadFrames = 3 * kFramesPerToken + 3;

  // features [B, 10, F, mels] as FoaFeatures gives them, F a multiple of 10.
  // token_counts [B] int64: tokens of each clip, each in [1, F / 10]; undefined when all clips are F long.
  EarsOutput forward(const torch::Tensor& features, const torch::Tensor& token_counts = {});

  // The halves of forward, for streaming. Local: convolutions only.
  struct LocalTokens {
    torch::Tensor semantic;  // [B, N, D]
    torch::Tensor spatial;   // [B, N, D]
  };
  LocalTokens EncodeLocal(const torch::Tensor& features, const torch::Tensor& token_mask = {});
  // Fusion of local tokens [B, n, D] that follow those in `cache` (may be null). See FusionTransformer.
  torch::Tensor Fuse(const LocalTokens& local, const torch::Tensor& token_mask = {}, FusionCache* cache = nullptr);
  // Slots, sound events and room from all N tokens of a clip. features [B, 10, 10 M, mels] of the last M of them:
  // all with a mask, else at least the last min(N, kListenTokens); unused without EarsConfig::beams.
  EarsOutput Perceive(const LocalTokens& local, const torch::Tensor& fused, const torch::Tensor& features,
                      const torch::Tensor& token_mask = {});

  const EarsConfig& config() const { return config_; }

 private:
  EarsConfig config_;
  ConvStack semantic_{nullptr};
  ConvStack spatial_{nullptr};
  torch::nn::Linear fusion_in_{nullptr};  // [2 D -> D]
  FusionTransformer fusion_{nullptr};
  SlotDecoder slots_{nullptr};
  SourceListener listener_{nullptr};         // null without beams
  torch::nn::Linear sed_semantic_{nullptr};  // [D -> C]
  torch::nn::Linear sed_fused_{nullptr};     // [D -> C]
  RoomHead room_{nullptr};
};
TORCH_MODULE(EarsNetwork);

}  // namespace auricle::model
