// The benchmark asked of a server: made where it is missing, answered with all its controls, and scored.
#pragma once

#include <atomic>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/eval_run.h"
#include "client/cpp/spatial_qa_client.h"
#include "sim/bench/benchmark.h"
#include "sim/bench/scoring.h"
#include "sim/source/source_bank.h"

namespace auricle::client {

struct BenchOptions {
  std::string folder;   // of the benchmark; audio is made there once
  std::string answers;  // folder for the answers; what is answered there already, without errors, is kept
  EvalOptions eval;
};

// Progress goes to stderr. CANCELLED: `stop`; UNAVAILABLE: the server stayed away or the disk refused; otherwise errors
// of the benchmark (sim/bench/benchmark.h). Answers that are errors count as wrong.
absl::StatusOr<sim::BenchmarkReport> RunBenchmark(const SpatialQaClient& client, const sim::BenchmarkSpec& spec,
                                                  const sim::SourceBank& bank, const BenchOptions& options,
                                                  const std::atomic<bool>& stop);

// Where benchmarks lie by default: ${AURICLE_CACHE:-~/.cache/auricle}/bench-NAME.
std::string DefaultBenchmarkFolder(const std::string& name);

}  // namespace auricle::client
