// main() of a worker program.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "client/cli/command_line.h"

namespace auricle::client {

// Works until `stopping` or until no work can be had.
using Work = std::function<absl::Status(const ParsedCommand& command, const std::atomic<bool>& stopping)>;

// Parses the command line (--help is answered; flags in `required`, each with what it must be, may not be missing),
// lets SIGTERM and SIGINT set `stopping`, works, and says on stderr why it ended where that is an error. Returns the
// exit code. Once a process.
int RunWorkerProgram(const CommandSpec& spec, const std::map<std::string, std::string>& required, int argc, char** argv,
                     const Work& work);

}  // namespace auricle::client
