// auricle-rollout-worker: leases questions, answers them with the newest policy, submits the graded answers.
#include <unistd.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/worker_program.h"
#include "client/cpp/worker_loop.h"
#include "client/rollout/policy_follower.h"
#include "client/rollout/rollout.h"
#include "sim/source/source_bank.h"

namespace auricle::client {
namespace {

CommandSpec Spec() {
  CommandSpec spec;
  spec.program = "";
  spec.name = "auricle-rollout-worker";
  spec.summary = "answer leased questions with the newest policy and submit the graded answers";
  spec.flags = {
      {"server", FlagKind::kText, "ADDRESS", "127.0.0.1:50051", "the coordinator", false},
      {"model", FlagKind::kText, "FOLDER", "", "model folder whose configuration and tokeniser the policies share",
       false},
      {"bank", FlagKind::kText, "FOLDER", "", "bank of recordings; needed for tasks that refer to scenes", false},
      {"name", FlagKind::kText, "NAME", "", "stable name of this worker (default: host and process)", false},
      {"work-folder", FlagKind::kText, "FOLDER", "",
       "where fetched policies are kept (default: a folder of the system's temporary one)", false},
      {"threads", FlagKind::kInteger, "N", "1", "threads inside one operation of the model", false},
  };
  return spec;
}

absl::Status DoWork(const ParsedCommand& command, const std::atomic<bool>& stopping) {
  const std::string name = command.Given("name") ? command.Text("name") : DefaultWorkerName();
  const std::string work_folder =
      command.Given("work-folder") ? command.Text("work-folder") : absl::StrCat("/tmp/auricle-rollout-", getpid());
  std::shared_ptr<const sim::SourceBank> bank;
  if (command.Given("bank")) {
    auto opened = sim::SourceBank::Open(command.Text("bank"));
    if (!opened.ok()) return opened.status();
    bank = *std::move(opened);
  }
  model::SetComputeThreads(static_cast<int>(command.Integer("threads")));
  const auto channel = WorkerChannel(command.Text("server"));
  std::map<std::string, std::unique_ptr<PolicyFollower>> followers;
  return RunWorker(
      channel, v1::WORK_KIND_ROLLOUT, name, stopping,
      [&](const v1::WorkUnit& unit, const std::function<bool()>& lost) -> absl::StatusOr<v1::SubmitRequest> {
        auto& follower = followers[unit.run_id()];
        if (follower == nullptr) {
          follower = std::make_unique<PolicyFollower>(channel, unit.run_id(), command.Text("model"),
                                                      absl::StrCat(work_folder, "/", unit.run_id()));
        }
        const auto policy = follower->AtLeast(unit.rollout().policy_version(), absl::Seconds(unit.ttl_seconds()));
        if (!policy.ok()) return policy.status();
        absl::StatusOr<v1::RolloutResult> result = RollOut(unit.rollout(), *policy, bank.get(), lost);
        if (!result.ok()) return result.status();
        v1::SubmitRequest submission;
        *submission.mutable_rollout() = *std::move(result);
        return submission;
      });
}

}  // namespace
}  // namespace auricle::client

int main(int argc, char** argv) {
  using namespace auricle::client;
  return RunWorkerProgram(Spec(), {{"model", "must name a model folder"}}, argc, argv, DoWork);
}
