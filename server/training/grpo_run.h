// One reinforcement run: keeps work in the ledger, learns from what comes back, publishes each new policy.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "auricle/v1/training.pb.h"
#include "server/training/ledger.h"
#include "server/training/policy_store.h"
#include "server/training/policy_trainer.h"
#include "server/training/rollout_source.h"

namespace auricle::server {

// The configuration with its defaults filled in. INVALID_ARGUMENT names the field and the range.
absl::StatusOr<v1::GrpoConfig> CompleteGrpoConfig(const v1::GrpoConfig& config);

// What the ledger knows of a run. NOT_FOUND.
absl::StatusOr<v1::TrainingRun> DescribeRun(Ledger& ledger, const std::string& run_id);

// What a checkpoint says of itself, so that a commit that the ledger never saw can be made up for.
struct StepNote {
  uint64_t step = 0;                          // steps taken
  uint64_t policy_version = 0;                // the policy that they made
  std::vector<std::string> trained, dropped;  // units that the last step settled
};

// A step is made durable in this order: the trainer's checkpoint (with the units it learned from), the published
// policy, the ledger. A process that dies between two of them finishes the step when it comes back, without learning
// twice. Thread-safe. Ledger and store are borrowed and outlive the run.
class GrpoRun {
 public:
  struct Parts {
    Ledger* ledger = nullptr;
    PolicyStore* policies = nullptr;
    std::unique_ptr<RolloutSource> source;
    std::unique_ptr<PolicyTrainer> trainer;
    std::string folder;                  // for the checkpoint; made if need be
    std::function<void()> work_added;    // wakes the workers' polls
    std::function<void()> report_added;  // wakes those who watch
  };

  // The run must be in the ledger. Goes on from the checkpoint in the folder, if there is one.
  static absl::StatusOr<std::unique_ptr<GrpoRun>> Start(const std::string& run_id, Parts parts);
  ~GrpoRun();

  // Ends the thread after the step under way. Idempotent.
  void Stop();
  // Something changed: results came, or the run was paused or resumed.
  void Wake();
  // Waits for the step under way and names the newest checkpoint: every step ends with one on disk.
  absl::StatusOr<v1::CheckpointResponse> Checkpoint();

  absl::StatusOr<v1::TrainingRun> Describe() const;
  // The reports of steps `first`, `first` + 1, ... of this process; nothing where there is none yet.
  std::vector<v1::StepReport> ReportsFrom(uint64_t first_step) const;
  // No further reports will come.
  bool Ended() const;

 private:
  GrpoRun(std::string run_id, v1::GrpoConfig config, StoredRun stored, Parts parts);
  absl::Status Recover();
  void Loop();
  // Keeps enough work in the ledger: scenes to simulate where the source needs them, questions about those that came
  // back.
  absl::Status FillQueue();
  // Units of a kind that are not settled. FAILED_PRECONDITION where none of the first ones ever succeeded.
  absl::StatusOr<uint64_t> Alive(v1::WorkKind kind) const;
  absl::Status AddUnits(std::vector<v1::WorkUnit> units, const std::vector<std::string>& made_from);
  std::vector<v1::WorkUnit> RolloutUnits(const v1::SimulationResult* scenes) const;
  // Learns from what waits; false when there is not enough.
  absl::StatusOr<bool> TryStep();
  absl::Status MakeDurable(const StepNote& note);
  absl::Status PublishAndCommit(const StepNote& note);
  // The trainer's weights as this version, unless the store has it.
  absl::Status Publish(uint64_t policy_version);
  // Says, in the log and in Describe(), that a whole batch taught nothing.
  void NoteBarrenBatch();
  std::string CheckpointPath() const;

  const std::string run_id_;
  const v1::GrpoConfig config_;
  const uint64_t total_steps_;
  Parts parts_;
  // The thread's own.
  uint64_t step_ = 0;
  uint64_t policy_version_ = 0;
  uint64_t next_unit_ = 0;
  uint64_t stale_drops_ = 0;
  // Since the last step.
  std::vector<double> rewards_;
  uint32_t without_spread_ = 0;
  uint64_t barren_batches_ = 0;

  absl::Mutex trainer_mu_;                                // held while the trainer works
  uint64_t saved_step_ ABSL_GUARDED_BY(trainer_mu_) = 0;  // of the checkpoint on disk
  mutable absl::Mutex mu_;
  bool woken_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status failure_ ABSL_GUARDED_BY(mu_);
  std::string remark_ ABSL_GUARDED_BY(mu_);  // why no step is taken; empty while steps are
  std::vector<v1::StepReport> reports_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace auricle::server
