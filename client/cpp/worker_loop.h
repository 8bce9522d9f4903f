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
#include "client/cpp/backoff.h"

namespace auricle::client {

// Does one unit; the result has its `simulation` or `rollout` set. `lost` says that the lease is gone or the program is
// to stop: CANCELLED then, nothing is submitted, and a unit that is still held is given back. Any other error is
// submitted as a failed attempt.
using DoUnit =
    std::function<absl::StatusOr<v1::SubmitRequest>(const v1::WorkUnit& unit, const std::function<bool()>& lost)>;

// Registers `name` for one kind of work, says so in a line of JSON on stdout, and works until `stopping`. Failed units
// and results that do not count go to stderr. A coordinator that goes away (UNAVAILABLE, DEADLINE_EXCEEDED) is waited
// for as long as the patience lasts, and registered with again. Returns OK when stopped, else why no unit could be had.
absl::Status RunWorker(std::shared_ptr<grpc::Channel> channel, v1::WorkKind kind, const std::string& name,
                       const std::atomic<bool>& stopping, const DoUnit& do_unit, const Patience& patience = {});

// Plain text, with room for units that carry a clip of a minute.
std::shared_ptr<grpc::Channel> WorkerChannel(const std::string& address);

// Host and process, for workers that were not given a name.
std::string DefaultWorkerName();

}  // namespace auricle::client
