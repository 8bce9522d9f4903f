// TrainingControl: starts, watches and steers reinforcement runs of this process.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "auricle/v1/training.grpc.pb.h"
#include "server/training/grpo_run.h"
#include "server/training/ledger.h"
#include "server/training/watches.h"

namespace auricle::server {

// Thread-safe. `ledger` is borrowed. Stop() before the gRPC server shuts down.
class TrainingControl final : public v1::TrainingControl::CallbackService {
 public:
  // Source, trainer and folder for a run; errors name the field of the request.
  using MakeParts = std::function<absl::StatusOr<GrpoRun::Parts>(const v1::StartRunRequest& request)>;

  TrainingControl(Ledger* ledger, MakeParts make_parts);
  ~TrainingControl() override;

  // Goes on with every run of the ledger that is running or paused. One that cannot go on (its model is gone, its
  // checkpoint damaged) is FAILED and logged; the others are not held up by it.
  absl::Status TakeUpRuns();
  // Tells the run that results have come.
  void OnSubmitted(const std::string& run_id);
  // The oldest policy whose rollouts a run still takes.
  uint64_t OldestPolicy(const std::string& run_id) const;
  // Ends all runs after the step under way, and all watches. Idempotent.
  void Stop();

  grpc::ServerUnaryReactor* StartRun(grpc::CallbackServerContext* context, const v1::StartRunRequest* request,
                                     v1::TrainingRun* response) override;
  grpc::ServerUnaryReactor* GetRun(grpc::CallbackServerContext* context, const v1::GetRunRequest* request,
                                   v1::TrainingRun* response) override;
  grpc::ServerUnaryReactor* PauseRun(grpc::CallbackServerContext* context, const v1::PauseRunRequest* request,
                                     v1::TrainingRun* response) override;
  grpc::ServerUnaryReactor* ResumeRun(grpc::CallbackServerContext* context, const v1::ResumeRunRequest* request,
                                      v1::TrainingRun* response) override;
  grpc::ServerUnaryReactor* Checkpoint(grpc::CallbackServerContext* context, const v1::CheckpointRequest* request,
                                       v1::CheckpointResponse* response) override;
  grpc::ServerWriteReactor<v1::StepReport>* WatchRun(grpc::CallbackServerContext* context,
                                                     const v1::WatchRunRequest* request) override;

 private:
  absl::StatusOr<std::shared_ptr<GrpoRun>> Find(const std::string& run_id) const;
  absl::Status Launch(const std::string& run_id, absl::StatusOr<GrpoRun::Parts> parts);
  absl::Status Start(const v1::StartRunRequest& request);
  absl::Status Switch(const std::string& run_id, v1::RunState from, v1::RunState to);
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, absl::Status status, const std::string& run_id,
                                   v1::TrainingRun* response) const;

  Ledger* const ledger_;
  const MakeParts make_parts_;
  mutable absl::Mutex mu_;
  std::map<std::string, std::shared_ptr<GrpoRun>> runs_ ABSL_GUARDED_BY(mu_);
  Watches<v1::StepReport> watches_;
};

}  // namespace auricle::server
