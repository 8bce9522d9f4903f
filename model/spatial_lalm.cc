#include "model/spatial_lalm.h"

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/sha256.h"
#include "model/generate/choice.h"
#include "model/generate/generation.h"
#include "model/model_folder.h"
#include "model/projector/ears.h"
#include "model/projector/ears_stream.h"
#include "model/text/chat_template.h"

namespace auricle::model {

// The decoder's state after "<|im_start|>user\n" and the audio: what all questions about one clip begin with.
class EncodedAudio::Prefix {
 public:
  Prefix(std::shared_ptr<const Decoder> decoder, KvCache cache)
      : decoder(std::move(decoder)), cache(std::move(cache)) {}
  const std::shared_ptr<const Decoder> decoder;  // whose state this is
  const KvCache cache;                           // one row, full
};

namespace {

absl::Status FromException(const char* what, const std::exception& error) {
  return absl::InternalError(absl::StrCat(what, ": ", error.what()));
}

AnswerEnd EndOf(FinishReason finish) {
  switch (finish) {
    case FinishReason::kRunning:
      return AnswerEnd::kRunning;
    case FinishReason::kStop:
      return AnswerEnd::kStop;
    case FinishReason::kLength:
      return AnswerEnd::kLength;
  }
  return AnswerEnd::kStop;
}

absl::StatusOr<AnswerStep> ToAnswerStep(absl::StatusOr<GenerationStep> step) {
  if (!step.ok()) return step.status();
  return AnswerStep{std::move(step->text), step->token, step->log_probability, EndOf(step->finish)};
}

class GeneratedAnswer : public Answer {
 public:
  GeneratedAnswer(std::unique_ptr<Generation> generation, int64_t cached_tokens)
      : generation_(std::move(generation)), cached_tokens_(cached_tokens) {}

  absl::StatusOr<AnswerStep> Step() override { return ToAnswerStep(generation_->Step()); }
  bool finished() const override { return generation_->finished(); }
  int64_t prompt_tokens() const override { return generation_->prompt_tokens(); }
  int64_t cached_tokens() const override { return cached_tokens_; }
  int64_t new_tokens() const override { return generation_->new_tokens(); }

  Generation* generation() { return generation_.get(); }

 private:
  std::unique_ptr<Generation> generation_;
  int64_t cached_tokens_;
};

// The clip's own memory as [4, frames]; from_blob wants a mutable pointer, but nobody writes.
at::Tensor AsTensor(const audio::FoaClip& clip) {
  return at::from_blob(const_cast<float*>(clip.samples.data()),
                       {audio::kFoaChannels, static_cast<int64_t>(clip.frames())}, at::kFloat);
}

v1::ModelInfo Describe(const ModelParts& parts, const std::string& sha256, ComputeType compute) {
  v1::ModelInfo info;
  info.set_version(sha256.substr(0, 12));
  int64_t parameters = 0;
  for (const at::Tensor& parameter : parts.ears->parameters()) parameters += parameter.numel();
  for (const at::Tensor& parameter : parts.projector->parameters()) parameters += parameter.numel();
  for (const auto& [name, parameter] : parts.decoder->NamedParameters()) parameters += parameter.numel();
  info.set_parameters(static_cast<uint64_t>(parameters));
  info.set_compute_type(compute == ComputeType::kBf16 ? "bf16" : "f32");
  info.set_sample_rate_hz(static_cast<uint32_t>(parts.config.sample_rate));
  for (const SoundClass& entry : parts.config.classes) {
    v1::ModelClass* added = info.add_classes();
    added->set_name(entry.name);
    added->set_label(entry.label);
  }
  info.set_audio_tokens_per_second(static_cast<double>(kTokensPerSecond) / parts.config.projector.pool);
  info.set_context_tokens(static_cast<uint32_t>(parts.config.decoder.max_position_embeddings));
  info.set_description(parts.config.description);
  return info;
}

class LoadedModel : public SpatialLalm, public std::enable_shared_from_this<LoadedModel> {
 public:
  LoadedModel(ModelParts parts, ChatTemplate chat, v1::ModelInfo info)
      : config_(std::move(parts.config)),
        ears_(parts.ears, parts.projector),
        decoder_(std::move(parts.decoder)),
        chat_(std::move(chat)),
        info_(std::move(info)) {}

  absl::StatusOr<EncodedAudio> Encode(const audio::FoaClip& clip, const EncodeOptions& options) const override;
  std::unique_ptr<AudioStream> Listen() const override;
  absl::StatusOr<std::unique_ptr<Answer>> Ask(const EncodedAudio& heard, std::string_view question,
                                              const AnswerOptions& options) const override;
  std::vector<absl::StatusOr<AnswerStep>> StepTogether(std::span<Answer* const> answers) const override;
  absl::StatusOr<OptionScores> ScoreOptions(const EncodedAudio& heard, std::string_view question,
                                            std::span<const std::string> options) const override;
  const v1::ModelInfo& info() const override { return info_; }

 private:
  friend class LiveAudio;
  absl::Status CheckClip(const audio::FoaClip& clip) const;
  // RESOURCE_EXHAUSTED where the context cannot hold so much audio.
  absl::Status CheckContext(double seconds) const;
  // Evidence and prefix of what was heard between two times of the audio's own clock.
  absl::StatusOr<EncodedAudio> Assemble(const Heard& heard, double start_seconds, double end_seconds,
                                        const EncodeOptions& options) const;
  // Runs the template's beginning and the audio through the decoder. Throws.
  std::shared_ptr<const EncodedAudio::Prefix> ReadAudio(const at::Tensor& audio_tokens) const;
  // A generation whose cache begins with the audio and that is about to read `question`.
  absl::StatusOr<std::unique_ptr<Generation>> Begin(const EncodedAudio& heard, std::string_view question,
                                                    const GenerationOptions& options) const;

  ModelConfig config_;
  Ears ears_;
  std::shared_ptr<const Decoder> decoder_;
  ChatTemplate chat_;
  v1::ModelInfo info_;
};

absl::Status LoadedModel::CheckClip(const audio::FoaClip& clip) const {
  if (clip.sample_rate != config_.sample_rate) {
    return absl::InvalidArgumentError(
        absl::StrCat("sample_rate: ", clip.sample_rate, " Hz, but the model hears ", config_.sample_rate));
  }
  if (clip.samples.size() % audio::kFoaChannels != 0) {
    return absl::InvalidArgumentError(absl::StrCat("samples: ", clip.samples.size(), " is not a multiple of 4"));
  }
  return absl::OkStatus();
}

absl::Status LoadedModel::CheckContext(double seconds) const {
  const auto tokens = static_cast<int64_t>(seconds * kTokensPerSecond);
  const int64_t prefix = static_cast<int64_t>(chat_.before_audio().size()) +
                         ProjectorImpl::TokenCount(config_.ears, config_.projector, tokens);
  if (prefix + 1 < config_.decoder.max_position_embeddings) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("audio: ", seconds, " s take ", prefix, " tokens of the context's ",
                                                   config_.decoder.max_position_embeddings));
}

absl::StatusOr<EncodedAudio> LoadedModel::Encode(const audio::FoaClip& clip, const EncodeOptions& options) const {
  if (absl::Status status = CheckClip(clip); !status.ok()) return status;
  if (absl::Status status = CheckContext(clip.seconds()); !status.ok()) return status;
  try {
    absl::StatusOr<Heard> heard = ears_.Encode({AsTensor(clip)});
    if (!heard.ok()) return heard.status();
    return Assemble(*heard, 0, clip.seconds(), options);
  } catch (const std::exception& error) {
    return FromException("encoding audio", error);
  }
}

absl::StatusOr<EncodedAudio> LoadedModel::Assemble(const Heard& heard, double start_seconds, double end_seconds,
                                                   const EncodeOptions& options) const {
  EncodedAudio encoded;
  encoded.duration_seconds = end_seconds - start_seconds;
  EvidenceOptions evidence;
  evidence.tracks = options.include_tracks;
  evidence.start_seconds = start_seconds;
  absl::StatusOr<v1::Scene> scene =
      PerceivedScene(heard.perceived, 0, config_.classes, encoded.duration_seconds, evidence);
  if (!scene.ok()) return scene.status();
  encoded.evidence = *std::move(scene);
  const int64_t count = heard.tokens.lengths[0].item<int64_t>();
  encoded.audio_tokens = static_cast<int>(count);
  encoded.prefix = ReadAudio(heard.tokens.embeddings[0].narrow(0, 0, count));
  return encoded;
}

class LiveAudio : public AudioStream {
 public:
  LiveAudio(std::shared_ptr<const LoadedModel> model, const Ears& ears) : model_(std::move(model)), stream_(ears) {}

  absl::Status Feed(const audio::FoaClip& piece) override {
    if (absl::Status status = model_->CheckClip(piece); !status.ok()) return status;
    if (piece.samples.empty()) return absl::OkStatus();
    try {
      return stream_.Feed(AsTensor(piece));
    } catch (const std::exception& error) {
      return FromException("encoding audio", error);
    }
  }

  absl::StatusOr<EncodedAudio> Snapshot(double from_seconds, const EncodeOptions& options) const override {
    if (!(from_seconds >= 0)) return absl::InvalidArgumentError("from_seconds: must be >= 0");
    try {
      const double start = static_cast<double>(stream_.first_token_of(from_seconds)) / kTokensPerSecond;
      if (absl::Status status = model_->CheckContext(seconds() - start); !status.ok()) return status;
      absl::StatusOr<Heard> heard = stream_.Snapshot(from_seconds);
      if (!heard.ok()) return heard.status();
      return model_->Assemble(*heard, start, seconds(), options);
    } catch (const std::exception& error) {
      return FromException("encoding audio", error);
    }
  }

  double seconds() const override { return static_cast<double>(stream_.samples()) / model_->config_.sample_rate; }

 private:
  const std::shared_ptr<const LoadedModel> model_;
  EarsStream stream_;
};

std::unique_ptr<AudioStream> LoadedModel::Listen() const {
  return std::make_unique<LiveAudio>(shared_from_this(), ears_);
}

std::shared_ptr<const EncodedAudio::Prefix> LoadedModel::ReadAudio(const at::Tensor& audio_tokens) const {
  at::NoGradGuard no_grad;
  const at::Tensor before = decoder_->Embed(at::tensor(chat_.before_audio(), at::kLong));
  const at::Tensor embeds = at::cat({before, audio_tokens.to(before.scalar_type())}, 0).unsqueeze(0);
  KvCache cache(config_.decoder, 1, embeds.size(1), decoder_->dtype());
  decoder_->Forward(embeds, at::arange(embeds.size(1), at::kLong).unsqueeze(0), {}, &cache);
  return std::make_shared<const EncodedAudio::Prefix>(decoder_, std::move(cache));
}

absl::StatusOr<std::unique_ptr<Generation>> LoadedModel::Begin(const EncodedAudio& heard, std::string_view question,
                                                               const GenerationOptions& options) const {
  if (heard.prefix == nullptr || heard.prefix->decoder != decoder_) {
    return absl::FailedPreconditionError("audio: was encoded by another model");
  }
  if (question.empty()) return absl::InvalidArgumentError("question: must not be empty");
  absl::StatusOr<std::vector<TokenId>> ids = chat_.AfterAudio(question);
  if (!ids.ok()) return absl::InvalidArgumentError(absl::StrCat("question: ", std::string(ids.status().message())));
  const int64_t prompt = heard.prefix->cache.length() + static_cast<int64_t>(ids->size());
  const int64_t context = config_.decoder.max_position_embeddings;
  if (prompt + 1 > context) {
    return absl::ResourceExhaustedError(absl::StrCat("question: ", ids->size(), " tokens after ",
                                                     heard.prefix->cache.length(), " of audio exceed the context of ",
                                                     context));
  }
  try {
    at::NoGradGuard no_grad;
    KvCache cache = heard.prefix->cache.Fork(1, std::min<int64_t>(prompt + options.max_new_tokens, context));
    return Generation::Start(decoder_, chat_.tokenizer(), std::move(cache),
                             decoder_->Embed(at::tensor(*ids, at::kLong)), options);
  } catch (const std::exception& error) {
    return FromException("question", error);
  }
}

absl::StatusOr<std::unique_ptr<Answer>> LoadedModel::Ask(const EncodedAudio& heard, std::string_view question,
                                                         const AnswerOptions& options) const {
  GenerationOptions generation;
  generation.sampling = {options.temperature, options.top_k, options.top_p, options.min_p};
  generation.max_new_tokens = options.max_new_tokens;
  generation.seed = options.seed;
  generation.stop_tokens.assign(chat_.stop_tokens().begin(), chat_.stop_tokens().end());
  if (absl::Status status = generation.Validate(); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<Generation>> begun = Begin(heard, question, generation);
  if (!begun.ok()) return begun.status();
  return std::make_unique<GeneratedAnswer>(*std::move(begun), heard.prefix->cache.length());
}

std::vector<absl::StatusOr<AnswerStep>> LoadedModel::StepTogether(std::span<Answer* const> answers) const {
  std::vector<Generation*> generations;
  for (Answer* answer : answers) generations.push_back(static_cast<GeneratedAnswer*>(answer)->generation());
  std::vector<absl::StatusOr<AnswerStep>> steps;
  for (absl::StatusOr<GenerationStep>& step : Generation::StepTogether(generations)) {
    steps.push_back(ToAnswerStep(std::move(step)));
  }
  return steps;
}

absl::StatusOr<OptionScores> LoadedModel::ScoreOptions(const EncodedAudio& heard, std::string_view question,
                                                       std::span<const std::string> options) const {
  std::vector<std::vector<TokenId>> answers;
  for (size_t i = 0; i < options.size(); ++i) {
    absl::StatusOr<std::vector<TokenId>> ids = chat_.Answer(options[i]);
    if (!ids.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("options[", i, "]: ", std::string(ids.status().message())));
    }
    answers.push_back(*std::move(ids));
  }
  absl::StatusOr<std::unique_ptr<Generation>> begun = Begin(heard, question, {});
  if (!begun.ok()) return begun.status();
  if (absl::StatusOr<GenerationStep> read = (*begun)->Step(); !read.ok()) return read.status();
  absl::StatusOr<Choice> choice = ChooseSequence(*decoder_, (*begun)->cache(), (*begun)->last_logits(), answers);
  if (!choice.ok()) return choice.status();
  OptionScores scores;
  scores.probabilities = std::move(choice->probabilities);
  scores.prompt_tokens = (*begun)->cache().length();
  scores.cached_tokens = heard.prefix->cache.length();
  return scores;
}

}  // namespace

size_t DrawOption(const OptionScores& scores, double temperature, uint64_t seed) {
  const auto best = std::max_element(scores.probabilities.begin(), scores.probabilities.end());
  if (temperature <= 0) return static_cast<size_t>(best - scores.probabilities.begin());
  std::vector<double> weights;
  for (const double p : scores.probabilities) weights.push_back(std::pow(p / *best, 1 / temperature));
  std::mt19937_64 generator(seed);
  return std::discrete_distribution<size_t>(weights.begin(), weights.end())(generator);
}

void SetComputeThreads(int threads) { at::set_num_threads(std::clamp(threads, 1, 1024)); }

absl::StatusOr<std::shared_ptr<const SpatialLalm>> SpatialLalm::Load(const std::string& folder, ComputeType compute) {
  absl::StatusOr<ModelParts> parts =
      ReadModelFolder(folder, compute == ComputeType::kBf16 ? at::kBFloat16 : at::kFloat);
  if (!parts.ok()) return parts.status();
  absl::StatusOr<ChatTemplate> chat = ChatTemplate::Create(parts->tokenizer);
  if (!chat.ok()) return chat.status();
  absl::StatusOr<std::string> sha256 = Sha256OfFile(folder + "/model.safetensors");
  if (!sha256.ok()) return sha256.status();
  v1::ModelInfo info = Describe(*parts, *sha256, compute);
  return std::make_shared<const LoadedModel>(*std::move(parts), *std::move(chat), std::move(info));
}

}  // namespace auricle::model
