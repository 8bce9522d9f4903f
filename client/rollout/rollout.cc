#include "client/rollout/rollout.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "sim/question/questions.h"
#include "sim/question/verifier.h"
#include "sim/render/task_audio.h"

namespace auricle::client {

absl::StatusOr<v1::RolloutResult> RollOut(const v1::RolloutTask& task, const Policy& policy,
                                          const sim::SourceBank* bank, const std::function<bool()>& cancelled) {
  const absl::StatusOr<audio::FoaClip> clip = sim::TaskAudio(task, bank);
  if (!clip.ok()) return clip.status();
  const absl::StatusOr<model::EncodedAudio> heard = policy.model->Encode(*clip);
  if (!heard.ok()) return heard.status();
  const std::string prompt = sim::PromptText(task.question());

  v1::RolloutResult result;
  result.set_policy_version(policy.version);
  for (uint32_t i = 0; i < task.group_size(); ++i) {
    model::AnswerOptions options;
    options.temperature = task.temperature();
    options.max_new_tokens = static_cast<int>(std::max(task.max_new_tokens(), 1u));
    options.seed = task.seed() * 64 + i;  // group_size is at most 64
    if (task.question().form() == v1::QUESTION_FORM_MULTIPLE_CHOICE) options.letters = task.question().options_size();
    absl::StatusOr<std::unique_ptr<model::Answer>> answer = policy.model->Ask(*heard, prompt, options);
    if (!answer.ok()) return answer.status();
    v1::RolloutAnswer& drawn = *result.add_answers();
    while (!(*answer)->finished()) {
      if (cancelled()) return absl::CancelledError("the lease was lost");
      const absl::StatusOr<model::AnswerStep> step = (*answer)->Step();
      if (!step.ok()) return step.status();
      drawn.mutable_text()->append(step->text);
      if (step->token < 0) continue;
      drawn.add_token_ids(static_cast<uint32_t>(step->token));
      double log_probability = step->log_probability;
      if (!step->letter_probabilities.empty()) {
        const int letter = step->text.empty() ? 0 : step->text[0] - 'A';
        log_probability = std::log(std::max(step->letter_probabilities.at(static_cast<size_t>(letter)), 1e-30));
      }
      drawn.add_log_probs(static_cast<float>(log_probability));
    }
    *drawn.mutable_verdict() = sim::Verify(task.question(), drawn.text());
    drawn.set_reward(drawn.verdict().reward());
  }
  return result;
}

}  // namespace auricle::client
