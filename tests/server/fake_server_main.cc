// The serving process around the fake model.
#include <cstdio>
#include <fstream>

#include "server/inference/server_process.h"
#include "server/runtime/log.h"
#include "tests/server/fake_model.h"

int main(int argc, char** argv) {
  using namespace auricle::server;
  EndSignals signals;
  bool help = false;
  const absl::StatusOr<ServerConfig> config = ParseServerConfig(std::vector<std::string>(argv + 1, argv + argc), &help);
  if (!config.ok()) {
    std::fprintf(stderr, "%s\n", std::string(config.status().message()).c_str());
    return 2;
  }
  StartLog(config->log_format == "json", config->log_level);
  // A "model folder" that is a pipe loads until somebody has written to it: tests hold the process there.
  for (const std::string& folder : config->models) std::ifstream(folder).get();
  auto model = std::make_shared<FakeModel>();
  // A token a millisecond or so, as real ones take: answers are still under way when a signal comes.
  model->token_time = absl::Milliseconds(1);
  return RunServerProcess(signals, *config, {model});
}
