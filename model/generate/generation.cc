#include "model/generate/generation.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "model/generate/choice.h"

namespace auricle::model {
namespace {

std::span<const float> AsSpan(const at::Tensor& logits) {
  return {logits.const_data_ptr<float>(), static_cast<size_t>(logits.numel())};
}

absl::Status FromException(const std::exception& error) {
  return absl::InternalError(absl::StrCat("decoder: ", error.what()));
}

}  // namespace

absl::Status GenerationOptions::Validate() const {
  if (max_new_tokens < 1 || max_new_tokens > 65536) {
    return absl::InvalidArgumentError(absl::StrCat("max_new_tokens: ", max_new_tokens, " outside [1, 65536]"));
  }
  return sampling.Validate();
}

Generation::Generation(std::shared_ptr<const Decoder> decoder, std::shared_ptr<const Tokenizer> tokenizer,
                       KvCache prefix, at::Tensor prompt, const GenerationOptions& options)
    : decoder_(std::move(decoder)),
      options_(options),
      stream_(std::move(tokenizer)),
      random_(options.seed),
      cache_(std::move(prefix)),
      prompt_(std::move(prompt)),
      prompt_tokens_(cache_.length() + prompt_.size(0)) {}

absl::StatusOr<std::unique_ptr<Generation>> Generation::Start(std::shared_ptr<const Decoder> decoder,
                                                              std::shared_ptr<const Tokenizer> tokenizer,
                                                              KvCache prefix, at::Tensor prompt,
                                                              const GenerationOptions& options) {
  if (absl::Status status = options.Validate(); !status.ok()) return status;
  const DecoderConfig& config = decoder->config();
  if (!prompt.defined() || prompt.dim() != 2 || prompt.size(0) < 1 || prompt.size(1) != config.hidden_size ||
      prefix.batch() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("prompt: must be [T >= 1, ", config.hidden_size, "] behind a prefix of one row"));
  }
  const int64_t tokens = prefix.length() + prompt.size(0);
  if (tokens + 1 > config.max_position_embeddings) {
    return absl::ResourceExhaustedError(
        absl::StrCat("prompt: ", tokens, " tokens leave no room in the context of ", config.max_position_embeddings));
  }
  if (tokens > prefix.capacity()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("prompt: ", tokens, " tokens do not fit into a cache of ", prefix.capacity()));
  }
  return std::unique_ptr<Generation>(
      new Generation(std::move(decoder), std::move(tokenizer), std::move(prefix), std::move(prompt), options));
}

absl::StatusOr<GenerationStep> Generation::Step() {
  Generation* self = this;
  return std::move(StepTogether({&self, 1}).front());
}

absl::Status Generation::Prefill() {
  try {
    at::NoGradGuard no_grad;
    const int64_t count = prompt_.size(0);
    const at::Tensor positions = (at::arange(count, at::kLong) + cache_.length()).unsqueeze(0);
    const at::Tensor hidden = decoder_->Forward(prompt_.unsqueeze(0), positions, {}, &cache_);
    last_logits_ = decoder_->Logits(hidden[0][count - 1]).to(at::kFloat).contiguous();
    prompt_.reset();
    return absl::OkStatus();
  } catch (const std::exception& error) {
    return FromException(error);
  }
}

absl::StatusOr<GenerationStep> Generation::Take(at::Tensor logits) {
  last_logits_ = std::move(logits);
  const std::span<const float> scores = AsSpan(last_logits_);
  // One NaN or infinity makes the sum so. Finite weights can overflow; drawing from that would be silent nonsense.
  if (!std::isfinite(std::accumulate(scores.begin(), scores.end(), 0.0))) {
    return absl::InternalError("decoder: the logits are not finite");
  }
  GenerationStep step;
  ++new_tokens_;
  step.token = SampleToken(scores, options_.sampling, random_);
  if (std::find(options_.stop_tokens.begin(), options_.stop_tokens.end(), step.token) != options_.stop_tokens.end()) {
    step.finish = FinishReason::kStop;
  } else {
    step.text = stream_.Push(step.token);
    const int64_t next_position = cache_.length();  // where this token would go
    if (new_tokens_ >= options_.max_new_tokens || next_position >= cache_.capacity() ||
        next_position >= decoder_->config().max_position_embeddings) {
      step.finish = FinishReason::kLength;
    }
  }
  if (step.finish != FinishReason::kRunning) step.text += stream_.Flush();
  step.log_probability = LogProbability(scores, step.token);
  last_token_ = step.token;
  finish_ = step.finish;
  return step;
}

std::vector<absl::StatusOr<GenerationStep>> Generation::StepTogether(std::span<Generation* const> generations) {
  std::vector<absl::StatusOr<GenerationStep>> steps(generations.size());
  std::vector<size_t> batch;  // those that run through the decoder together
  for (size_t i = 0; i < generations.size(); ++i) {
    Generation& generation = *generations[i];
    if (generation.finished()) {
      steps[i] = absl::FailedPreconditionError("the answer has ended");
    } else if (generation.prompt_.defined()) {
      const absl::Status status = generation.Prefill();
      steps[i] = status.ok() ? generation.Take(generation.last_logits_) : status;
    } else if (batch.empty() || generation.decoder_ == generations[batch.front()]->decoder_) {
      batch.push_back(i);
    } else {
      steps[i] = generation.Step();
    }
  }
  if (batch.empty()) return steps;
  try {
    at::NoGradGuard no_grad;
    std::vector<int64_t> ids, positions;
    std::vector<KvCache*> caches;
    for (size_t i : batch) {
      ids.push_back(generations[i]->last_token_);
      positions.push_back(generations[i]->cache_.length());
      caches.push_back(&generations[i]->cache_);
    }
    const Decoder& decoder = *generations[batch.front()]->decoder_;
    const at::Tensor hidden =
        decoder.Step(decoder.Embed(at::tensor(ids, at::kLong)), at::tensor(positions, at::kLong), caches);
    const at::Tensor logits = decoder.Logits(hidden).to(at::kFloat).contiguous();
    for (size_t n = 0; n < batch.size(); ++n) {
      steps[batch[n]] = generations[batch[n]]->Take(logits[static_cast<int64_t>(n)]);
    }
  } catch (const std::exception& error) {
    for (size_t i : batch) steps[i] = FromException(error);
  }
  return steps;
}

}  // namespace auricle::model
