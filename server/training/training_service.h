// The training coordinator as a part of a server process: ledger, workers' protocol, policies and runs in one folder.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "model/checkpoint/folder_lock.h"
#include "server/inference/service_plugin.h"
#include "server/training/coordinator.h"
#include "server/training/policy_store.h"
#include "server/training/training_control.h"

namespace auricle::server {

struct TrainingServiceOptions {
  std::string folder;       // made if need be
  std::string bank_folder;  // recordings; needed by runs about scenes only
  absl::Duration lease_ttl = absl::Seconds(30);
  // Where a run's questions come from. Null: MakeSceneRolloutSource on the bank. Tests ask easier ones.
  std::function<absl::StatusOr<std::unique_ptr<RolloutSource>>(const v1::StartRunRequest&)> make_source;
};

// folder/ledger.db, folder/policies/, folder/runs/. Thread-safe.
class TrainingService final : public ServicePlugin {
 public:
  // Opens the folder and goes on with every run that was under way. Errors: of the ledger, the store or a run's model;
  // FAILED_PRECONDITION where another process coordinates in that folder.
  static absl::StatusOr<std::unique_ptr<TrainingService>> Open(TrainingServiceOptions options);
  ~TrainingService() override;

  std::vector<grpc::Service*> Services() override;
  // Polls and watches end; each run ends after the step under way, which is waited for.
  void StartDrain() override;

 private:
  explicit TrainingService(TrainingServiceOptions options) : options_(std::move(options)) {}
  absl::StatusOr<GrpoRun::Parts> PartsOf(const v1::StartRunRequest& request);
  absl::StatusOr<std::shared_ptr<const sim::SourceBank>> Bank();

  const TrainingServiceOptions options_;
  model::FolderLock alone_;  // two coordinators in one folder would train units twice
  absl::Mutex mu_;
  std::shared_ptr<const sim::SourceBank> bank_ ABSL_GUARDED_BY(mu_);  // opened for the first run that needs it
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<PolicyStore> policies_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<TrainingControl> control_;
};

}  // namespace auricle::server
