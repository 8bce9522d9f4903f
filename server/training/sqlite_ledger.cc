#include <sqlite3.h>

#include <random>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "server/training/ledger.h"
#include "server/training/sqlite.h"

namespace auricle::server {
namespace {

constexpr char kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS runs (
  run_id TEXT PRIMARY KEY, request BLOB NOT NULL, state INTEGER NOT NULL,
  step INTEGER NOT NULL DEFAULT 0, policy_version INTEGER NOT NULL DEFAULT 0, next_unit INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS sessions (
  session_id TEXT PRIMARY KEY, worker_name TEXT NOT NULL UNIQUE, version TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS units (
  unit_id TEXT PRIMARY KEY, run_id TEXT NOT NULL, number INTEGER NOT NULL, kind INTEGER NOT NULL, task BLOB NOT NULL,
  state INTEGER NOT NULL, token INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
  session_id TEXT NOT NULL DEFAULT '', expires_us INTEGER NOT NULL DEFAULT 0,
  result BLOB, policy_version INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS units_by_state ON units (state, run_id, number);
CREATE INDEX IF NOT EXISTS units_by_kind ON units (run_id, kind, state);
CREATE INDEX IF NOT EXISTS units_by_session ON units (session_id) WHERE session_id != '';
)sql";

enum UnitState : int64_t { kPending = 0, kLeased = 1, kSubmitted = 2, kTrained = 3, kDropped = 4, kDead = 5 };

v1::WorkKind KindOf(const v1::WorkUnit& unit) {
  if (unit.has_simulation()) return v1::WORK_KIND_SIMULATION;
  if (unit.has_rollout()) return v1::WORK_KIND_ROLLOUT;
  return v1::WORK_KIND_UNSPECIFIED;
}

// What the ledger needs to know of a unit to judge a submission.
struct UnitRow {
  bool found = false;
  int64_t state = kPending;
  int64_t token = 0;
  int64_t attempts = 0;
  int64_t kind = 0;
  std::string session_id;
  std::string result;
};

class SqliteLedger final : public Ledger {
 public:
  SqliteLedger(sqlite3* db, const LedgerLimits& limits) : db_(db, sqlite3_close_v2), limits_(limits) {}

  absl::Status CreateRun(const v1::StartRunRequest& request) override {
    absl::MutexLock lock(&mu_);
    Transaction transaction(db_.get());
    if (!transaction.status().ok()) return transaction.status();
    Statement existing(db_.get(), "SELECT 1 FROM runs WHERE run_id = ?");
    if (existing.Text(request.run_id()).Step()) {
      return absl::AlreadyExistsError(absl::StrCat("run_id: a run named '", request.run_id(), "' exists"));
    }
    Statement insert(db_.get(), "INSERT INTO runs (run_id, request, state) VALUES (?, ?, ?)");
    insert.Text(request.run_id()).Blob(request.SerializeAsString()).Int(v1::RUN_STATE_RUNNING);
    if (absl::Status status = insert.Run(); !status.ok()) return status;
    return transaction.Commit();
  }

  absl::StatusOr<StoredRun> GetRun(const std::string& run_id) override {
    absl::MutexLock lock(&mu_);
    return ReadRun(run_id);
  }

  absl::StatusOr<std::vector<std::string>> ListRuns() override {
    absl::MutexLock lock(&mu_);
    Statement select(db_.get(), "SELECT run_id FROM runs ORDER BY run_id");
    std::vector<std::string> ids;
    while (select.Step()) ids.push_back(select.GetBytes(0));
    if (!select.status().ok()) return select.status();
    return ids;
  }

  absl::Status SetRunState(const std::string& run_id, v1::RunState state) override {
    absl::MutexLock lock(&mu_);
    Statement update(db_.get(), "UPDATE runs SET state = ? WHERE run_id = ?");
    if (absl::Status status = update.Int(state).Text(run_id).Run(); !status.ok()) return status;
    return sqlite3_changes(db_.get()) == 1 ? absl::OkStatus() : NoSuchRun(run_id);
  }

  absl::Status SwitchRunState(const std::string& run_id, v1::RunState from, v1::RunState to) override {
    absl::MutexLock lock(&mu_);
    Transaction transaction(db_.get());
    if (!transaction.status().ok()) return transaction.status();
    const absl::StatusOr<StoredRun> run = ReadRun(run_id);
    if (!run.ok()) return run.status();
    if (run->state != from) {
      return absl::FailedPreconditionError(
          absl::StrCat("run '", run_id, "' is ", v1::RunState_Name(run->state), ", must be ", v1::RunState_Name(from)));
    }
    Statement update(db_.get(), "UPDATE runs SET state = ? WHERE run_id = ?");
    if (absl::Status status = update.Int(to).Text(run_id).Run(); !status.ok()) return status;
    return transaction.Commit();
  }

  absl::Status AddUnits(const std::string& run_id, std::vector<v1::WorkUnit> units,
                        const std::vector<std::string>& made_from) override {
    absl::MutexLock lock(&mu_);
    Transaction transaction(db_.get());
    if (!transaction.status().ok()) return transaction.status();
    absl::StatusOr<StoredRun> run = ReadRun(run_id);
    if (!run.ok()) return run.status();
    uint64_t number = run->next_unit;
    for (v1::WorkUnit& unit : units) {
      if (KindOf(unit) == v1::WORK_KIND_UNSPECIFIED) {
        return absl::InvalidArgumentError("task: is absent, must be a simulation or a rollout");
      }
      unit.set_unit_id(absl::StrCat(run_id, "/", number));
      unit.set_run_id(run_id);
      Statement insert(db_.get(),
                       "INSERT INTO units (unit_id, run_id, number, kind, task, state) VALUES (?, ?, ?, ?, ?, ?)");
      insert.Text(unit.unit_id()).Text(run_id).Int(static_cast<int64_t>(number)).Int(KindOf(unit));
      if (absl::Status status = insert.Blob(unit.SerializeAsString()).Int(kPending).Run(); !status.ok()) return status;
      ++number;
    }
    if (absl::Status status = Settle(run_id, made_from, kTrained); !status.ok()) return status;
    Statement update(db_.get(), "UPDATE runs SET next_unit = ? WHERE run_id = ?");
    if (absl::Status status = update.Int(static_cast<int64_t>(number)).Text(run_id).Run(); !status.ok()) return status;
    return transaction.Commit();
  }

  absl::StatusOr<std::string> Register(const v1::RegisterRequest& request) override {
    if (request.worker_name().empty() || request.worker_name().size() > 128) {
      return absl::InvalidArgumentError("worker_name: must have 1 to 128 bytes");
    }
    if (request.kinds().empty()) return absl::InvalidArgumentError("kinds: must name at least one kind of work");
    absl::MutexLock lock(&mu_);
    Transaction transaction(db_.get());
    if (!transaction.status().ok()) return transaction.status();
    Statement release(db_.get(),
                      "UPDATE units SET state = CASE WHEN attempts >= ? THEN ? ELSE ? END, session_id = '' "
                      "WHERE state = ? AND session_id IN (SELECT session_id FROM sessions WHERE worker_name = ?)");
    release.Int(limits_.max_attempts).Int(kDead).Int(kPending).Int(kLeased).Text(request.worker_name());
    if (absl::Status status = release.Run(); !status.ok()) return status;
    const std::string session_id = absl::StrFormat("%016x%016x", random_(), random_());
    Statement insert(db_.get(), "INSERT OR REPLACE INTO sessions (session_id, worker_name, version) VALUES (?, ?, ?)");
    insert.Text(session_id).Text(request.worker_name()).Text(request.version());
    if (absl::Status status = insert.Run(); !status.ok()) return status;
    if (absl::Status status = transaction.Commit(); !status.ok()) return status;
    return session_id;
  }

  absl::StatusOr<std::vector<v1::WorkUnit>> Lease(const std::string& session_id, const std::vector<v1::WorkKind>& kinds,
                                                  uint32_t max_units, absl::Time now) override {
    absl::MutexLock lock(&mu_);
    Transaction transaction(db_.get());
    if (!transaction.status().ok()) return transaction.status();
    if (absl::Status status = CheckSession(session_id); !status.ok()) return status;
    std::vector<v1::WorkUnit> units;
    for (const v1::WorkKind kind : kinds) {
      Statement select(db_.get(),
                       "SELECT units.task, units.token, units.attempts FROM units JOIN runs USING (run_id) "
                       "WHERE units.state = ? AND units.kind = ? AND runs.state = ? ORDER BY units.rowid LIMIT ?");
      select.Int(kPending).Int(kind).Int(v1::RUN_STATE_RUNNING).Int(static_cast<int64_t>(max_units - units.size()));
      while (select.Step()) {
        v1::WorkUnit& unit = units.emplace_back();
        if (!unit.ParseFromString(select.GetBytes(0)))
          return absl::DataLossError("ledger: a stored task is not readable");
        unit.set_fencing_token(static_cast<uint64_t>(select.GetInt(1)) + 1);
        unit.set_attempt(static_cast<uint32_t>(select.GetInt(2)) + 1);
        unit.set_ttl_seconds(absl::ToDoubleSeconds(limits_.lease_ttl));
      }
      if (!select.status().ok()) return select.status();
    }
    for (const v1::WorkUnit& unit : units) {
      Statement update(
          db_.get(),
          "UPDATE units SET state = ?, token = ?, attempts = ?, session_id = ?, expires_us = ? WHERE unit_id = ?");
      update.Int(kLeased).Int(static_cast<int64_t>(unit.fencing_token())).Int(unit.attempt()).Text(session_id);
      update.Int(absl::ToUnixMicros(now + limits_.lease_ttl)).Text(unit.unit_id());
      if (absl::Status status = update.Run(); !status.ok()) return status;
    }
    if (absl::Status status = transaction.Commit(); !status.ok()) return status;
    return units;
  }

  absl::StatusOr<std::vector<v1::LeaseRef>> Renew(const std::string& session_id,
                                                  const std::vector<v1::LeaseRef>& leases, absl::Time now) override {
    absl::MutexLock lock(&mu_);
    Transaction transaction(db_.get());
    if (!transaction.status().ok()) return transaction.status();
    if (absl::Status status = CheckSession(session_id); !status.ok()) return status;
    std::vector<v1::LeaseRef> lost;
    for (const v1::LeaseRef& lease : leases) {
      Statement update(
          db_.get(),
          "UPDATE units SET expires_us = ? WHERE unit_id = ? AND token = ? AND state = ? AND session_id = ?");
      update.Int(absl::ToUnixMicros(now + limits_.lease_ttl)).Text(lease.unit_id());
      update.Int(static_cast<int64_t>(lease.fencing_token())).Int(kLeased).Text(session_id);
      if (absl::Status status = update.Run(); !status.ok()) return status;
      if (sqlite3_changes(db_.get()) == 0) lost.push_back(lease);
    }
    if (absl::Status status = transaction.Commit(); !status.ok()) return status;
    return lost;
  }

  absl::StatusOr<v1::SubmitOutcome> Submit(const v1::SubmitRequest& request, uint64_t oldest_policy,
                                           absl::Time /*now*/) override {
    absl::MutexLock lock(&mu_);
    Transaction transaction(db_.get());
    if (!transaction.status().ok()) return transaction.status();
    const v1::LeaseRef& lease = request.lease();
    const absl::StatusOr<UnitRow> row = ReadUnit(lease.unit_id());
    if (!row.ok()) return row.status();
    if (!row->found || row->token != static_cast<int64_t>(lease.fencing_token())) return v1::SUBMIT_OUTCOME_LEASE_LOST;
    const bool finished = row->state == kSubmitted || row->state == kTrained || row->state == kDropped;
    if (finished) {
      return row->result == ResultBytes(request) ? v1::SUBMIT_OUTCOME_DUPLICATE : v1::SUBMIT_OUTCOME_LEASE_LOST;
    }
    if (row->state == kDead) return v1::SUBMIT_OUTCOME_LEASE_LOST;
    // An expired lease that nobody else took keeps its token: the work is done, so it counts. A replaced session's not.
    if (absl::Status status = CheckSession(request.session_id()); !status.ok()) return v1::SUBMIT_OUTCOME_LEASE_LOST;
    if (!row->session_id.empty() && row->session_id != request.session_id()) return v1::SUBMIT_OUTCOME_LEASE_LOST;

    const bool fits = (request.has_simulation() && row->kind == v1::WORK_KIND_SIMULATION) ||
                      (request.has_rollout() && row->kind == v1::WORK_KIND_ROLLOUT);
    if (!fits) {
      if (absl::Status status = GiveUpAttempt(lease.unit_id(), row->attempts); !status.ok()) return status;
      if (absl::Status status = transaction.Commit(); !status.ok()) return status;
      return request.has_failure() ? v1::SUBMIT_OUTCOME_ACCEPTED : v1::SUBMIT_OUTCOME_INVALID;
    }
    const uint64_t policy = request.rollout().policy_version();
    const bool stale = request.has_rollout() && policy < oldest_policy;
    Statement update(db_.get(),
                     "UPDATE units SET state = ?, result = ?, policy_version = ?, session_id = '' WHERE unit_id = ?");
    update.Int(stale ? kDropped : kSubmitted).Blob(ResultBytes(request)).Int(static_cast<int64_t>(policy));
    if (absl::Status status = update.Text(lease.unit_id()).Run(); !status.ok()) return status;
    if (absl::Status status = transaction.Commit(); !status.ok()) return status;
    return stale ? v1::SUBMIT_OUTCOME_STALE : v1::SUBMIT_OUTCOME_ACCEPTED;
  }

  absl::Status Release(const std::string& session_id, const std::vector<v1::LeaseRef>& leases) override {
    absl::MutexLock lock(&mu_);
    Transaction transaction(db_.get());
    if (!transaction.status().ok()) return transaction.status();
    if (absl::Status status = CheckSession(session_id); !status.ok()) return status;
    for (const v1::LeaseRef& lease : leases) {
      Statement update(db_.get(),
                       "UPDATE units SET state = ?, session_id = '', attempts = attempts - 1 "
                       "WHERE unit_id = ? AND token = ? AND state = ? AND session_id = ?");
      update.Int(kPending).Text(lease.unit_id()).Int(static_cast<int64_t>(lease.fencing_token())).Int(kLeased);
      if (absl::Status status = update.Text(session_id).Run(); !status.ok()) return status;
    }
    return transaction.Commit();
  }

  absl::StatusOr<uint64_t> ExpireLeases(absl::Time now) override {
    absl::MutexLock lock(&mu_);
    Transaction transaction(db_.get());
    if (!transaction.status().ok()) return transaction.status();
    Statement update(db_.get(),
                     "UPDATE units SET state = CASE WHEN attempts >= ? THEN ? ELSE ? END, session_id = '' "
                     "WHERE state = ? AND expires_us <= ?");
    update.Int(limits_.max_attempts).Int(kDead).Int(kPending).Int(kLeased).Int(absl::ToUnixMicros(now));
    if (absl::Status status = update.Run(); !status.ok()) return status;
    const auto expired = static_cast<uint64_t>(sqlite3_changes(db_.get()));
    if (absl::Status status = transaction.Commit(); !status.ok()) return status;
    return expired;
  }

  absl::StatusOr<std::vector<SubmittedUnit>> PeekSubmitted(const std::string& run_id, v1::WorkKind kind,
                                                           uint32_t max) override {
    absl::MutexLock lock(&mu_);
    Statement select(
        db_.get(),
        "SELECT unit_id, task, result, policy_version FROM units WHERE state = ? AND run_id = ? AND kind = ? "
        "ORDER BY number LIMIT ?");
    select.Int(kSubmitted).Text(run_id).Int(kind).Int(max);
    std::vector<SubmittedUnit> units;
    while (select.Step()) {
      SubmittedUnit& unit = units.emplace_back();
      unit.unit_id = select.GetBytes(0);
      unit.policy_version = static_cast<uint64_t>(select.GetInt(3));
      if (!unit.unit.ParseFromString(select.GetBytes(1)) || !unit.result.ParseFromString(select.GetBytes(2))) {
        return absl::DataLossError(absl::StrCat("ledger: unit ", unit.unit_id, " is not readable"));
      }
    }
    if (!select.status().ok()) return select.status();
    return units;
  }

  absl::Status CommitStep(const std::string& run_id, const std::vector<std::string>& trained,
                          const std::vector<std::string>& dropped, uint64_t step, uint64_t policy_version) override {
    absl::MutexLock lock(&mu_);
    Transaction transaction(db_.get());
    if (!transaction.status().ok()) return transaction.status();
    if (absl::Status status = Settle(run_id, trained, kTrained); !status.ok()) return status;
    if (absl::Status status = Settle(run_id, dropped, kDropped); !status.ok()) return status;
    Statement update(db_.get(), "UPDATE runs SET step = ?, policy_version = ? WHERE run_id = ?");
    update.Int(static_cast<int64_t>(step)).Int(static_cast<int64_t>(policy_version)).Text(run_id);
    if (absl::Status status = update.Run(); !status.ok()) return status;
    if (sqlite3_changes(db_.get()) != 1) return NoSuchRun(run_id);
    return transaction.Commit();
  }

  absl::StatusOr<v1::UnitCounts> Counts(const std::string& run_id, v1::WorkKind kind) override {
    absl::MutexLock lock(&mu_);
    absl::StatusOr<StoredRun> run = ReadRun(run_id);
    if (!run.ok()) return run.status();
    v1::UnitCounts counts;
    Statement select(db_.get(),
                     "SELECT state, COUNT(*) FROM units WHERE run_id = ?1 AND (?2 = 0 OR kind = ?2) GROUP BY state");
    select.Text(run_id).Int(kind);
    uint64_t waiting = 0;
    while (select.Step()) {
      const auto count = static_cast<uint64_t>(select.GetInt(1));
      counts.set_created(counts.created() + count);
      switch (select.GetInt(0)) {
        case kPending:
          counts.set_pending(count);
          break;
        case kLeased:
          counts.set_leased(count);
          break;
        case kSubmitted:
          waiting = count;
          break;
        case kTrained:
          counts.set_trained(count);
          break;
        case kDropped:
          counts.set_dropped(count);
          break;
        case kDead:
          counts.set_dead(count);
          break;
      }
    }
    if (!select.status().ok()) return select.status();
    counts.set_submitted(waiting + counts.trained() + counts.dropped());
    // Counted by another hand, so that a unit that got lost would show.
    if (kind == v1::WORK_KIND_UNSPECIFIED) counts.set_created(run->next_unit);
    return counts;
  }

 private:
  static absl::Status NoSuchRun(const std::string& run_id) {
    return absl::NotFoundError(absl::StrCat("run_id: there is no run named '", run_id, "'"));
  }

  // From SUBMITTED to a state that is final.
  absl::Status Settle(const std::string& run_id, const std::vector<std::string>& ids, UnitState state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    for (const std::string& id : ids) {
      Statement update(db_.get(), "UPDATE units SET state = ? WHERE unit_id = ? AND run_id = ? AND state = ?");
      if (absl::Status status = update.Int(state).Text(id).Text(run_id).Int(kSubmitted).Run(); !status.ok())
        return status;
      if (sqlite3_changes(db_.get()) != 1) {
        return absl::FailedPreconditionError(absl::StrCat("ledger: unit ", id, " does not wait for training"));
      }
    }
    return absl::OkStatus();
  }

  // A submission's bytes without the session, so that a repeat over a new connection is still the same result.
  static std::string ResultBytes(const v1::SubmitRequest& request) {
    v1::SubmitRequest result = request;
    result.clear_session_id();
    return result.SerializeAsString();
  }

  absl::StatusOr<StoredRun> ReadRun(const std::string& run_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    Statement select(db_.get(), "SELECT request, state, step, policy_version, next_unit FROM runs WHERE run_id = ?");
    if (!select.Text(run_id).Step()) return select.status().ok() ? NoSuchRun(run_id) : select.status();
    StoredRun run;
    if (!run.request.ParseFromString(select.GetBytes(0)))
      return absl::DataLossError("ledger: a stored run is not readable");
    run.state = static_cast<v1::RunState>(select.GetInt(1));
    run.step = static_cast<uint64_t>(select.GetInt(2));
    run.policy_version = static_cast<uint64_t>(select.GetInt(3));
    run.next_unit = static_cast<uint64_t>(select.GetInt(4));
    return run;
  }

  absl::StatusOr<UnitRow> ReadUnit(const std::string& unit_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    Statement select(db_.get(), "SELECT state, token, attempts, kind, session_id, result FROM units WHERE unit_id = ?");
    UnitRow row;
    if (select.Text(unit_id).Step()) {
      row.found = true;
      row.state = select.GetInt(0);
      row.token = select.GetInt(1);
      row.attempts = select.GetInt(2);
      row.kind = select.GetInt(3);
      row.session_id = select.GetBytes(4);
      row.result = select.GetBytes(5);
    }
    if (!select.status().ok()) return select.status();
    return row;
  }

  absl::Status CheckSession(const std::string& session_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    Statement select(db_.get(), "SELECT 1 FROM sessions WHERE session_id = ?");
    if (select.Text(session_id).Step()) return absl::OkStatus();
    if (!select.status().ok()) return select.status();
    return absl::NotFoundError("session_id: unknown or replaced; register again");
  }

  // A failed attempt: back to PENDING, or DEAD when it was the last.
  absl::Status GiveUpAttempt(const std::string& unit_id, int64_t attempts) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    Statement update(db_.get(), "UPDATE units SET state = ?, session_id = '' WHERE unit_id = ?");
    return update.Int(attempts >= limits_.max_attempts ? kDead : kPending).Text(unit_id).Run();
  }

  absl::Mutex mu_;
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> db_ ABSL_GUARDED_BY(mu_);
  // Session ids must not be guessable from one another; they are no part of any reproducible result.
  std::random_device device_ ABSL_GUARDED_BY(mu_);
  std::uniform_int_distribution<uint64_t> uniform_ ABSL_GUARDED_BY(mu_);
  uint64_t random_() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return uniform_(device_); }
  const LedgerLimits limits_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Ledger>> OpenSqliteLedger(const std::string& path, const LedgerLimits& limits) {
  if (limits.lease_ttl <= absl::ZeroDuration()) return absl::InvalidArgumentError("lease_ttl: must be above 0");
  if (limits.max_attempts == 0) return absl::InvalidArgumentError("max_attempts: is 0, must be at least 1");
  sqlite3* db = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  auto ledger = std::make_unique<SqliteLedger>(db, limits);  // owns db from here, also when opening failed
  if (code != SQLITE_OK) return SqliteStatus(db, code, absl::StrCat("opening ", path));
  sqlite3_busy_timeout(db, 10'000);
  for (const char* pragma : {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON"}) {
    if (absl::Status status = Statement(db, pragma).Run(); !status.ok()) return status;
  }
  char* error = nullptr;
  const int schema = sqlite3_exec(db, kSchema, nullptr, nullptr, &error);
  sqlite3_free(error);
  if (schema != SQLITE_OK) return SqliteStatus(db, schema, "creating tables");
  return ledger;
}

}  // namespace auricle::server
