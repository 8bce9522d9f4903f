// A serving process from the first signal to the last: prints the ready line, waits, drains, ends.
#pragma once

#include <memory>
#include <vector>

#include "server/inference/inference_server.h"

namespace auricle::server {

// Before any thread is started, so that all of them inherit it: SIGTERM and SIGINT are then only seen by
// RunServerProcess.
void BlockEndSignals();

// Starts the server and prints {"event":"serving","address":...,"metrics":...} on stdout. On SIGTERM or SIGINT it
// drains for at most config.drain_seconds and stops. A second signal ends the process at once. Returns the exit status:
// 0, or 1 when the server cannot start.
int RunServerProcess(const ServerConfig& config, std::vector<std::shared_ptr<InferenceModel>> models,
                     std::vector<std::unique_ptr<ServicePlugin>> plugins = {});

}  // namespace auricle::server
