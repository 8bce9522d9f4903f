#include "server/training/grpo_trainer.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/atomic_file.h"
#include "model/checkpoint/tensors.h"
#include "model/model_folder.h"
#include "model/projector/ears.h"
#include "model/text/chat_template.h"
#include "model/train/grpo.h"
#include "model/train/optimizer.h"

namespace auricle::server {
namespace {

constexpr char kNoteKey[] = "note";
constexpr size_t kMaxWeightsBytes = size_t{8} << 30;

torch::Tensor FloatRow(const std::vector<float>& values) { return torch::tensor(values, torch::kFloat32); }

// Log-probabilities of one group's answers, one after another: of each token, or of the option chosen; and the entropy
// of what each was drawn from.
struct GroupTokens {
  torch::Tensor log_probs;  // [N]
  torch::Tensor entropy;    // [N]
};

class GrpoTrainer final : public PolicyTrainer {
 public:
  GrpoTrainer(model::ModelParts parts, model::ChatTemplate chat, const v1::GrpoConfig& config, AudioOfTask audio_of)
      : parts_(std::move(parts)),
        chat_(std::move(chat)),
        config_(config),
        audio_of_(std::move(audio_of)),
        ears_(parts_.ears, parts_.projector) {
    parts_.decoder->SetRequiresGrad(true);
    std::vector<train::Parameter> parameters;
    for (const auto& [name, tensor] : parts_.decoder->NamedParameters()) parameters.push_back({name, tensor});
    train::OptimizerOptions options;
    options.muon = false;  // single groups give gradients of low rank, which Muon would blow up
    options.weight_decay = 0;
    options.max_grad_norm = 1;
    optimizer_ = std::make_unique<train::Optimizer>(options, std::move(parameters));
  }

  absl::StatusOr<v1::StepReport> Update(const std::vector<SubmittedUnit>& groups) override {
    try {
      return UpdateOrThrow(groups);
    } catch (const c10::Error& error) {
      return absl::InternalError(error.what_without_backtrace());
    }
  }

  absl::StatusOr<std::string> Weights() override {
    // A folder for each call: several runs may publish at once.
    std::string folder = std::filesystem::temp_directory_path().string() + "/auricle-policy-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) return absl::UnavailableError(absl::StrCat(folder, ": cannot be made"));
    const absl::Status status = model::WriteModelFolder(folder, parts_, at::kFloat);
    absl::StatusOr<std::string> bytes =
        status.ok() ? model::ReadWholeFile(folder + "/model.safetensors", kMaxWeightsBytes) : status;
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    return bytes;
  }

  absl::Status Save(const std::string& path, const std::string& note) override {
    model::NamedTensors tensors;
    for (const auto& [name, tensor] : parts_.decoder->NamedParameters())
      tensors.emplace_back("decoder." + name, tensor);
    for (const auto& [name, tensor] : optimizer_->State()) tensors.emplace_back("optimizer." + name, tensor);
    return model::SaveTensors(path, tensors, {{kNoteKey, note}});
  }

  absl::StatusOr<std::string> Load(const std::string& path) override {
    const absl::StatusOr<model::SafetensorsReader> reader = model::SafetensorsReader::Open(path);
    if (!reader.ok()) return reader.status();
    const auto note = reader->metadata().find(kNoteKey);
    if (note == reader->metadata().end()) return absl::DataLossError(absl::StrCat(path, ": has no note of its step"));
    absl::StatusOr<std::map<std::string, at::Tensor>> tensors = model::LoadTensors(path);
    if (!tensors.ok()) return tensors.status();
    const torch::NoGradGuard no_grad;
    for (const auto& [name, tensor] : parts_.decoder->NamedParameters()) {
      const auto found = tensors->find("decoder." + name);
      if (found == tensors->end() || found->second.sizes() != tensor.sizes()) {
        return absl::DataLossError(absl::StrCat(path, ": decoder.", name, " is missing or of another shape"));
      }
      at::Tensor(tensor).copy_(found->second);
    }
    std::map<std::string, torch::Tensor> state;
    for (const auto& [name, tensor] : *tensors) {
      if (name.rfind("optimizer.", 0) == 0) state[name.substr(sizeof("optimizer.") - 1)] = tensor;
    }
    if (absl::Status status = optimizer_->LoadState(state); !status.ok()) return status;
    return note->second;
  }

 private:
  absl::StatusOr<v1::StepReport> UpdateOrThrow(const std::vector<SubmittedUnit>& groups) {
    std::vector<torch::Tensor> log_probs, entropies;
    std::vector<float> behaviour, advantages;
    for (const SubmittedUnit& unit : groups) {
      const v1::RolloutResult& result = unit.result.rollout();
      const absl::StatusOr<GroupTokens> tokens = Score(unit.unit.rollout(), result);
      if (!tokens.ok()) return tokens.status();
      log_probs.push_back(tokens->log_probs);
      entropies.push_back(tokens->entropy);
      std::vector<double> rewards;
      for (const v1::RolloutAnswer& answer : result.answers()) rewards.push_back(answer.reward());
      const std::vector<double> scores = train::GroupAdvantages(rewards);
      for (int i = 0; i < result.answers_size(); ++i) {
        for (const float value : result.answers(i).log_probs()) {
          behaviour.push_back(value);
          advantages.push_back(static_cast<float>(scores[i]));
        }
      }
    }
    train::GrpoTokens tokens;
    tokens.log_probs = torch::cat(log_probs);
    tokens.proximal_log_probs = tokens.log_probs.detach();
    tokens.behaviour_log_probs = FloatRow(behaviour);
    tokens.advantages = FloatRow(advantages);
    train::GrpoOptions options;
    options.clip_low = config_.clip_low();
    options.clip_high = config_.clip_high();
    options.kl_weight = config_.kl_weight();
    options.importance_cap = config_.importance_cap();
    const train::GrpoLoss loss = train::GrpoObjective(tokens, options);

    const model::NamedTensors parameters = parts_.decoder->NamedParameters();
    for (const auto& [name, tensor] : parameters) at::Tensor(tensor).mutable_grad() = at::Tensor();
    loss.loss.backward();
    std::vector<torch::Tensor> gradients;
    for (const auto& [name, tensor] : parameters) gradients.push_back(tensor.grad());
    const double norm = optimizer_->Step(gradients, config_.learning_rate());

    v1::StepReport report;
    report.set_loss(loss.loss.item<double>());
    report.set_kl(loss.kl);
    report.set_entropy(torch::cat(entropies).mean().item<double>());
    report.set_clip_fraction_low(loss.clip_fraction_low);
    report.set_clip_fraction_high(loss.clip_fraction_high);
    report.set_gradient_norm(norm);
    return report;
  }

  // The answers of one group under the policy as it is, with gradient.
  absl::StatusOr<GroupTokens> Score(const v1::RolloutTask& task, const v1::RolloutResult& result) {
    const absl::StatusOr<torch::Tensor> prompt = Prompt(task);
    if (!prompt.ok()) return prompt.status();
    return task.question().form() == v1::QUESTION_FORM_MULTIPLE_CHOICE ? ScoreChoices(*prompt, task.question(), result)
                                                                       : ScoreWords(*prompt, result);
  }

  // One value for each answer: the option it chose, among those offered.
  absl::StatusOr<GroupTokens> ScoreChoices(const torch::Tensor& prompt, const v1::Question& question,
                                           const v1::RolloutResult& result) const {
    std::vector<std::vector<model::TokenId>> options;
    for (const std::string& option : question.options()) {
      auto ids = chat_.Answer(option);
      if (!ids.ok()) return ids.status();
      options.push_back(*std::move(ids));
    }
    std::vector<int64_t> chosen;
    for (const v1::RolloutAnswer& answer : result.answers()) {
      const int64_t letter = answer.text().size() == 1 ? answer.text()[0] - 'A' : -1;
      if (letter < 0 || letter >= question.options_size() || answer.log_probs_size() != 1) {
        return absl::InvalidArgumentError("answers: of multiple choice must be a letter offered, with one log_prob");
      }
      chosen.push_back(letter);
    }
    const Written words = Read(prompt, options);
    const torch::Tensor each = words.log_probs.gather(-1, words.ids.unsqueeze(-1)).squeeze(-1);
    const torch::Tensor all = torch::log_softmax((each * words.valid).sum(1), 0);  // [options]
    const torch::Tensor entropy = -(all.exp() * all).sum().detach();
    return GroupTokens{all.index_select(0, torch::tensor(chosen, torch::kInt64)),
                       entropy.expand({result.answers_size()})};
  }

  absl::StatusOr<GroupTokens> ScoreWords(const torch::Tensor& prompt, const v1::RolloutResult& result) const {
    std::vector<std::vector<model::TokenId>> answers;
    for (const v1::RolloutAnswer& answer : result.answers()) {
      if (answer.token_ids_size() == 0 || answer.token_ids_size() != answer.log_probs_size()) {
        return absl::InvalidArgumentError("answers: token_ids and log_probs must be equally many, at least one");
      }
      for (const uint32_t id : answer.token_ids()) {
        if (id < parts_.decoder->config().vocab_size) continue;
        return absl::InvalidArgumentError(absl::StrCat("answers.token_ids: ", id, " is outside the vocabulary"));
      }
      answers.emplace_back(answer.token_ids().begin(), answer.token_ids().end());
    }
    const Written words = Read(prompt, answers);
    const torch::Tensor chosen = words.log_probs.gather(-1, words.ids.unsqueeze(-1)).squeeze(-1);
    const torch::Tensor entropy = -(words.log_probs.exp() * words.log_probs).sum(-1);
    return GroupTokens{chosen.masked_select(words.valid), entropy.masked_select(words.valid).detach()};
  }

  // Answers behind one prompt, padded to the longest.
  struct Written {
    torch::Tensor ids;        // [answers, longest]
    torch::Tensor valid;      // the same, bool
    torch::Tensor log_probs;  // [answers, longest, vocabulary], of what may stand there
  };
  Written Read(const torch::Tensor& prompt, const std::vector<std::vector<model::TokenId>>& answers) const {
    const model::Decoder& decoder = *parts_.decoder;
    size_t longest = 0;
    for (const auto& answer : answers) longest = std::max(longest, answer.size());
    const auto rows = static_cast<int64_t>(answers.size()), width = static_cast<int64_t>(longest);
    Written words{
        torch::full({rows, width}, chat_.padding(), torch::kInt64), torch::zeros({rows, width}, torch::kBool), {}};
    for (int64_t i = 0; i < rows; ++i) {
      const std::vector<model::TokenId>& answer = answers[static_cast<size_t>(i)];
      const auto length = static_cast<int64_t>(answer.size());
      words.ids[i].slice(0, 0, length).copy_(torch::tensor(answer, torch::kInt64));
      words.valid[i].slice(0, 0, length).fill_(true);
    }
    // Padding on the right needs no mask: a causal model never looks there.
    const torch::Tensor embeds = torch::cat({prompt.unsqueeze(0).expand({rows, -1, -1}), decoder.Embed(words.ids)}, 1);
    const torch::Tensor positions = torch::arange(embeds.size(1), torch::kInt64).unsqueeze(0).expand({rows, -1});
    const torch::Tensor hidden =
        decoder.Forward(embeds, positions).slice(1, prompt.size(0) - 1, prompt.size(0) - 1 + width);
    words.log_probs = torch::log_softmax(decoder.Logits(hidden).to(torch::kFloat32), -1);
    return words;
  }

  // Template, audio and question as embeddings [positions, d].
  absl::StatusOr<torch::Tensor> Prompt(const v1::RolloutTask& task) {
    const absl::StatusOr<torch::Tensor> audio = AudioTokens(task);
    if (!audio.ok()) return audio.status();
    const absl::StatusOr<std::vector<model::TokenId>> after = chat_.AfterAudio(task.question().text());
    if (!after.ok()) return after.status();
    const model::Decoder& decoder = *parts_.decoder;
    return torch::cat({decoder.Embed(torch::tensor(chat_.before_audio(), torch::kInt64)), *audio,
                       decoder.Embed(torch::tensor(*after, torch::kInt64))});
  }

  absl::StatusOr<torch::Tensor> AudioTokens(const v1::RolloutTask& task) {
    const absl::StatusOr<audio::FoaClip> clip = audio_of_(task);
    if (!clip.ok()) return clip.status();
    const torch::Tensor samples =
        torch::tensor(clip->samples, torch::kFloat32).view({4, static_cast<int64_t>(clip->frames())});
    const absl::StatusOr<model::Heard> heard = ears_.Encode({samples});
    if (!heard.ok()) return heard.status();
    return heard->tokens.embeddings[0].slice(0, 0, heard->tokens.lengths[0].item<int64_t>());
  }

  model::ModelParts parts_;
  const model::ChatTemplate chat_;
  const v1::GrpoConfig config_;
  const AudioOfTask audio_of_;
  const model::Ears ears_;
  std::unique_ptr<train::Optimizer> optimizer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<PolicyTrainer>> MakeGrpoTrainer(const std::string& model_folder,
                                                               const v1::GrpoConfig& config, AudioOfTask audio_of) {
  absl::StatusOr<model::ModelParts> parts = model::ReadModelFolder(model_folder, at::kFloat);
  if (!parts.ok()) return parts.status();
  absl::StatusOr<model::ChatTemplate> chat = model::ChatTemplate::Create(parts->tokenizer);
  if (!chat.ok()) return chat.status();
  return std::make_unique<GrpoTrainer>(*std::move(parts), *std::move(chat), config, std::move(audio_of));
}

}  // namespace auricle::server
