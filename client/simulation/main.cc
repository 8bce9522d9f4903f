// auricle-simulation-worker: leases ranges of scenes, renders them, submits truth, questions and, if asked, audio.
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/command_line.h"
#include "client/cpp/status_details.h"
#include "client/cpp/work_session.h"
#include "model/audio/audio_file.h"
#include "sim/render/simulation_task.h"
#include "sim/source/source_bank.h"

namespace auricle::client {
namespace {

std::atomic<bool> stopping{false};

CommandSpec Spec() {
  CommandSpec spec;
  spec.name = "auricle-simulation-worker";
  spec.summary = "render leased scenes and submit them with their truth and questions";
  spec.flags = {
      {"server", FlagKind::kText, "ADDRESS", "127.0.0.1:50051", "the coordinator", false},
      {"bank", FlagKind::kText, "FOLDER", "", "bank of recordings (default: where ./run sounds puts it)", false},
      {"name", FlagKind::kText, "NAME", "", "stable name of this worker (default: host and process)", false},
      {"audio", FlagKind::kSwitch, "", "", "send the audio too, as FLAC; without it scenes are rendered again where they are needed", false},
  };
  return spec;
}

absl::StatusOr<v1::SimulationResult> Simulate(const v1::SimulationTask& task, const sim::SourceBank& bank, bool with_audio,
                                              const std::function<bool()>& cancelled) {
  v1::SimulationResult result;
  const absl::Status status = sim::RunSimulationTask(
      task, bank,
      [&](sim::RenderedScene scene, v1::SimulatedScene message) {
        if (with_audio) {
          absl::StatusOr<std::string> flac = audio::EncodeFoaFlac(scene.audio);
          if (!flac.ok()) return flac.status();
          message.set_flac(*std::move(flac));
        }
        *result.add_scenes() = std::move(message);
        return absl::OkStatus();
      },
      cancelled);
  if (!status.ok()) return status;
  return result;
}

int Work(const ParsedCommand& command) {
  const auto bank = sim::SourceBank::Open(command.Given("bank") ? command.Text("bank") : sim::SourceBank::DefaultFolder());
  if (!bank.ok()) {
    std::cerr << "error: " << DescribeError(bank.status()) << "\n";
    return kExitRefused;
  }
  char host[256] = "worker";
  gethostname(host, sizeof(host) - 1);
  v1::RegisterRequest registration;
  registration.set_worker_name(command.Given("name") ? command.Text("name") : absl::StrCat(host, "-", getpid()));
  registration.add_kinds(v1::WORK_KIND_SIMULATION);
  const auto session =
      WorkSession::Open(grpc::CreateChannel(command.Text("server"), grpc::InsecureChannelCredentials()), registration);
  if (!session.ok()) {
    std::cerr << "error: " << DescribeError(session.status()) << "\n";
    return kExitRefused;
  }
  std::cout << "{\"event\":\"working\",\"name\":\"" << registration.worker_name() << "\"}" << std::endl;

  while (!stopping) {
    const auto units = (*session)->Lease(2);
    if (!units.ok()) {
      std::cerr << "error: " << DescribeError(units.status()) << "\n";
      return kExitRefused;
    }
    for (const v1::WorkUnit& unit : *units) {
      absl::StatusOr<v1::SimulationResult> result = Simulate(unit.simulation(), **bank, command.Switch("audio"), [&] {
        return stopping || !(*session)->StillHeld(unit);
      });
      if (absl::IsCancelled(result.status())) continue;
      v1::SubmitRequest submission;
      if (result.ok()) {
        *submission.mutable_simulation() = *std::move(result);
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
  const auto stop = [](int) { stopping = true; };
  std::signal(SIGTERM, stop);
  std::signal(SIGINT, stop);
  return Work(*command);
}
