#include "client/rollout/rollout.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "sim/question/verifier.h"
#include "sim/render/task_audio.h"

namespace auricle::client {
namespace {

// One free answer, token by token.
absl::Status Write(const v1::RolloutTask& task, const Policy& policy, const model::EncodedAudio& heard, uint64_t seed,
                   const std::function<bool()>& cancelled, v1::RolloutAnswer& drawn) {
  model::AnswerOptions options;
  options.temperature = task.temperature();
  options.max_new_tokens = static_cast<int>(std::max(task.max_new_tokens(), 1u));
  options.seed = seed;
  const absl::StatusOr<std::unique_ptr<model::Answer>> answer =
      policy.model->Ask(heard, task.question().text(), options);
  if (!answer.ok()) return answer.status();
  while (!(*answer)->finished()) {
    if (cancelled()) return absl::CancelledError("the lease was lost");
    const absl::StatusOr<model::AnswerStep> step = (*answer)->Step();
    if (!step.ok()) return step.status();
    drawn.mutable_text()->append(step->text);
    if (step->token < 0) continue;
    drawn.add_token_ids(static_cast<uint32_t>(step->token));
    drawn.add_log_probs(static_cast<float>(step->log_probability));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::RolloutResult> RollOut(const v1::RolloutTask& task, const Policy& policy,
                                          const sim::SourceBank* bank, const std::function<bool()>& cancelled) {
  const absl::StatusOr<audio::FoaClip> clip = sim::TaskAudio(task, bank);
  if (!clip.ok()) return clip.status();
  const absl::StatusOr<model::EncodedAudio> heard = policy.model->Encode(*clip);
  if (!heard.ok()) return heard.status();
  const bool choice = task.question().form() == v1::QUESTION_FORM_MULTIPLE_CHOICE;

  v1::RolloutResult result;
  result.set_policy_version(policy.version);
  absl::StatusOr<model::OptionScores> scores;
  if (choice) {
    const std::vector<std::string> options(task.question().options().begin(), task.question().options().end());
    scores = policy.model->ScoreOptions(*heard, task.question().text(), options);
    if (!scores.ok()) return scores.status();
  }
  for (uint32_t i = 0; i < task.group_size(); ++i) {
    if (cancelled()) return absl::CancelledError("the lease was lost");
    const uint64_t seed = task.seed() * 64 + i;  // group_size is at most 64
    v1::RolloutAnswer& drawn = *result.add_answers();
    if (choice) {
      const size_t chosen = model::DrawOption(*scores, task.temperature(), seed);
      drawn.set_text(std::string(1, static_cast<char>('A' + chosen)));
      drawn.add_log_probs(static_cast<float>(std::log(std::max(scores->probabilities[chosen], 1e-30))));
    } else if (absl::Status status = Write(task, policy, *heard, seed, cancelled, drawn); !status.ok()) {
      return status;
    }
    *drawn.mutable_verdict() = sim::Verify(task.question(), drawn.text());
    drawn.set_reward(drawn.verdict().reward());
  }
  return result;
}

}  // namespace auricle::client
