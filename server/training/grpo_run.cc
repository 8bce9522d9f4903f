#include "server/training/grpo_run.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "model/checkpoint/sha256.h"
#include "model/train/group_statistics.h"
#include "server/runtime/error_details.h"
#include "server/runtime/log.h"

namespace auricle::server {
namespace {

// So many optimiser steps' worth of units are pending, leased or waiting at any time: enough that workers never idle
// while a step is taken, few enough that policies do not grow old.
constexpr uint64_t kStepsAhead = 2;
// Units of simulation that are pending, leased or not yet asked about.
constexpr uint64_t kSimulationsAhead = 4;
// A run whose first units all die, with no result ever, is misconfigured: it fails instead of burning through more.
constexpr uint64_t kDeadAtStart = 4;
// Rewards remembered while no step is taken.
constexpr size_t kMostRewards = 4096;

template <typename Value>
absl::Status CheckRange(const char* field, Value value, double low, double high) {
  if (static_cast<double>(value) >= low && static_cast<double>(value) <= high) return absl::OkStatus();
  return InvalidField("OUT_OF_RANGE", field, absl::StrCat("is ", value, ", must be in [", low, ", ", high, "]"));
}

// A note as text: "step 3", "policy 4", then "trained ID" and "dropped ID" lines.
std::string FormatNote(const StepNote& note) {
  std::string text = absl::StrCat("step ", note.step, "\npolicy ", note.policy_version, "\n");
  for (const std::string& id : note.trained) absl::StrAppend(&text, "trained ", id, "\n");
  for (const std::string& id : note.dropped) absl::StrAppend(&text, "dropped ", id, "\n");
  return text;
}

absl::StatusOr<StepNote> ParseNote(const std::string& text) {
  StepNote note;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(line, absl::MaxSplits(' ', 1));
    const auto& [name, value] = parts;
    bool ok = true;
    if (name == "step") {
      ok = absl::SimpleAtoi(value, &note.step);
    } else if (name == "policy") {
      ok = absl::SimpleAtoi(value, &note.policy_version);
    } else if (name == "trained") {
      note.trained.push_back(value);
    } else if (name == "dropped") {
      note.dropped.push_back(value);
    } else {
      ok = false;
    }
    if (!ok) return absl::DataLossError(absl::StrCat("checkpoint: its note has the unreadable line '", line, "'"));
  }
  return note;
}

std::vector<double> Rewards(const v1::RolloutResult& result) {
  std::vector<double> rewards;
  for (const v1::RolloutAnswer& answer : result.answers()) rewards.push_back(answer.reward());
  return rewards;
}

}  // namespace

absl::StatusOr<v1::GrpoConfig> CompleteGrpoConfig(const v1::GrpoConfig& given) {
  v1::GrpoConfig config = given;
  if (config.group_size() == 0) config.set_group_size(8);
  if (config.groups_per_step() == 0) config.set_groups_per_step(8);
  if (config.clip_low() == 0) config.set_clip_low(0.2f);
  if (config.clip_high() == 0) config.set_clip_high(0.28f);
  if (config.importance_cap() == 0) config.set_importance_cap(2);
  if (config.max_policy_age() == 0) config.set_max_policy_age(4);
  if (config.learning_rate() == 0) config.set_learning_rate(1e-5f);
  if (config.temperature() == 0) config.set_temperature(1);
  if (config.max_new_tokens() == 0) config.set_max_new_tokens(32);
  for (const absl::Status& status : {CheckRange("grpo.group_size", config.group_size(), 2, 64),
                                     CheckRange("grpo.groups_per_step", config.groups_per_step(), 1, 1024),
                                     CheckRange("grpo.clip_low", config.clip_low(), 1e-6, 1 - 1e-6),
                                     CheckRange("grpo.clip_high", config.clip_high(), 1e-6, 1 - 1e-6),
                                     CheckRange("grpo.kl_weight", config.kl_weight(), 0, 1),
                                     CheckRange("grpo.importance_cap", config.importance_cap(), 1, 100),
                                     CheckRange("grpo.max_policy_age", config.max_policy_age(), 1, 1000),
                                     CheckRange("grpo.learning_rate", config.learning_rate(), 1e-12, 1),
                                     CheckRange("grpo.temperature", config.temperature(), 1e-3, 2),
                                     CheckRange("grpo.max_new_tokens", config.max_new_tokens(), 1, 512)}) {
    if (!status.ok()) return status;
  }
  if (config.kl_weight() > 0) {
    return InvalidField("UNSUPPORTED", "grpo.kl_weight", "must be 0: no reference policy is kept so far");
  }
  return config;
}

absl::StatusOr<std::unique_ptr<GrpoRun>> GrpoRun::Start(const std::string& run_id, Parts parts) {
  absl::StatusOr<StoredRun> stored = parts.ledger->GetRun(run_id);
  if (!stored.ok()) return stored.status();
  absl::StatusOr<v1::GrpoConfig> config = CompleteGrpoConfig(stored->request.grpo());
  if (!config.ok()) return config.status();
  std::error_code error;
  std::filesystem::create_directories(parts.folder, error);
  if (error) return absl::UnavailableError(absl::StrCat(parts.folder, ": ", error.message()));
  std::unique_ptr<GrpoRun> run(new GrpoRun(run_id, *std::move(config), *std::move(stored), std::move(parts)));
  if (absl::Status status = run->Recover(); !status.ok()) return status;
  run->thread_ = std::thread([run = run.get()] { run->Loop(); });
  return run;
}

GrpoRun::GrpoRun(std::string run_id, v1::GrpoConfig config, StoredRun stored, Parts parts)
    : run_id_(std::move(run_id)),
      config_(std::move(config)),
      total_steps_(stored.request.steps()),
      parts_(std::move(parts)),
      step_(stored.step),
      policy_version_(stored.policy_version),
      next_unit_(stored.next_unit) {}

GrpoRun::~GrpoRun() { Stop(); }

std::string GrpoRun::CheckpointPath() const { return absl::StrCat(parts_.folder, "/", run_id_, ".checkpoint"); }

absl::Status GrpoRun::MakeDurable(const StepNote& note) {
  {
    absl::MutexLock lock(&trainer_mu_);
    if (absl::Status status = parts_.trainer->Save(CheckpointPath(), FormatNote(note)); !status.ok()) return status;
    saved_step_ = note.step;
  }
  return PublishAndCommit(note);
}

absl::Status GrpoRun::Publish(uint64_t policy_version) {
  if (parts_.policies->Newest(run_id_) >= policy_version) return absl::OkStatus();
  absl::MutexLock lock(&trainer_mu_);
  const absl::StatusOr<std::string> weights = parts_.trainer->Weights();
  if (!weights.ok()) return weights.status();
  return parts_.policies->Publish(run_id_, policy_version, *weights);
}

absl::Status GrpoRun::PublishAndCommit(const StepNote& note) {
  if (absl::Status status = Publish(note.policy_version); !status.ok()) return status;
  return parts_.ledger->CommitStep(run_id_, note.trained, note.dropped, note.step, note.policy_version);
}

absl::Status GrpoRun::Recover() {
  if (!std::filesystem::exists(CheckpointPath())) {
    if (policy_version_ != 0) {
      return absl::FailedPreconditionError(
          absl::StrCat(CheckpointPath(), ": is missing, and the run is past its start"));
    }
    policy_version_ = 1;
    return MakeDurable({.step = 0, .policy_version = 1, .trained = {}, .dropped = {}});
  }
  const absl::StatusOr<std::string> text = parts_.trainer->Load(CheckpointPath());
  if (!text.ok()) return text.status();
  const absl::StatusOr<StepNote> note = ParseNote(*text);
  if (!note.ok()) return note.status();
  {
    absl::MutexLock lock(&trainer_mu_);
    saved_step_ = note->step;
  }
  // The folder of policies may have been cleared: workers wait for the newest one.
  if (note->step == step_ && note->policy_version == policy_version_) return Publish(policy_version_);
  // The process died after the checkpoint and before the ledger knew.
  step_ = note->step;
  policy_version_ = note->policy_version;
  return PublishAndCommit(*note);
}

void GrpoRun::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void GrpoRun::Wake() {
  absl::MutexLock lock(&mu_);
  woken_ = true;
}

bool GrpoRun::Ended() const {
  absl::MutexLock lock(&mu_);
  return ended_;
}

absl::StatusOr<uint64_t> GrpoRun::Alive(v1::WorkKind kind) const {
  const absl::StatusOr<v1::UnitCounts> counts = parts_.ledger->Counts(run_id_, kind);
  if (!counts.ok()) return counts.status();
  if (counts->submitted() == 0 && counts->dead() >= kDeadAtStart) {
    return absl::FailedPreconditionError(absl::StrCat("all of the first ", counts->dead(),
                                                      kind == v1::WORK_KIND_SIMULATION ? " simulation" : " rollout",
                                                      " units failed at every attempt; the workers' logs say why"));
  }
  return counts->pending() + counts->leased() + counts->submitted() - counts->trained() - counts->dropped();
}

absl::Status GrpoRun::AddUnits(std::vector<v1::WorkUnit> units, const std::vector<std::string>& made_from) {
  const uint64_t count = units.size();
  absl::Status status = parts_.ledger->AddUnits(run_id_, std::move(units), made_from);
  if (!status.ok()) return status;
  next_unit_ += count;
  parts_.work_added();
  return absl::OkStatus();
}

std::vector<v1::WorkUnit> GrpoRun::RolloutUnits(const v1::SimulationResult* scenes) const {
  std::vector<v1::WorkUnit> units;
  for (v1::RolloutTask& task : parts_.source->Questions(next_unit_, scenes)) {
    task.set_policy_version(policy_version_);
    task.set_group_size(config_.group_size());
    task.set_temperature(config_.temperature());
    task.set_max_new_tokens(config_.max_new_tokens());
    task.set_seed(next_unit_ + units.size());
    *units.emplace_back().mutable_rollout() = std::move(task);
  }
  return units;
}

absl::Status GrpoRun::FillQueue() {
  const uint64_t wanted = kStepsAhead * config_.groups_per_step();
  absl::StatusOr<uint64_t> rollouts = Alive(v1::WORK_KIND_ROLLOUT);
  if (!rollouts.ok()) return rollouts.status();
  const bool simulated = parts_.source->Scenes(0).has_value();
  if (!simulated) {
    while (*rollouts < wanted) {
      std::vector<v1::WorkUnit> units = RolloutUnits(nullptr);
      if (units.empty()) return absl::FailedPreconditionError("the run's source has no more questions");
      *rollouts += units.size();
      if (absl::Status status = AddUnits(std::move(units), {}); !status.ok()) return status;
    }
    return absl::OkStatus();
  }
  while (*rollouts < wanted) {
    const absl::StatusOr<std::vector<SubmittedUnit>> scenes =
        parts_.ledger->PeekSubmitted(run_id_, v1::WORK_KIND_SIMULATION, 1);
    if (!scenes.ok()) return scenes.status();
    if (scenes->empty()) break;
    std::vector<v1::WorkUnit> units = RolloutUnits(&scenes->front().result.simulation());
    *rollouts += units.size();
    if (absl::Status status = AddUnits(std::move(units), {scenes->front().unit_id}); !status.ok()) return status;
  }
  // Simulation workers go on while there are questions enough.
  absl::StatusOr<uint64_t> simulations = Alive(v1::WORK_KIND_SIMULATION);
  if (!simulations.ok()) return simulations.status();
  std::vector<v1::WorkUnit> units;
  for (; *simulations < kSimulationsAhead; ++*simulations) {
    const uint64_t number = next_unit_ + units.size();
    *units.emplace_back().mutable_simulation() = *parts_.source->Scenes(number);
  }
  return units.empty() ? absl::OkStatus() : AddUnits(std::move(units), {});
}

absl::StatusOr<bool> GrpoRun::TryStep() {
  const auto start = std::chrono::steady_clock::now();
  absl::StatusOr<std::vector<SubmittedUnit>> waiting =
      parts_.ledger->PeekSubmitted(run_id_, v1::WORK_KIND_ROLLOUT, config_.groups_per_step());
  if (!waiting.ok()) return waiting.status();
  if (waiting->size() < config_.groups_per_step()) return false;

  std::vector<SubmittedUnit> groups;
  std::vector<std::string> trained, dropped;
  double age = 0;
  uint64_t fresh = 0;
  for (SubmittedUnit& unit : *waiting) {
    if (unit.policy_version + config_.max_policy_age() < policy_version_) {
      dropped.push_back(unit.unit_id);
      ++stale_drops_;
      continue;
    }
    const std::vector<double> group = Rewards(unit.result.rollout());
    rewards_.insert(rewards_.end(), group.begin(), group.end());
    ++fresh;
    age += static_cast<double>(policy_version_ - std::min(policy_version_, unit.policy_version));
    if (!train::HasSpread(group)) {
      ++without_spread_;
      if (!config_.keep_groups_without_spread()) {
        dropped.push_back(unit.unit_id);
        continue;
      }
    }
    trained.push_back(unit.unit_id);
    groups.push_back(std::move(unit));
  }
  if (groups.empty()) {
    // Nothing to learn from: a step of the ledger, not of the policy.
    if (absl::Status status = parts_.ledger->CommitStep(run_id_, {}, dropped, step_, policy_version_); !status.ok())
      return status;
    NoteBarrenBatch();
    return true;
  }
  absl::StatusOr<v1::StepReport> report;
  {
    absl::MutexLock lock(&trainer_mu_);
    report = parts_.trainer->Update(groups);
  }
  if (!report.ok()) return report.status();
  ++step_;
  ++policy_version_;
  if (absl::Status status = MakeDurable({step_, policy_version_, trained, dropped}); !status.ok()) return status;

  report->set_run_id(run_id_);
  report->set_step(step_);
  report->set_policy_version(policy_version_);
  const train::Spread spread = train::MeasureSpread(rewards_);
  report->set_reward_mean(spread.mean);
  report->set_reward_std(spread.deviation);
  report->set_groups_without_spread(without_spread_);
  report->set_policy_age(age / static_cast<double>(fresh));
  report->set_stale_drops(stale_drops_);
  report->set_seconds(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  {
    absl::MutexLock lock(&mu_);
    reports_.push_back(*std::move(report));
    remark_.clear();
  }
  rewards_.clear();
  without_spread_ = 0;
  barren_batches_ = 0;
  parts_.report_added();
  return true;
}

void GrpoRun::NoteBarrenBatch() {
  ++barren_batches_;
  const std::string remark = rewards_.empty() ? absl::StrCat("no step since ", step_, ": answers come back too old")
                                              : absl::StrCat("no step since ", step_, ": in all ", without_spread_,
                                                             " groups the rewards were equal (mean ",
                                                             train::MeasureSpread(rewards_).mean, ")");
  // The first, second, fourth, eighth ... time: said early, and not for ever.
  if ((barren_batches_ & (barren_batches_ - 1)) == 0) {
    Log(LogLevel::kWarning, "run_without_steps", {{"run", run_id_}, {"reason", remark}});
  }
  if (rewards_.size() > kMostRewards)
    rewards_.erase(rewards_.begin(), rewards_.end() - static_cast<ptrdiff_t>(kMostRewards));
  absl::MutexLock lock(&mu_);
  remark_ = remark;
}

void GrpoRun::Loop() {
  while (true) {
    {
      absl::MutexLock lock(&mu_);
      if (stopping_) return;
      woken_ = false;
    }
    absl::Status status;
    bool progressed = false;
    const absl::StatusOr<StoredRun> stored = parts_.ledger->GetRun(run_id_);
    status = stored.status();
    if (status.ok() && step_ >= total_steps_) {
      status = parts_.ledger->SetRunState(run_id_, v1::RUN_STATE_FINISHED);
      absl::MutexLock lock(&mu_);
      ended_ = true;
      failure_ = status;
      break;
    }
    if (status.ok() && stored->state == v1::RUN_STATE_RUNNING) {
      status = FillQueue();
      if (status.ok()) {
        const absl::StatusOr<bool> stepped = TryStep();
        status = stepped.status();
        progressed = stepped.ok() && *stepped;
      }
    }
    if (!status.ok()) {
      Log(LogLevel::kError, "run_failed", {{"run", run_id_}, {"error", std::string(status.message())}});
      parts_.ledger->SetRunState(run_id_, v1::RUN_STATE_FAILED).IgnoreError();
      absl::MutexLock lock(&mu_);
      ended_ = true;
      failure_ = status;
      break;
    }
    if (progressed) continue;
    absl::MutexLock lock(&mu_);
    const auto due = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return woken_ || stopping_; };
    mu_.AwaitWithTimeout(absl::Condition(&due), absl::Seconds(1));
  }
  parts_.report_added();
}

absl::StatusOr<v1::CheckpointResponse> GrpoRun::Checkpoint() {
  // Every step ends with a checkpoint, so the newest is on disk already: wait out the step under way and name it.
  absl::MutexLock lock(&trainer_mu_);
  absl::StatusOr<std::string> sha256 = model::Sha256OfFile(CheckpointPath());
  if (!sha256.ok()) return sha256.status();
  v1::CheckpointResponse response;
  response.set_step(saved_step_);
  response.set_path(CheckpointPath());
  response.set_sha256(*std::move(sha256));
  return response;
}

absl::StatusOr<v1::TrainingRun> DescribeRun(Ledger& ledger, const std::string& run_id) {
  const absl::StatusOr<StoredRun> stored = ledger.GetRun(run_id);
  if (!stored.ok()) return stored.status();
  absl::StatusOr<v1::UnitCounts> counts = ledger.Counts(run_id);
  if (!counts.ok()) return counts.status();
  v1::TrainingRun run;
  run.set_run_id(run_id);
  run.set_state(stored->state);
  run.set_step(stored->step);
  run.set_steps(stored->request.steps());
  run.set_policy_version(stored->policy_version);
  *run.mutable_units() = *std::move(counts);
  return run;
}

absl::StatusOr<v1::TrainingRun> GrpoRun::Describe() const {
  absl::StatusOr<v1::TrainingRun> run = DescribeRun(*parts_.ledger, run_id_);
  if (!run.ok()) return run.status();
  absl::MutexLock lock(&mu_);
  if (!reports_.empty()) *run->mutable_last_step() = reports_.back();
  run->set_message(failure_.ok() ? remark_ : std::string(failure_.message()));
  return run;
}

std::vector<v1::StepReport> GrpoRun::ReportsFrom(uint64_t first_step) const {
  absl::MutexLock lock(&mu_);
  std::vector<v1::StepReport> reports;
  for (const v1::StepReport& report : reports_) {
    if (report.step() >= first_step) reports.push_back(report);
  }
  return reports;
}

}  // namespace auricle::server
