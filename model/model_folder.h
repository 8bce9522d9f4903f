// A model on disk: config.json, model.safetensors, tokenizer.json. Written by training, read by everybody.
// This header includes LibTorch; programs that only ask questions use model/spatial_lalm.h.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/decoder/decoder.h"
#include "model/encoder/ears_network.h"
#include "model/model_config.h"
#include "model/projector/projector.h"
#include "model/text/tokenizer.h"

namespace auricle::model {

// The modules are shared, not copied, when this struct is copied.
struct ModelParts {
  ModelConfig config;
  EarsNetwork ears{nullptr};
  Projector projector{nullptr};
  std::shared_ptr<Decoder> decoder;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::string tokenizer_json;  // the file as it is, so that saving gives back what was read
};

// The ears and the projector in float32, the decoder in `decoder_dtype`. Every tensor is checked against the
// configuration: NOT_FOUND, DATA_LOSS with file, tensor and reason (missing, unknown, wrong shape, NaN, infinity);
// DATA_LOSS where the tokeniser has more tokens than the decoder or lacks those of the chat template.
absl::StatusOr<ModelParts> ReadModelFolder(const std::string& folder, at::ScalarType decoder_dtype = at::kFloat);

// Creates the folder where it is missing; each file is replaced whole, weights last. Tensors of two or more dimensions
// are stored in `matrices_as` (bf16 halves the file), vectors (norms, biases, running statistics) in float32: they are
// few, and rounding them costs the most.
absl::Status WriteModelFolder(const std::string& folder, const ModelParts& parts,
                              at::ScalarType matrices_as = at::kBFloat16);

// Untrained parts with the given configuration; config.decoder.vocab_size is raised to the tokeniser's size. The same
// seed gives the same weights.
absl::StatusOr<ModelParts> MakeRandomParts(ModelConfig config, const std::string& tokenizer_json, uint64_t seed);

// The `tiny` model of the tests: some hundred kB, random weights, three classes, a tokeniser of 512 tokens trained on a
// few built-in lines. Its answers are noise, but every path of a real model runs.
absl::StatusOr<ModelParts> MakeTinyParts(uint64_t seed);

}  // namespace auricle::model
