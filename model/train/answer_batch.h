// Packing: many questions on few clips in one batch, each clip's audio paid for once.
//
// A row is   <|im_start|>user\n  [audio tokens]   then several blocks   \n{question}<|im_end|>...assistant\n{answer}<|im_end|>
// A block sees the prefix and itself, and its positions go on from the prefix's end: it computes what it would alone.
#pragma once

#include <cstdint>
#include <vector>

#include "model/text/tokenizer.h"
#include "torch/types.h"

namespace auricle::train {

// What kind of answer a target belongs to; losses are reported for each.
enum class AnswerKind { kLetter = 0, kOpen = 1, kCaption = 2, kOption = 3 };
inline constexpr int kAnswerKinds = 4;

// A judgement inside the prompt: after the token at `place`, the end of an option, the model should think `token`: that
// the option just read is right, or is not. Nothing else is ever asked of that position. Letters alone teach slowly, one
// bit or two for a whole question; this says of each option whether it fits what is heard, and the letter follows.
struct OptionTarget {
  int64_t place = 0;  // index into the prompt
  model::TokenId token = 0;
};

struct AnswerBlock {
  std::vector<model::TokenId> prompt;  // what follows the audio, up to the answer
  std::vector<model::TokenId> answer;  // with its end token
  AnswerKind kind = AnswerKind::kOpen;
  std::vector<OptionTarget> options;   // multiple choice in training only
};

struct AnswerRow {
  std::vector<model::TokenId> before_audio;  // never empty
  int64_t audio_tokens = 0;                   // place-holders that the projector's output fills
  std::vector<AnswerBlock> blocks;
};

// B rows padded to the longest, S positions; A audio tokens and T targets over all rows. All int64 but the weight.
struct AnswerBatch {
  torch::Tensor ids;              // [B, S]; padding where audio or nothing stands
  torch::Tensor segment;          // [B, S]: 0 prefix, 1, 2, ... blocks, -1 padding (model/decoder/attention_mask.h)
  torch::Tensor audio_place;      // [A] flat positions in [B * S]
  torch::Tensor audio_row;        // [A] the row of each, and
  torch::Tensor audio_index;      // [A] its place among the row's audio tokens
  torch::Tensor target_place;     // [T] flat positions whose next token is judged
  torch::Tensor target_id;        // [T] that token
  torch::Tensor target_weight;    // [T] float32
  torch::Tensor target_kind;      // [T]
  torch::Tensor target_is_first;  // [T] 1 at the first token of an answer (of a letter answer: the letter)

  AnswerBatch To(torch::Device device) const;
};

// Weight of each token of an answer: a letter counts 1 and its end token 0.1; an open answer's tokens 1 each; a
// caption's 0.3 each, since it is long; a judged option 0.5.
AnswerBatch PackAnswers(const std::vector<AnswerRow>& rows, model::TokenId padding);

}  // namespace auricle::train
