#include "client/cli/worker_program.h"

#include <csignal>
#include <iostream>
#include <vector>

#include "client/cpp/status_details.h"

namespace auricle::client {
namespace {

std::atomic<bool> stopping{false};

}  // namespace

int RunWorkerProgram(const CommandSpec& spec, const std::map<std::string, std::string>& required, int argc, char** argv,
                     const Work& work) {
  const auto command = ParseCommandLine(spec, std::vector<std::string>(argv + 1, argv + argc));
  if (!command.ok()) {
    std::cerr << command.status().message() << "\n";
    return kExitUsage;
  }
  if (command->help) {
    std::cout << CommandHelp(spec);
    return kExitOk;
  }
  for (const auto& [flag, must] : required) {
    if (command->Given(flag)) continue;
    std::cerr << "--" << flag << ": is missing, " << must << "\n";
    return kExitUsage;
  }
  const auto stop = [](int) { stopping = true; };
  std::signal(SIGTERM, stop);
  std::signal(SIGINT, stop);
  const absl::Status status = work(*command, stopping);
  if (status.ok()) return kExitOk;
  std::cerr << "error: " << DescribeError(status) << "\n";
  return kExitRefused;
}

}  // namespace auricle::client
