#include "model/generate/choice.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace auricle::model {
namespace {

// Fills index and probabilities from log_probabilities.
void Normalise(Choice& choice) {
  const auto best = std::max_element(choice.log_probabilities.begin(), choice.log_probabilities.end());
  choice.index = static_cast<size_t>(best - choice.log_probabilities.begin());
  double sum = 0;
  for (double log_probability : choice.log_probabilities) {
    sum += choice.probabilities.emplace_back(std::exp(log_probability - *best));
  }
  for (double& p : choice.probabilities) p /= sum;
}

absl::Status CheckSequences(std::span<const std::vector<TokenId>> options, int64_t vocab_size) {
  if (options.empty()) return absl::InvalidArgumentError("options: there are none");
  for (size_t i = 0; i < options.size(); ++i) {
    if (options[i].empty()) return absl::InvalidArgumentError(absl::StrCat("options[", i, "]: has no tokens"));
    for (TokenId id : options[i]) {
      if (id < 0 || id >= vocab_size) {
        return absl::InvalidArgumentError(absl::StrCat("options[", i, "]: token ", id, " outside the vocabulary"));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Choice> ChooseSequence(const Decoder& decoder, const KvCache& prefix, const at::Tensor& next_logits,
                                      std::span<const std::vector<TokenId>> options) {
  const int64_t vocab_size = decoder.config().vocab_size;
  if (absl::Status status = CheckSequences(options, vocab_size); !status.ok()) return status;
  try {
    at::NoGradGuard no_grad;
    const auto rows = static_cast<int64_t>(options.size());
    size_t longest = 0;
    for (const std::vector<TokenId>& option : options) longest = std::max(longest, option.size());

    Choice choice;
    const at::Tensor first = next_logits.to(at::kFloat).log_softmax(-1);
    for (const std::vector<TokenId>& option : options) {
      choice.log_probabilities.push_back(first[option.front()].item<double>());
    }
    if (prefix.length() + static_cast<int64_t>(longest) > decoder.config().max_position_embeddings) {
      return absl::ResourceExhaustedError(absl::StrCat("options: ", longest, " tokens after a prompt of ",
                                                       prefix.length(), " exceed the context of ",
                                                       decoder.config().max_position_embeddings));
    }
    const auto width = static_cast<int64_t>(longest) - 1;  // the last token of an option predicts nothing we need
    if (width > 0) {
      at::Tensor ids = at::zeros({rows, width}, at::kLong);  // right padding: causality keeps it out of sight
      for (int64_t r = 0; r < rows; ++r) {
        const std::vector<TokenId>& option = options[static_cast<size_t>(r)];
        for (size_t t = 0; t + 1 < option.size(); ++t) ids[r][static_cast<int64_t>(t)] = option[t];
      }
      KvCache cache = prefix.Fork(rows, prefix.length() + width);
      const at::Tensor positions = (at::arange(width, at::kLong) + prefix.length()).expand({rows, width});
      const at::Tensor hidden = decoder.Forward(decoder.Embed(ids), positions, {}, &cache);
      const at::Tensor log_probabilities = decoder.Logits(hidden).to(at::kFloat).log_softmax(-1);
      for (int64_t r = 0; r < rows; ++r) {
        const std::vector<TokenId>& option = options[static_cast<size_t>(r)];
        for (size_t t = 1; t < option.size(); ++t) {
          choice.log_probabilities[static_cast<size_t>(r)] +=
              log_probabilities[r][static_cast<int64_t>(t) - 1][option[t]].item<double>();
        }
      }
    }
    Normalise(choice);
    return choice;
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("scoring options: ", error.what()));
  }
}

}  // namespace auricle::model
