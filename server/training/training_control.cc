#include "server/training/training_control.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/runtime/error_details.h"
#include "server/runtime/log.h"

namespace auricle::server {
namespace {

absl::Status CheckRunId(const std::string& run_id) {
  const bool letters = std::all_of(run_id.begin(), run_id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
  if (!run_id.empty() && run_id.size() <= 64 && letters) return absl::OkStatus();
  return InvalidField("RUN_ID_INVALID", "run_id", "must have 1 to 64 of the characters a-z, 0-9, '.', '_', '-'");
}

}  // namespace

TrainingControl::TrainingControl(Ledger* ledger, MakeParts make_parts)
    : ledger_(ledger), make_parts_(std::move(make_parts)) {}

TrainingControl::~TrainingControl() { Stop(); }

absl::Status TrainingControl::Launch(const std::string& run_id, absl::StatusOr<GrpoRun::Parts> parts) {
  if (!parts.ok()) return parts.status();
  parts->ledger = ledger_;
  parts->report_added = [this] { watches_.Notify(); };
  absl::StatusOr<std::unique_ptr<GrpoRun>> run = GrpoRun::Start(run_id, *std::move(parts));
  if (!run.ok()) return run.status();
  absl::MutexLock lock(&mu_);
  runs_[run_id] = *std::move(run);
  return absl::OkStatus();
}

absl::Status TrainingControl::Start(const v1::StartRunRequest& request) {
  if (absl::Status status = CheckRunId(request.run_id()); !status.ok()) return status;
  if (request.steps() == 0) return InvalidField("STEPS_OUT_OF_RANGE", "steps", "is 0, must be at least 1");
  absl::StatusOr<v1::GrpoConfig> config = CompleteGrpoConfig(request.grpo());
  if (!config.ok()) return config.status();
  // Kept with its defaults filled in: a later build with others goes on with these.
  v1::StartRunRequest complete = request;
  *complete.mutable_grpo() = *std::move(config);
  // The run's parts first: a folder that is misspelt must not use up the run's name.
  if (ledger_->GetRun(request.run_id()).ok()) {
    return absl::AlreadyExistsError(absl::StrCat("run_id: a run named '", request.run_id(), "' exists"));
  }
  absl::StatusOr<GrpoRun::Parts> parts = make_parts_(complete);
  if (!parts.ok()) return parts.status();
  if (absl::Status status = ledger_->CreateRun(complete); !status.ok()) return status;
  const absl::Status status = Launch(request.run_id(), std::move(parts));
  if (!status.ok()) ledger_->SetRunState(request.run_id(), v1::RUN_STATE_FAILED).IgnoreError();
  return status;
}

absl::Status TrainingControl::TakeUpRuns() {
  const absl::StatusOr<std::vector<std::string>> ids = ledger_->ListRuns();
  if (!ids.ok()) return ids.status();
  for (const std::string& id : *ids) {
    const absl::StatusOr<StoredRun> stored = ledger_->GetRun(id);
    if (!stored.ok()) return stored.status();
    if (stored->state != v1::RUN_STATE_RUNNING && stored->state != v1::RUN_STATE_PAUSED) continue;
    if (const absl::Status status = Launch(id, make_parts_(stored->request)); !status.ok()) {
      Log(LogLevel::kError, "run_not_taken_up", {{"run", id}, {"error", std::string(status.message())}});
      if (absl::Status stopped = ledger_->SetRunState(id, v1::RUN_STATE_FAILED); !stopped.ok()) return stopped;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<GrpoRun>> TrainingControl::Find(const std::string& run_id) const {
  absl::MutexLock lock(&mu_);
  const auto run = runs_.find(run_id);
  if (run != runs_.end()) return run->second;
  return ErrorWithReason(absl::StatusCode::kNotFound, "RUN_NOT_FOUND",
                         absl::StrCat("run_id: no run named '", run_id, "' is active here"));
}

void TrainingControl::OnSubmitted(const std::string& run_id) {
  if (const auto run = Find(run_id); run.ok()) (*run)->Wake();
}

uint64_t TrainingControl::OldestPolicy(const std::string& run_id) const {
  const absl::StatusOr<StoredRun> stored = ledger_->GetRun(run_id);
  if (!stored.ok()) return 0;
  const absl::StatusOr<v1::GrpoConfig> config = CompleteGrpoConfig(stored->request.grpo());
  if (!config.ok() || stored->policy_version <= config->max_policy_age()) return 0;
  return stored->policy_version - config->max_policy_age();
}

void TrainingControl::Stop() {
  watches_.Stop();
  std::map<std::string, std::shared_ptr<GrpoRun>> runs;
  {
    absl::MutexLock lock(&mu_);
    runs = runs_;
  }
  for (auto& [id, run] : runs) run->Stop();
}

grpc::ServerUnaryReactor* TrainingControl::Answer(grpc::CallbackServerContext* context, absl::Status status,
                                                  const std::string& run_id, v1::TrainingRun* response) const {
  if (status.ok()) {
    const absl::StatusOr<std::shared_ptr<GrpoRun>> run = Find(run_id);
    absl::StatusOr<v1::TrainingRun> description = run.ok() ? (*run)->Describe() : DescribeRun(*ledger_, run_id);
    status = description.status();
    if (status.ok()) *response = *std::move(description);
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

grpc::ServerUnaryReactor* TrainingControl::StartRun(grpc::CallbackServerContext* context,
                                                    const v1::StartRunRequest* request, v1::TrainingRun* response) {
  return Answer(context, Start(*request), request->run_id(), response);
}

grpc::ServerUnaryReactor* TrainingControl::GetRun(grpc::CallbackServerContext* context,
                                                  const v1::GetRunRequest* request, v1::TrainingRun* response) {
  return Answer(context, absl::OkStatus(), request->run_id(), response);
}

absl::Status TrainingControl::Switch(const std::string& run_id, v1::RunState from, v1::RunState to) {
  const absl::StatusOr<std::shared_ptr<GrpoRun>> run = Find(run_id);
  if (!run.ok()) return run.status();
  absl::Status status = ledger_->SwitchRunState(run_id, from, to);
  if (absl::IsFailedPrecondition(status)) {
    status = ErrorWithReason(absl::StatusCode::kFailedPrecondition, "RUN_STATE", status.message());
  }
  (*run)->Wake();
  return status;
}

grpc::ServerUnaryReactor* TrainingControl::PauseRun(grpc::CallbackServerContext* context,
                                                    const v1::PauseRunRequest* request, v1::TrainingRun* response) {
  return Answer(context, Switch(request->run_id(), v1::RUN_STATE_RUNNING, v1::RUN_STATE_PAUSED), request->run_id(),
                response);
}

grpc::ServerUnaryReactor* TrainingControl::ResumeRun(grpc::CallbackServerContext* context,
                                                     const v1::ResumeRunRequest* request, v1::TrainingRun* response) {
  return Answer(context, Switch(request->run_id(), v1::RUN_STATE_PAUSED, v1::RUN_STATE_RUNNING), request->run_id(),
                response);
}

grpc::ServerUnaryReactor* TrainingControl::Checkpoint(grpc::CallbackServerContext* context,
                                                      const v1::CheckpointRequest* request,
                                                      v1::CheckpointResponse* response) {
  absl::Status status;
  if (const auto run = Find(request->run_id()); run.ok()) {
    absl::StatusOr<v1::CheckpointResponse> made = (*run)->Checkpoint();
    status = made.status();
    if (status.ok()) *response = *std::move(made);
  } else {
    status = run.status();
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

grpc::ServerWriteReactor<v1::StepReport>* TrainingControl::WatchRun(grpc::CallbackServerContext*,
                                                                    const v1::WatchRunRequest* request) {
  using Pull = Watches<v1::StepReport>::Pull;
  const absl::StatusOr<std::shared_ptr<GrpoRun>> run = Find(request->run_id());
  if (!run.ok()) {
    return watches_.Refuse(ToGrpcStatus(run.status()));
  }
  uint64_t next = request->from_step();
  if (!request->has_from_step()) {
    const std::vector<v1::StepReport> known = (*run)->ReportsFrom(0);
    next = known.empty() ? 0 : known.back().step() + 1;
  }
  return watches_.Add([run = *run, next](v1::StepReport* message) mutable {
    const bool ended = run->Ended();  // before the reports: the last one is added first
    const std::vector<v1::StepReport> reports = run->ReportsFrom(next);
    if (reports.empty()) return ended ? Pull::kEnd : Pull::kNothing;
    *message = reports.front();
    next = message->step() + 1;
    return Pull::kMessage;
  });
}

}  // namespace auricle::server
