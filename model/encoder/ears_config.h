// Shape of the ears: everything that must be known to build the network, and nothing that training alone needs.
//
// Read from and written to the `ears` object of a model's config.json. Every field has a default (the `nano` shape);
// FromJson rejects unknown keys and values out of range with an INVALID_ARGUMENT that names the field.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace auricle::model {

// Tokens per second of every time axis behind the encoders, and features frames per second before them.
inline constexpr int kTokensPerSecond = 10;
inline constexpr int kFramesPerSecond = 100;
inline constexpr int kFramesPerToken = kFramesPerSecond / kTokensPerSecond;
// Samples at the model's 16 kHz.
inline constexpr int64_t kSamplesPerFrame = 16000 / kFramesPerSecond;
inline constexpr int64_t kSamplesPerToken = kSamplesPerFrame * kFramesPerToken;
// Channels of the spatial features (see model/feature/foa_features.h).
inline constexpr int kFeatureChannels = 10;
// T30 values that the room head gives: [0] broadband (mean of the 500 Hz and 1 kHz octaves), then kOctaveCentresHz.
inline constexpr int kReverberationBands = 7;
inline constexpr double kOctaveCentresHz[] = {125, 250, 500, 1000, 2000, 4000};
// Motion logits: index i stands for v1::MotionKind(i + 1): static, left, right, approaching, receding.
inline constexpr int kMotionKinds = 5;

// Channels of the five convolutions of one stack. Strides: time 2, 1, (pool 5), 1, 1, 1; mel 2, 2, 2, 2, 1.
struct ConvStackConfig {
  std::vector<int> channels;  // five values, each in [4, 1024]
};

struct EarsConfig {
  int mels = 64;                                        // [16, 128], a multiple of 16
  ConvStackConfig semantic = {{16, 48, 96, 128, 128}};  // on log-mel W
  ConvStackConfig spatial = {{32, 64, 128, 160, 160}};  // on the ten channels
  int width = 256;                                      // of every token and slot, [16, 2048], multiple of 2 * heads
  int heads = 4;                                        // [1, 32]
  int fusion_layers = 2;                                // [1, 24]
  int slot_layers = 2;                                  // [1, 24]
  int feed_forward = 512;                               // [16, 8192]
  int slots = 4;                                        // sources heard at once, [1, 16]
  int classes = 40;                                     // [1, 4096]
  bool beams = true;                                    // listen again towards each slot: SourceListener
  int chunk_tokens = 4;                                 // attention sees to the end of its own chunk, [1, 64]
  int left_chunks = 24;                                 // and this many whole chunks before it, [0, 4096]
  double dropout = 0.0;                                 // [0, 0.9]; training only

  absl::Status Validate() const;
  static absl::StatusOr<EarsConfig> FromJson(const nlohmann::json& json);
  nlohmann::json ToJson() const;

  static EarsConfig Nano() { return {}; }
  // A few thousand parameters, for tests.
  static EarsConfig Tiny();
};

}  // namespace auricle::model
