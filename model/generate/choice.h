// Answers bound to a list of options, and how probable the model finds each.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "model/decoder/decoder.h"
#include "model/text/tokenizer.h"

namespace auricle::model {

struct Choice {
  size_t index = 0;                       // the most probable option, the first of equals
  std::vector<double> probabilities;      // over the options, summing to 1
  std::vector<double> log_probabilities;  // of each option by itself, before they are made to sum to 1
};

// The score of an option is the summed log-probability of all its tokens; give each its end token (<|im_end|>), and the
// sum is the probability of exactly that answer, whatever its length: a short option is not favoured for being short,
// since the model must also believe that the answer ends there. `prefix`: cache of the whole prompt, one row,
// unchanged; `next_logits` [vocab]: what follows it. Costs one batched pass and one fork of the cache for each option.
// INVALID_ARGUMENT: no options, an empty one, or an id outside the vocabulary; RESOURCE_EXHAUSTED: the context cannot
// hold one of them.
absl::StatusOr<Choice> ChooseSequence(const Decoder& decoder, const KvCache& prefix, const at::Tensor& next_logits,
                                      std::span<const std::vector<TokenId>> options);

}  // namespace auricle::model
