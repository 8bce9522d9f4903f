// auricle-server: loads models and serves them until it is told to end.
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "model/spatial_lalm.h"
#include "server/inference/server_process.h"
#include "server/inference/spatial_lalm_adapter.h"
#include "server/runtime/config.h"
#include "server/runtime/log.h"
#include "server/training/training_service.h"

namespace auricle::server {
namespace {

constexpr int kBadUsage = 2;

int Complain(const absl::Status& status, int exit_status) {
  std::fprintf(stderr, "auricle-server: %s\n", std::string(status.message()).c_str());
  return exit_status;
}

int Main(const std::vector<std::string>& arguments) {
  EndSignals signals;  // before LibTorch starts its threads
  bool show_help = false;
  const absl::StatusOr<ServerConfig> config = ParseServerConfig(arguments, &show_help);
  if (!config.ok()) return Complain(config.status(), kBadUsage);
  if (show_help) {
    std::fputs(ServerConfigHelp().c_str(), stdout);
    return 0;
  }
  if (config->models.empty())
    return Complain(absl::InvalidArgumentError("--model: give at least one model folder"), kBadUsage);
  StartLog(config->log_format == "json", config->log_level);
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  model::SetComputeThreads(config->threads > 0 ? config->threads : cores);
  std::vector<std::shared_ptr<InferenceModel>> models;
  for (const std::string& folder : config->models) {
    absl::StatusOr<std::shared_ptr<InferenceModel>> model = LoadSpatialLalm(folder);
    if (!model.ok()) return Complain(model.status(), 1);
    Log(LogLevel::kInfo, "model_loaded",
        {{"name", (*model)->Info().name()}, {"version", (*model)->Info().version()}, {"folder", folder}});
    models.push_back(*std::move(model));
  }
  std::vector<std::unique_ptr<ServicePlugin>> plugins;
  if (!config->training_dir.empty()) {
    auto training = TrainingService::Open({.folder = config->training_dir,
                                           .bank_folder = config->bank,
                                           .lease_ttl = absl::Seconds(config->lease_seconds),
                                           .make_source = nullptr});
    if (!training.ok()) return Complain(training.status(), 1);
    plugins.push_back(*std::move(training));
  }
  return RunServerProcess(signals, *config, std::move(models), std::move(plugins));
}

}  // namespace
}  // namespace auricle::server

int main(int argc, char** argv) { return auricle::server::Main(std::vector<std::string>(argv + 1, argv + argc)); }
