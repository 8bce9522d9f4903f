#include "server/training/training_service.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/runtime/log.h"
#include "server/training/grpo_trainer.h"
#include "sim/render/task_audio.h"

namespace auricle::server {

absl::StatusOr<std::unique_ptr<TrainingService>> TrainingService::Open(TrainingServiceOptions options) {
  std::error_code error;
  std::filesystem::create_directories(options.folder, error);
  if (error) return absl::UnavailableError(absl::StrCat("training-dir: ", options.folder, ": ", error.message()));
  std::unique_ptr<TrainingService> service(new TrainingService(std::move(options)));
  absl::StatusOr<model::FolderLock> alone = model::FolderLock::Take(service->options_.folder);
  if (!alone.ok())
    return absl::Status(alone.status().code(), absl::StrCat("training-dir: ", std::string(alone.status().message())));
  service->alone_ = *std::move(alone);
  TrainingService* const raw = service.get();
  const std::string& folder = service->options_.folder;
  const LedgerLimits limits{.lease_ttl = service->options_.lease_ttl};
  absl::StatusOr<std::unique_ptr<Ledger>> ledger = OpenSqliteLedger(absl::StrCat(folder, "/ledger.db"), limits);
  if (!ledger.ok()) return ledger.status();
  service->ledger_ = *std::move(ledger);
  absl::StatusOr<std::unique_ptr<PolicyStore>> policies = PolicyStore::Open(absl::StrCat(folder, "/policies"));
  if (!policies.ok()) return policies.status();
  service->policies_ = *std::move(policies);
  service->control_ = std::make_unique<TrainingControl>(
      service->ledger_.get(), [raw](const v1::StartRunRequest& request) { return raw->PartsOf(request); });
  service->coordinator_ = std::make_unique<Coordinator>(
      service->ledger_.get(), CoordinatorOptions{.limits = limits},
      [raw](const std::string& run_id) { return raw->control_->OldestPolicy(run_id); },
      [raw](const std::string& run_id) { raw->control_->OnSubmitted(run_id); });
  if (absl::Status status = service->control_->TakeUpRuns(); !status.ok()) return status;
  Log(LogLevel::kInfo, "training_coordinator", {{"folder", folder}});
  return service;
}

TrainingService::~TrainingService() { StartDrain(); }

std::vector<grpc::Service*> TrainingService::Services() {
  return {control_.get(), coordinator_.get(), policies_.get()};
}

void TrainingService::StartDrain() {
  if (coordinator_ != nullptr) coordinator_->Stop();
  if (control_ != nullptr) control_->Stop();
  if (policies_ != nullptr) policies_->Stop();
}

absl::StatusOr<std::shared_ptr<const sim::SourceBank>> TrainingService::Bank() {
  absl::MutexLock lock(&mu_);
  if (bank_ == nullptr) {
    auto bank =
        sim::SourceBank::Open(options_.bank_folder.empty() ? sim::SourceBank::DefaultFolder() : options_.bank_folder);
    if (!bank.ok()) return bank.status();
    bank_ = *std::move(bank);
  }
  return bank_;
}

absl::StatusOr<GrpoRun::Parts> TrainingService::PartsOf(const v1::StartRunRequest& request) {
  const absl::StatusOr<v1::GrpoConfig> config = CompleteGrpoConfig(request.grpo());
  if (!config.ok()) return config.status();
  std::shared_ptr<const sim::SourceBank> bank;
  absl::StatusOr<std::unique_ptr<RolloutSource>> source;
  if (options_.make_source) {
    source = options_.make_source(request);
  } else {
    auto opened = Bank();
    if (!opened.ok()) return opened.status();
    bank = *std::move(opened);
    source = MakeSceneRolloutSource(request, *bank);
  }
  if (!source.ok()) return source.status();
  absl::StatusOr<std::unique_ptr<PolicyTrainer>> trainer =
      MakeGrpoTrainer(request.model_folder(), *config,
                      [bank](const v1::RolloutTask& task) { return sim::TaskAudio(task, bank.get()); });
  if (!trainer.ok()) return trainer.status();
  GrpoRun::Parts parts;
  parts.policies = policies_.get();
  parts.source = *std::move(source);
  parts.trainer = *std::move(trainer);
  parts.folder = absl::StrCat(options_.folder, "/runs");
  parts.work_added = [this] { coordinator_->Wake(); };
  return parts;
}

}  // namespace auricle::server
