// One answer being generated: a step object without threads. Whoever drives it decides the pace: a server interleaves
// many, stops one by destroying it between two steps, or steps several together.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/decoder/decoder.h"
#include "model/generate/sampling.h"
#include "model/text/stream_decoder.h"

namespace auricle::model {

struct GenerationOptions {
  SamplingOptions sampling;
  int max_new_tokens = 128;  // [1, 65536]
  uint64_t seed = 0;
  std::vector<TokenId> stop_tokens;

  absl::Status Validate() const;
};

enum class FinishReason {
  kRunning,
  kStop,    // a stop token
  kLength,  // max_new_tokens, or the decoder's context is full
};

// What one step brought.
struct GenerationStep {
  TokenId token = -1;          // the stop token itself on kStop
  double log_probability = 0;  // of `token` under the model, temperature 1, no filters
  std::string text;            // certain new text, valid UTF-8, often empty; at the end includes what was held back
  FinishReason finish = FinishReason::kRunning;
};

// Not thread-safe; different objects may be stepped from different threads. Keeps the decoder and the tokeniser alive.
class Generation {
 public:
  // `prefix`: positions already in the cache (may be empty), taken over; must have room for the prompt and all new
  // tokens. `prompt`: [T, d] embeddings that follow it, T >= 1. Nothing is computed yet. INVALID_ARGUMENT: an option or
  // shape; RESOURCE_EXHAUSTED: prefix + prompt + 1 exceed the decoder's max_position_embeddings or the cache.
  static absl::StatusOr<std::unique_ptr<Generation>> Start(std::shared_ptr<const Decoder> decoder,
                                                           std::shared_ptr<const Tokenizer> tokenizer, KvCache prefix,
                                                           at::Tensor prompt, const GenerationOptions& options);

  // The next token. The first call runs the prompt through the decoder (prefill). FAILED_PRECONDITION after the end.
  absl::StatusOr<GenerationStep> Step();

  // One step of each. Those that are past their prefill, and share this decoder, run through it together; the result of
  // each is as from Step() up to rounding (in bf16, greedy ties may fall differently). An error in one does not touch
  // the others.
  static std::vector<absl::StatusOr<GenerationStep>> StepTogether(std::span<Generation* const> generations);

  bool finished() const { return finish_ != FinishReason::kRunning; }
  int64_t prompt_tokens() const { return prompt_tokens_; }  // prefix and prompt
  int64_t new_tokens() const { return new_tokens_; }        // the stop token included
  // Logits after the prompt, [vocab]; undefined before the first step. For scoring whole options (ChooseSequence).
  const at::Tensor& last_logits() const { return last_logits_; }
  const KvCache& cache() const { return cache_; }

 private:
  Generation(std::shared_ptr<const Decoder> decoder, std::shared_ptr<const Tokenizer> tokenizer, KvCache prefix,
             at::Tensor prompt, const GenerationOptions& options);
  absl::Status Prefill();
  // Draws from logits [vocab], float32. INTERNAL where they are not finite.
  absl::StatusOr<GenerationStep> Take(at::Tensor logits);

  std::shared_ptr<const Decoder> decoder_;
  GenerationOptions options_;
  StreamDecoder stream_;
  SamplingRandom random_;
  KvCache cache_;
  at::Tensor prompt_;  // [T, d]; undefined once it has been run
  at::Tensor last_logits_;
  TokenId last_token_ = -1;
  int64_t prompt_tokens_ = 0;
  int64_t new_tokens_ = 0;
  FinishReason finish_ = FinishReason::kRunning;
};

}  // namespace auricle::model
