#include "model/generate/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"

namespace auricle::model {
namespace {

absl::Status OutOfRange(const char* field, double value, const char* range) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", value, " outside ", range));
}

// In double: the filters' cuts must not depend on float rounding of a sum over the vocabulary.
std::vector<double> Softmax(std::span<const float> logits, double temperature) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> probabilities(logits.size());
  double sum = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    sum += probabilities[i] = std::exp((static_cast<double>(logits[i]) - largest) / temperature);
  }
  for (double& p : probabilities) p /= sum;
  return probabilities;
}

void Renormalise(std::vector<double>& probabilities) {
  const double sum = std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
  for (double& p : probabilities) p /= sum;
}

void KeepTopK(std::span<const float> logits, int k, std::vector<double>& probabilities) {
  if (k <= 0 || static_cast<size_t>(k) >= logits.size()) return;
  std::vector<float> sorted(logits.begin(), logits.end());
  std::nth_element(sorted.begin(), sorted.begin() + (k - 1), sorted.end(), std::greater<float>());
  const float kth = sorted[static_cast<size_t>(k) - 1];
  for (size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] < kth) probabilities[i] = 0;
  }
  Renormalise(probabilities);
}

void KeepTopP(double top_p, std::vector<double>& probabilities) {
  if (top_p >= 1) return;
  std::vector<size_t> order;
  for (size_t i = 0; i < probabilities.size(); ++i) {
    if (probabilities[i] > 0) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return probabilities[a] > probabilities[b]; });
  double before = 0;
  for (size_t i : order) {
    const double p = probabilities[i];
    if (before >= top_p) probabilities[i] = 0;
    before += p;
  }
  Renormalise(probabilities);
}

void KeepMinP(double min_p, std::vector<double>& probabilities) {
  if (min_p <= 0) return;
  const double bound = min_p * *std::max_element(probabilities.begin(), probabilities.end());
  for (double& p : probabilities) {
    if (p < bound) p = 0;
  }
  Renormalise(probabilities);
}

}  // namespace

absl::Status SamplingOptions::Validate() const {
  if (!(temperature >= 0 && temperature <= 100)) return OutOfRange("temperature", temperature, "[0, 100]");
  if (top_k < 0) return OutOfRange("top_k", top_k, "[0, 2147483647]");
  if (!(top_p > 0 && top_p <= 1)) return OutOfRange("top_p", top_p, "(0, 1]");
  if (!(min_p >= 0 && min_p <= 1)) return OutOfRange("min_p", min_p, "[0, 1]");
  return absl::OkStatus();
}

std::vector<double> SamplingProbabilities(std::span<const float> logits, const SamplingOptions& options) {
  if (options.temperature == 0) {
    std::vector<double> probabilities(logits.size(), 0.0);
    probabilities[static_cast<size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin())] = 1;
    return probabilities;
  }
  std::vector<double> probabilities = Softmax(logits, options.temperature);
  KeepTopK(logits, options.top_k, probabilities);
  KeepTopP(options.top_p, probabilities);
  KeepMinP(options.min_p, probabilities);
  return probabilities;
}

TokenId SampleToken(std::span<const float> logits, const SamplingOptions& options, SamplingRandom& random) {
  if (options.temperature == 0) return std::max_element(logits.begin(), logits.end()) - logits.begin();
  const std::vector<double> probabilities = SamplingProbabilities(logits, options);
  // 53 bits, uniform in [0, 1); std::uniform_real_distribution differs between standard libraries.
  const double drawn = static_cast<double>(random() >> 11) * 0x1p-53;
  double cumulative = 0;
  TokenId last = 0;
  for (size_t i = 0; i < probabilities.size(); ++i) {
    if (probabilities[i] == 0) continue;
    last = static_cast<TokenId>(i);
    cumulative += probabilities[i];
    if (drawn < cumulative) break;
  }
  return last;  // rounding may leave the sum a hair below `drawn`: then the last possible token
}

double LogProbability(std::span<const float> logits, TokenId token) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return static_cast<double>(logits[static_cast<size_t>(token)]) - largest - std::log(sum);
}

}  // namespace auricle::model
