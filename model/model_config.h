// A model folder's config.json: what the network looks like and what its classes are called.
//
//   {"auricle_version": 1, "sample_rate": 16000, "description": "...",
//    "ears": {...}, "projector": {...}, "decoder": {Hugging Face keys},
//    "classes": [{"name": "dog", "label": "a dog barking"}, ...]}
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/decoder/decoder_config.h"
#include "model/encoder/ears_config.h"
#include "model/encoder/evidence.h"
#include "model/projector/projector.h"

namespace auricle::model {

struct ModelConfig {
  int sample_rate = 16000;  // Hz; the only rate that version 1 knows
  std::string description;  // one line for people
  EarsConfig ears;
  ProjectorConfig projector;
  DecoderConfig decoder;
  std::vector<SoundClass> classes;  // in the order of the class logits

  // INVALID_ARGUMENT: a part out of range, or parts that do not fit: ears.classes and classes, projector.decoder_width
  // and decoder.hidden_size; a class name that is empty or repeats.
  absl::Status Validate() const;
};

// Reads and validates. NOT_FOUND; DATA_LOSS with file, field and reason; UNIMPLEMENTED: a newer auricle_version.
absl::StatusOr<ModelConfig> ReadModelConfig(const std::string& path);
std::string ModelConfigToJson(const ModelConfig& config);

}  // namespace auricle::model
