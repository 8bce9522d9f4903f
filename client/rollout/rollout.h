// One rollout: a group of answers to one question, each graded by the verifier.
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "auricle/v1/work.pb.h"
#include "client/rollout/policy_follower.h"
#include "sim/source/source_bank.h"

namespace auricle::client {

// Draws task.group_size answers with the policy. Log-probabilities are those at temperature 1; of multiple-choice
// answers, the one of the option among those offered. Pure: the same task and policy give the same answers. `cancelled`
// is asked between tokens; CANCELLED when it says so. Errors of the audio and the model are passed on.
absl::StatusOr<v1::RolloutResult> RollOut(const v1::RolloutTask& task, const Policy& policy,
                                          const sim::SourceBank* bank, const std::function<bool()>& cancelled);

}  // namespace auricle::client
