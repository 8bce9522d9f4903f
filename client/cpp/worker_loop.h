// The loop that every worker program runs: lease a unit, do it, submit what came of it.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "auricle/v1/work.pb.h"

namespace auricle::client {

// Does one unit; the result has its `simulation` or `rollout` set. `lost` says that the lease is gone or the program is
// to stop: CANCELLED then, and nothing is submitted. Any other error is submitted as a failed attempt.
using DoUnit =
    std::function<absl::StatusOr<v1::SubmitRequest>(const v1::WorkUnit& unit, const std::function<bool()>& lost)>;

// Registers `name` for one kind of work, says so in a line of JSON on stdout, and works until `stopping`. Failed units
// go to stderr. Returns OK when stopped, else why no unit could be had.
absl::Status RunWorker(std::shared_ptr<grpc::Channel> channel, v1::WorkKind kind, const std::string& name,
                       const std::atomic<bool>& stopping, const DoUnit& do_unit);

// Host and process, for workers that were not given a name.
std::string DefaultWorkerName();

}  // namespace auricle::client
