// A Llama or Qwen2 decoder in a GGUF file: what its metadata and tensor names mean.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "model/checkpoint/gguf.h"
#include "model/checkpoint/tensors.h"
#include "model/decoder/decoder_config.h"

namespace auricle::model {

// Shape of the decoder, from "general.architecture" and the keys under it. A file without output.weight ties the head
// to the embedding. NOT_FOUND, DATA_LOSS naming file and key; UNIMPLEMENTED for architectures other than llama and
// qwen2, for other activations of rope than plain, and for mixtures of experts.
absl::StatusOr<DecoderConfig> GgufDecoderConfig(const GgufReader& file);

// The file's tensors under Hugging Face's names, for Decoder::FromCheckpoint. llama files store the rows of attn_q and
// attn_k so that rotary pairs lie side by side; here they are put back: row i d + s d/2 + j is the file's row
// i d + 2 j + s, for head i, half s, pair j, d rows a head (shared/reference/golden, README). Tensors without a known
// name keep their own, so that CheckpointTensors::RefuseLeftovers names them.
CheckpointTensors GgufDecoderTensors(const GgufReader& file, const DecoderConfig& config);

// The file's byte-level BPE as a tokenizer.json. UNIMPLEMENTED for other kinds of tokenisers ("tokenizer.ggml.model")
// and for rules of splitting ("tokenizer.ggml.pre") other than gpt-2, smollm, qwen2 and llama-bpe.
absl::StatusOr<std::string> GgufTokenizerJson(const GgufReader& file);

}  // namespace auricle::model
