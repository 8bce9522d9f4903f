// Packing: many questions on few clips in one batch, each clip's audio paid for once.
//
// A row is a prefix, <|im_start|>user\n and the audio tokens, and then several blocks, each of them
// \n{question}<|im_end|>...assistant\n{answer}<|im_end|>. A block sees the prefix and itself, and its positions go on
// from the prefix's end: it computes what it would alone. A block of several answers, the options of a multiple-choice
// question, has its question once; each answer sees the question and itself.
#pragma once

#include <cstdint>
#include <vector>

#include "model/text/tokenizer.h"
#include "torch/types.h"

namespace auricle::train {

// What kind of answer a target belongs to; losses are reported for each.
enum class AnswerKind { kOpen = 0, kCaption = 1, kOption = 2 };
inline constexpr int kAnswerKinds = 3;

struct AnswerBlock {
  std::vector<model::TokenId> prompt;                // what follows the audio, up to the answer
  std::vector<std::vector<model::TokenId>> answers;  // each with its end token; one, or the options of a kOption
  AnswerKind kind = AnswerKind::kOpen;               // kOption: the right option is the first; they are judged against
                                                     // each other by the likelihood of their words (decoder_step.h)
};

struct AnswerRow {
  std::vector<model::TokenId> before_audio;  // never empty
  int64_t audio_tokens = 0;                  // place-holders that the projector's output fills
  std::vector<AnswerBlock> blocks;
};

// B rows padded to the longest, S positions; A audio tokens and T targets over all rows. All int64 but the weight.
struct AnswerBatch {
  torch::Tensor ids;            // [B, S]; padding where audio or nothing stands
  torch::Tensor segment;        // [B, S]: 0 prefix, 1, 2, ... questions and options, -1 padding, and
  torch::Tensor trunk;          // [B, S]: the question's segment for an option, else its own (decoder/attention_mask.h)
  torch::Tensor audio_place;    // [A] flat positions in [B * S]
  torch::Tensor audio_row;      // [A] the row of each, and
  torch::Tensor audio_index;    // [A] its place among the row's audio tokens
  torch::Tensor target_place;   // [T] flat positions whose next token is judged
  torch::Tensor target_id;      // [T] that token
  torch::Tensor target_weight;  // [T] float32
  torch::Tensor target_kind;    // [T]
  torch::Tensor target_option;  // [T] contest * options + option, or -1 where the answer is no option
  torch::Tensor option_exists;  // [contests, options] bool, options the most of any contest; the right one is 0

  AnswerBatch To(torch::Device device) const;
};

// Weight of each token of an answer: 1 of an open one, 0.3 of a caption, since it is long; 0.5 of the right option,
// none of the wrong ones.
AnswerBatch PackAnswers(const std::vector<AnswerRow>& rows, model::TokenId padding);

}  // namespace auricle::train
