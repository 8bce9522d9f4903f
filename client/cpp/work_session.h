// A worker's side of the lease protocol: registers, leases, keeps leases alive while the work is done, submits.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "auricle/v1/work.grpc.pb.h"
#include "client/cpp/backoff.h"

namespace auricle::client {

// A call's error with the details that came with it.
absl::Status ToStatus(const grpc::Status& status);

// Thread-safe. A thread of its own renews the leases that are held, at a third of their time to live.
class WorkSession {
 public:
  // UNAVAILABLE: no coordinator there; INVALID_ARGUMENT: as Register.
  static absl::StatusOr<std::unique_ptr<WorkSession>> Open(std::shared_ptr<grpc::Channel> channel,
                                                           const v1::RegisterRequest& registration,
                                                           const Patience& patience = {});
  // Gives back what is still held.
  ~WorkSession();

  // Makes the worker known anew: whatever the session held is the coordinator's again.
  absl::Status Register();

  // One unit, or none after wait_seconds. Registers again where the coordinator no longer knows the session.
  absl::StatusOr<std::vector<v1::WorkUnit>> Lease(double wait_seconds);

  // False once the coordinator has said that the lease is lost: stop working on it.
  bool StillHeld(const v1::WorkUnit& unit) const;

  // Fills session and lease, sends the result, returns the coordinator's word on it. A coordinator that cannot be
  // reached, or that could not store the result (SUBMIT_OUTCOME_UNSPECIFIED), is sent it again, as long as the patience
  // lasts, the lease is held and `stopping` is false. However it ends the lease is no longer renewed: what could not be
  // submitted runs out and goes to another worker.
  absl::StatusOr<v1::SubmitAck> Submit(const v1::WorkUnit& unit, v1::SubmitRequest result,
                                       const std::function<bool()>& stopping);

  // Gives a unit back undone; nothing where it is no longer held.
  void Release(const v1::WorkUnit& unit);

 private:
  WorkSession(std::shared_ptr<grpc::Channel> channel, v1::RegisterRequest registration, const Patience& patience);
  absl::StatusOr<v1::SubmitAck> SubmitOnce(const v1::SubmitRequest& result);
  // No longer renews the unit. False where it was not held any more.
  bool Forget(const v1::WorkUnit& unit);
  void SendRelease(const v1::ReleaseRequest& request);
  void RenewUntilStopped();
  std::string SessionId() const;

  const std::unique_ptr<v1::WorkCoordinator::Stub> stub_;
  const v1::RegisterRequest registration_;
  const Patience patience_;
  mutable absl::Mutex mu_;
  std::string session_id_ ABSL_GUARDED_BY(mu_);
  double ttl_seconds_ ABSL_GUARDED_BY(mu_) = 30;
  std::map<std::string, v1::LeaseRef> held_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread renewer_;
};

}  // namespace auricle::client
