// What the engine needs of a model, and no more: hear a clip, begin an answer, draw the next token of several answers.
//
// The engine's one thread makes all calls but Info(), so implementations need no locks. LibTorch stays behind this
// header: spatial_lalm_adapter.h implements it for the real model, tests implement it with a deterministic fake.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "auricle/v1/inference.pb.h"
#include "auricle/v1/model.pb.h"
#include "auricle/v1/scene.pb.h"
#include "model/audio/foa.h"

namespace auricle::server {

// A clip as the model heard it. Immutable for its users; shared by all questions on the same audio.
class EncodedAudio {
 public:
  virtual ~EncodedAudio() = default;
  // The structured evidence, tracks included, on the clip's own clock.
  virtual const v1::Scene& scene() const = 0;
  // Positions that the audio takes in the prompt.
  virtual uint32_t audio_tokens() const = 0;
};

// One drawn token.
struct TokenStep {
  std::string text;  // whole UTF-8 characters; empty while one is incomplete
  // Unspecified while the answer goes on; STOP or LENGTH with the last step. A last step may carry text.
  v1::FinishReason finish = v1::FINISH_REASON_UNSPECIFIED;
  bool is_token = true;  // false for an end mark that is not part of the answer
};

// One answer under way, already prefilled.
class Generation {
 public:
  virtual ~Generation() = default;
  virtual uint32_t prompt_tokens() const = 0;  // audio included
  virtual uint32_t cached_tokens() const = 0;  // of these, not computed anew
  // Multiple choice only, valid once the last step has been drawn: the chosen letter ("A" ...), and one probability for
  // each option, which sum to 1.
  virtual std::string letter() const { return ""; }
  virtual std::vector<v1::OptionProbability> probabilities() const { return {}; }
};

class InferenceModel {
 public:
  virtual ~InferenceModel() = default;

  // name, version, parameters, compute_type, sample_rate_hz, classes, audio_tokens_per_second, context_tokens,
  // description; the server fills the rest. Constant: safe from any thread.
  virtual const v1::ModelInfo& Info() const = 0;

  // `clip` at Info().sample_rate_hz. May throw nothing; errors are the model's own (INTERNAL) or INVALID_ARGUMENT.
  virtual absl::StatusOr<std::shared_ptr<const EncodedAudio>> Encode(const audio::FoaClip& clip) = 0;

  // Prefill. `options` empty: an open question. `sampling` is complete: max_new_tokens and top_p are set.
  virtual absl::StatusOr<std::unique_ptr<Generation>> StartGeneration(std::shared_ptr<const EncodedAudio> audio,
                                                                      const std::string& question,
                                                                      const std::vector<std::string>& options,
                                                                      const v1::SamplingParams& sampling) = 0;

  // The next token of each of `batch`, in order; one result for each. A generation that failed or finished is not
  // stepped again.
  virtual std::vector<absl::StatusOr<TokenStep>> Step(std::span<Generation* const> batch) = 0;
};

}  // namespace auricle::server
