// A ready decoder of the Llama or Qwen2 family from elsewhere: a Hugging Face folder or a GGUF file.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "model/decoder/decoder.h"
#include "model/text/tokenizer.h"

namespace auricle::model {

struct ImportedDecoder {
  std::shared_ptr<Decoder> decoder;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::string tokenizer_json;  // the folder's own; for GGUF the one that its metadata amounts to
};

// `path` is a folder with config.json, tokenizer.json and model.safetensors or model.safetensors.index.json with its
// shards; or a file that ends in ".gguf". Weights are converted to `dtype`. Errors name file, tensor or field and
// reason as the readers of each do; DATA_LOSS also where the tokeniser has more tokens than the embedding has rows, or
// where the weights hold tensors that the configuration does not know.
absl::StatusOr<ImportedDecoder> ImportDecoder(const std::string& path, at::ScalarType dtype);

}  // namespace auricle::model
