// auricle-rollout-worker: leases questions, answers them with the newest policy, submits the graded answers.
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/command_line.h"
#include "client/cpp/status_details.h"
#include "client/cpp/work_session.h"
#include "client/rollout/policy_follower.h"
#include "client/rollout/rollout.h"
#include "sim/source/source_bank.h"

namespace auricle::client {
namespace {

std::atomic<bool> stopping{false};

CommandSpec Spec() {
  CommandSpec spec;
  spec.name = "auricle-rollout-worker";
  spec.summary = "answer leased questions with the newest policy and submit the graded answers";
  spec.flags = {
      {"server", FlagKind::kText, "ADDRESS", "127.0.0.1:50051", "the coordinator", false},
      {"model", FlagKind::kText, "FOLDER", "", "model folder whose configuration and tokeniser the policies share", false},
      {"bank", FlagKind::kText, "FOLDER", "", "bank of recordings; needed for tasks that refer to scenes", false},
      {"name", FlagKind::kText, "NAME", "", "stable name of this worker (default: host and process)", false},
      {"work-folder", FlagKind::kText, "FOLDER", "", "where fetched policies are kept (default: a folder of the system's temporary one)", false},
      {"threads", FlagKind::kInteger, "N", "1", "threads inside one operation of the model", false},
  };
  return spec;
}

std::string DefaultName() {
  char host[256] = "worker";
  gethostname(host, sizeof(host) - 1);
  return absl::StrCat(host, "-", getpid());
}

int Work(const ParsedCommand& command) {
  const std::string name = command.Given("name") ? command.Text("name") : DefaultName();
  const std::string work_folder =
      command.Given("work-folder") ? command.Text("work-folder") : absl::StrCat("/tmp/auricle-rollout-", getpid());
  std::shared_ptr<const sim::SourceBank> bank;
  if (command.Given("bank")) {
    auto opened = sim::SourceBank::Open(command.Text("bank"));
    if (!opened.ok()) {
      std::cerr << "error: " << DescribeError(opened.status()) << "\n";
      return kExitRefused;
    }
    bank = *std::move(opened);
  }
  model::SetComputeThreads(static_cast<int>(command.Integer("threads")));
  const auto channel = grpc::CreateChannel(command.Text("server"), grpc::InsecureChannelCredentials());
  v1::RegisterRequest registration;
  registration.set_worker_name(name);
  registration.add_kinds(v1::WORK_KIND_ROLLOUT);
  auto session = WorkSession::Open(channel, registration);
  if (!session.ok()) {
    std::cerr << "error: " << DescribeError(session.status()) << "\n";
    return kExitRefused;
  }
  std::cout << "{\"event\":\"working\",\"name\":\"" << name << "\"}" << std::endl;

  std::map<std::string, std::unique_ptr<PolicyFollower>> followers;
  while (!stopping) {
    const auto units = (*session)->Lease(2);
    if (!units.ok()) {
      std::cerr << "error: " << DescribeError(units.status()) << "\n";
      return kExitRefused;
    }
    for (const v1::WorkUnit& unit : *units) {
      auto& follower = followers[unit.run_id()];
      if (follower == nullptr) {
        follower = std::make_unique<PolicyFollower>(channel, unit.run_id(), command.Text("model"),
                                                    absl::StrCat(work_folder, "/", unit.run_id()));
      }
      const auto policy = follower->AtLeast(unit.rollout().policy_version(), absl::Seconds(unit.ttl_seconds()));
      const auto lost = [&] { return stopping || !(*session)->StillHeld(unit); };
      absl::StatusOr<v1::RolloutResult> result =
          policy.ok() ? RollOut(unit.rollout(), *policy, bank.get(), lost) : policy.status();
      if (absl::IsCancelled(result.status())) continue;  // the lease is another's, or goes back when the session ends
      v1::SubmitRequest submission;
      if (result.ok()) {
        *submission.mutable_rollout() = *std::move(result);
      } else {
        submission.mutable_failure()->set_code(static_cast<int>(result.status().code()));
        submission.mutable_failure()->set_message(std::string(result.status().message()));
        std::cerr << "unit " << unit.unit_id() << ": " << DescribeError(result.status()) << "\n";
      }
      const auto ack = (*session)->Submit(unit, std::move(submission));
      if (!ack.ok()) std::cerr << "unit " << unit.unit_id() << ": " << DescribeError(ack.status()) << "\n";
    }
  }
  return kExitOk;
}

}  // namespace
}  // namespace auricle::client

int main(int argc, char** argv) {
  using namespace auricle::client;
  const auto command = ParseCommandLine(Spec(), std::vector<std::string>(argv + 1, argv + argc));
  if (!command.ok()) {
    std::cerr << command.status().message() << "\n";
    return kExitUsage;
  }
  if (command->help) {
    std::cout << CommandHelp(Spec());
    return kExitOk;
  }
  if (!command->Given("model")) {
    std::cerr << "--model: is missing, must name a model folder\n";
    return kExitUsage;
  }
  const auto stop = [](int) { stopping = true; };
  std::signal(SIGTERM, stop);
  std::signal(SIGINT, stop);
  return Work(*command);
}
