// From the decoder's logits to one token. No LibTorch here.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "model/text/tokenizer.h"

namespace auricle::model {

// Applied in this order, each to what the one before left (the rules of transformers):
//   temperature  logits / temperature; 0 is greedy: the largest logit, the lowest id of equal ones, no filters
//   top_k        0: off; every token whose logit equals the k-th largest stays, so ties may keep more than k
//   top_p        1: off; a token stays where the tokens before it, most probable first (lowest id of equals first), sum
//                up to less than top_p: the token that crosses the bound stays, the first always does
//   min_p        0: off; a token stays where its probability is at least min_p times the largest
// The kept tokens are renormalised.
struct SamplingOptions {
  double temperature = 0;  // [0, 100]
  int top_k = 0;           // >= 0
  double top_p = 1;        // (0, 1]
  double min_p = 0;        // [0, 1]

  // INVALID_ARGUMENT naming the field and its range.
  absl::Status Validate() const;
};

// Random numbers of one answer: the same seed gives the same tokens on every machine.
using SamplingRandom = std::mt19937_64;

// The distribution that is drawn from; `logits` may hold -infinity, but not NaN or only -infinity. Sums to 1.
std::vector<double> SamplingProbabilities(std::span<const float> logits, const SamplingOptions& options);

// Draws one token. Uses exactly one random number, or none where temperature is 0.
TokenId SampleToken(std::span<const float> logits, const SamplingOptions& options, SamplingRandom& random);

// ln of softmax(logits) at `token`, at temperature 1 and without filters, in double.
double LogProbability(std::span<const float> logits, TokenId token);

}  // namespace auricle::model
