// auricle-simulation-worker: leases ranges of scenes, renders them, submits truth, questions and, if asked, audio.
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/worker_program.h"
#include "client/cpp/worker_loop.h"
#include "model/audio/audio_file.h"
#include "sim/render/simulation_task.h"
#include "sim/source/source_bank.h"

namespace auricle::client {
namespace {

CommandSpec Spec() {
  CommandSpec spec;
  spec.program = "";
  spec.name = "auricle-simulation-worker";
  spec.summary = "render leased scenes and submit them with their truth and questions";
  spec.flags = {
      {"server", FlagKind::kText, "ADDRESS", "127.0.0.1:50051", "the coordinator", false},
      {"bank", FlagKind::kText, "FOLDER", "", "bank of recordings (default: where ./run sounds puts it)", false},
      {"name", FlagKind::kText, "NAME", "", "stable name of this worker (default: host and process)", false},
      {"audio", FlagKind::kSwitch, "", "",
       "send the audio too, as FLAC; without it scenes are rendered again where they are needed", false},
  };
  return spec;
}

absl::StatusOr<v1::SimulationResult> Simulate(const v1::SimulationTask& task, const sim::SourceBank& bank,
                                              bool with_audio, const std::function<bool()>& cancelled) {
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

absl::Status DoWork(const ParsedCommand& command, const std::atomic<bool>& stopping) {
  const auto bank =
      sim::SourceBank::Open(command.Given("bank") ? command.Text("bank") : sim::SourceBank::DefaultFolder());
  if (!bank.ok()) return bank.status();
  return RunWorker(
      WorkerChannel(command.Text("server")), v1::WORK_KIND_SIMULATION,
      command.Given("name") ? command.Text("name") : DefaultWorkerName(), stopping,
      [&](const v1::WorkUnit& unit, const std::function<bool()>& lost) -> absl::StatusOr<v1::SubmitRequest> {
        absl::StatusOr<v1::SimulationResult> result =
            Simulate(unit.simulation(), **bank, command.Switch("audio"), lost);
        if (!result.ok()) return result.status();
        v1::SubmitRequest submission;
        *submission.mutable_simulation() = *std::move(result);
        return submission;
      });
}

}  // namespace
}  // namespace auricle::client

int main(int argc, char** argv) {
  using namespace auricle::client;
  return RunWorkerProgram(Spec(), {}, argc, argv, DoWork);
}
