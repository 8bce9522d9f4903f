// The ledger: every unit of work, who holds it, and what came of it, on disk before anybody is told.
//
// A unit is PENDING, LEASED to one worker session until its time to live ends, SUBMITTED (its result waits to be
// trained on), then TRAINED, DROPPED (its policy grew too old, or its group has
// no spread) or DEAD (too many failed attempts). Each lease of a unit
// carries a larger fencing token; only the newest token of an unexpired or not yet re-leased unit may submit.
//
// Invariants, for every run and after every call (tests check them under every fault):
//   created = pending + leased + waiting + trained + dropped + dead      (waiting: in state SUBMITTED)
//   a unit has at most one accepted result.
//
// Implementations are thread-safe. Time is passed in, so that tests need not wait. Errors: NOT_FOUND (unknown session
// or run), ALREADY_EXISTS, INVALID_ARGUMENT, UNAVAILABLE / DATA_LOSS from the store itself.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "auricle/v1/training.pb.h"
#include "auricle/v1/work.pb.h"

namespace auricle::server {

struct LedgerLimits {
  // How long a lease lasts without renewal.
  absl::Duration lease_ttl = absl::Seconds(30);
  // Leases that may fail or expire before a unit is DEAD.
  uint32_t max_attempts = 5;
};

// A result that waits for the trainer.
struct SubmittedUnit {
  std::string unit_id;
  v1::WorkUnit unit;            // its task
  v1::SubmitRequest result;     // exactly as the worker sent it
  uint64_t policy_version = 0;  // rollouts: the version that drew it
};

// A run as it survives a restart.
struct StoredRun {
  v1::StartRunRequest request;
  v1::RunState state = v1::RUN_STATE_RUNNING;
  uint64_t step = 0;
  uint64_t policy_version = 0;
  uint64_t next_unit = 0;  // number of units created so far
};

class Ledger {
 public:
  virtual ~Ledger() = default;

  virtual absl::Status CreateRun(const v1::StartRunRequest& request) = 0;
  virtual absl::StatusOr<StoredRun> GetRun(const std::string& run_id) = 0;
  virtual absl::StatusOr<std::vector<std::string>> ListRuns() = 0;
  virtual absl::Status SetRunState(const std::string& run_id, v1::RunState state) = 0;
  // The same where the run is in state `from`; FAILED_PRECONDITION where it is in another.
  virtual absl::Status SwitchRunState(const std::string& run_id, v1::RunState from, v1::RunState to) = 0;

  // Appends PENDING units; fills their unit_id ("<run>/<number>") and run_id. `made_from`: SUBMITTED units that these
  // came of (questions, of simulated scenes), TRAINED from now on. All or none.
  virtual absl::Status AddUnits(const std::string& run_id, std::vector<v1::WorkUnit> units,
                                const std::vector<std::string>& made_from = {}) = 0;

  // A new session for this worker. An earlier session of the same name is gone, and what it held counts as failed: a
  // unit that crashes its worker must not be handed out for ever.
  virtual absl::StatusOr<std::string> Register(const v1::RegisterRequest& request) = 0;

  // The oldest PENDING units of running runs, now LEASED with a new fencing token until now + lease_ttl. May be empty.
  virtual absl::StatusOr<std::vector<v1::WorkUnit>> Lease(const std::string& session_id,
                                                          const std::vector<v1::WorkKind>& kinds, uint32_t max_units,
                                                          absl::Time now) = 0;

  // Extends what is still held to now + lease_ttl; returns what is not.
  virtual absl::StatusOr<std::vector<v1::LeaseRef>> Renew(const std::string& session_id,
                                                          const std::vector<v1::LeaseRef>& leases, absl::Time now) = 0;

  // Takes a result or a failure. `oldest_policy`: rollouts of an older policy are DROPPED. The same accepted result
  // again is DUPLICATE and changes nothing. A submission after expiry still counts while nobody else leased the unit.
  virtual absl::StatusOr<v1::SubmitOutcome> Submit(const v1::SubmitRequest& request, uint64_t oldest_policy,
                                                   absl::Time now) = 0;

  // Back to PENDING, without counting an attempt. Leases that are not held any more are ignored.
  virtual absl::Status Release(const std::string& session_id, const std::vector<v1::LeaseRef>& leases) = 0;

  // Expired leases become PENDING, or DEAD after max_attempts. Returns how many expired.
  virtual absl::StatusOr<uint64_t> ExpireLeases(absl::Time now) = 0;

  // Up to `max` SUBMITTED units of a run and kind in the order of their numbers; they stay SUBMITTED.
  virtual absl::StatusOr<std::vector<SubmittedUnit>> PeekSubmitted(const std::string& run_id, v1::WorkKind kind,
                                                                   uint32_t max) = 0;

  // One optimiser step, in one transaction: these units are TRAINED, those are DROPPED, the run is at `step` and
  // `policy_version`.
  virtual absl::Status CommitStep(const std::string& run_id, const std::vector<std::string>& trained,
                                  const std::vector<std::string>& dropped, uint64_t step, uint64_t policy_version) = 0;

  // Of one kind, or of all where none is named.
  virtual absl::StatusOr<v1::UnitCounts> Counts(const std::string& run_id,
                                                v1::WorkKind kind = v1::WORK_KIND_UNSPECIFIED) = 0;
};

// SQLite in WAL mode with synchronous=FULL: what is acknowledged survives a power cut. path ":memory:" for tests.
absl::StatusOr<std::unique_ptr<Ledger>> OpenSqliteLedger(const std::string& path, const LedgerLimits& limits);

}  // namespace auricle::server
