// WorkCoordinator over a ledger: what workers talk to. It holds no state of its own beyond the calls that wait for
// work, so a restart of the process loses nothing.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "auricle/v1/work.grpc.pb.h"
#include "server/training/ledger.h"

namespace auricle::server {

struct CoordinatorOptions {
  LedgerLimits limits;  // as given to the ledger; told to workers at registration
  // How often expired leases are looked for, and the longest that a freed unit waits for a poller.
  absl::Duration sweep_interval = absl::Milliseconds(200);
  std::function<absl::Time()> clock = absl::Now;
};

// Thread-safe. `ledger` is borrowed and outlives it. Stop() before the gRPC server shuts down, so that polls return.
class Coordinator final : public v1::WorkCoordinator::CallbackService {
 public:
  // The oldest policy whose rollouts a run still takes.
  using OldestPolicy = std::function<uint64_t(const std::string& run_id)>;
  // Called after results were accepted, without locks held.
  using OnSubmitted = std::function<void(const std::string& run_id)>;

  Coordinator(Ledger* ledger, CoordinatorOptions options, OldestPolicy oldest_policy, OnSubmitted on_submitted);
  ~Coordinator() override;

  // Ends every waiting poll with UNAVAILABLE (DRAINING, with RetryInfo) and stops the sweeper. From then on Lease is
  // answered so at once: OK without units would make workers ask again and again. What is leased already can still be
  // renewed, submitted and released. Idempotent.
  void Stop();

  // New work may be there: serves the polls that wait.
  void Wake();

  grpc::ServerUnaryReactor* Register(grpc::CallbackServerContext* context, const v1::RegisterRequest* request,
                                     v1::RegisterResponse* response) override;
  grpc::ServerUnaryReactor* Lease(grpc::CallbackServerContext* context, const v1::LeaseRequest* request,
                                  v1::LeaseResponse* response) override;
  grpc::ServerUnaryReactor* Renew(grpc::CallbackServerContext* context, const v1::RenewRequest* request,
                                  v1::RenewResponse* response) override;
  grpc::ServerBidiReactor<v1::SubmitRequest, v1::SubmitAck>* Submit(grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* Release(grpc::CallbackServerContext* context, const v1::ReleaseRequest* request,
                                    v1::ReleaseResponse* response) override;

  // Leases that ran out since the start.
  uint64_t lease_losses() const;

 private:
  class SubmitStream;

  // A Lease call that waits for work. Its request and response live until Finish.
  struct Poll {
    grpc::CallbackServerContext* context;
    grpc::ServerUnaryReactor* reactor;
    const v1::LeaseRequest* request;
    v1::LeaseResponse* response;
    absl::Time until;
  };

  // Tries to give units to the poll; true when it was answered.
  bool TryAnswer(const Poll& poll, bool last_chance);
  bool stopping() const;
  void Sweep();
  v1::SubmitAck Take(const v1::SubmitRequest& request);

  Ledger* const ledger_;
  const CoordinatorOptions options_;
  const OldestPolicy oldest_policy_;
  const OnSubmitted on_submitted_;

  mutable absl::Mutex mu_;
  std::list<Poll> polls_ ABSL_GUARDED_BY(mu_);
  bool woken_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t lease_losses_ ABSL_GUARDED_BY(mu_) = 0;
  std::thread sweeper_;
};

}  // namespace auricle::server
