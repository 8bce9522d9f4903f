#include "server/training/ledger.h"

#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace auricle::server {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kStart = absl::FromUnixSeconds(1'000'000);
const std::vector<v1::WorkKind> kRollouts = {v1::WORK_KIND_ROLLOUT};

v1::StartRunRequest NewRun(const std::string& id = "run") {
  v1::StartRunRequest request;
  request.set_run_id(id);
  request.set_steps(10);
  return request;
}

std::vector<v1::WorkUnit> Rollouts(int count) {
  std::vector<v1::WorkUnit> units(count);
  for (int i = 0; i < count; ++i) units[i].mutable_rollout()->mutable_question()->set_id(absl::StrCat("q", i));
  return units;
}

v1::SubmitRequest Result(const std::string& session, const v1::WorkUnit& unit, uint64_t policy = 1,
                         const std::string& text = "A") {
  v1::SubmitRequest request;
  request.set_session_id(session);
  request.mutable_lease()->set_unit_id(unit.unit_id());
  request.mutable_lease()->set_fencing_token(unit.fencing_token());
  request.mutable_rollout()->set_policy_version(policy);
  request.mutable_rollout()->add_answers()->set_text(text);
  return request;
}

v1::SubmitRequest Failure(const std::string& session, const v1::WorkUnit& unit) {
  v1::SubmitRequest request = Result(session, unit);
  request.mutable_failure()->set_message("no memory");
  return request;
}

v1::LeaseRef Ref(const v1::WorkUnit& unit) {
  v1::LeaseRef ref;
  ref.set_unit_id(unit.unit_id());
  ref.set_fencing_token(unit.fencing_token());
  return ref;
}

class LedgerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "/ledger_" + ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".db";
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + suffix);
    Reopen();
    ASSERT_TRUE(ledger_->CreateRun(NewRun()).ok());
  }

  void Reopen() {
    ledger_.reset();
    auto ledger = OpenSqliteLedger(path_, {.lease_ttl = absl::Seconds(30), .max_attempts = 3});
    ASSERT_TRUE(ledger.ok()) << ledger.status();
    ledger_ = *std::move(ledger);
  }

  std::string Register(const std::string& name) {
    v1::RegisterRequest request;
    request.set_worker_name(name);
    request.add_kinds(v1::WORK_KIND_ROLLOUT);
    return *ledger_->Register(request);
  }

  std::vector<v1::WorkUnit> Lease(const std::string& session, uint32_t count, absl::Time now = kStart) {
    return *ledger_->Lease(session, kRollouts, count, now);
  }

  std::string path_;
  std::unique_ptr<Ledger> ledger_;
};

TEST_F(LedgerTest, HandsEachPendingUnitToOneWorkerInOrder) {
  ASSERT_TRUE(ledger_->AddUnits("run", Rollouts(3)).ok());
  const std::string a = Register("a"), b = Register("b");
  const auto first = Lease(a, 2), second = Lease(b, 2);
  ASSERT_THAT(first, SizeIs(2));
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_EQ(first[0].unit_id(), "run/0");
  EXPECT_EQ(first[1].unit_id(), "run/1");
  EXPECT_EQ(second[0].unit_id(), "run/2");
  EXPECT_EQ(second[0].rollout().question().id(), "q2");
  EXPECT_EQ(first[0].attempt(), 1u);
  EXPECT_THAT(Lease(b, 2), IsEmpty());
}

TEST_F(LedgerTest, GivesTheUnitOfAKilledWorkerToAnotherAndRefusesTheFirstOnesLateResult) {
  ASSERT_TRUE(ledger_->AddUnits("run", Rollouts(1)).ok());
  const std::string killed = Register("killed"), other = Register("other");
  const v1::WorkUnit lost = Lease(killed, 1).at(0);
  EXPECT_EQ(*ledger_->ExpireLeases(kStart + absl::Seconds(29)), 0u);
  EXPECT_EQ(*ledger_->ExpireLeases(kStart + absl::Seconds(30)), 1u);
  const v1::WorkUnit again = Lease(other, 1, kStart + absl::Seconds(31)).at(0);
  EXPECT_EQ(again.unit_id(), lost.unit_id());
  EXPECT_GT(again.fencing_token(), lost.fencing_token());
  EXPECT_EQ(again.attempt(), 2u);
  EXPECT_EQ(*ledger_->Submit(Result(killed, lost), 0, kStart), v1::SUBMIT_OUTCOME_LEASE_LOST);
  EXPECT_EQ(*ledger_->Submit(Result(other, again), 0, kStart), v1::SUBMIT_OUTCOME_ACCEPTED);
  EXPECT_EQ(ledger_->Counts("run")->submitted(), 1u);
}

TEST_F(LedgerTest, TakesALateResultWhileNobodyElseHasTheUnit) {
  ASSERT_TRUE(ledger_->AddUnits("run", Rollouts(1)).ok());
  const std::string slow = Register("slow");
  const v1::WorkUnit unit = Lease(slow, 1).at(0);
  ASSERT_EQ(*ledger_->ExpireLeases(kStart + absl::Minutes(5)), 1u);
  EXPECT_EQ(*ledger_->Submit(Result(slow, unit), 0, kStart), v1::SUBMIT_OUTCOME_ACCEPTED);
}

TEST_F(LedgerTest, CountsARepeatedResultOnce) {
  ASSERT_TRUE(ledger_->AddUnits("run", Rollouts(1)).ok());
  const std::string a = Register("a");
  const v1::WorkUnit unit = Lease(a, 1).at(0);
  EXPECT_EQ(*ledger_->Submit(Result(a, unit), 0, kStart), v1::SUBMIT_OUTCOME_ACCEPTED);
  EXPECT_EQ(*ledger_->Submit(Result(a, unit), 0, kStart), v1::SUBMIT_OUTCOME_DUPLICATE);
  EXPECT_EQ(*ledger_->Submit(Result(a, unit, 1, "another"), 0, kStart), v1::SUBMIT_OUTCOME_LEASE_LOST);
  EXPECT_THAT(*ledger_->PeekSubmitted("run", v1::WORK_KIND_ROLLOUT, 10), SizeIs(1));
}

TEST_F(LedgerTest, KeepsARenewedLeaseAndReportsALostOne) {
  ASSERT_TRUE(ledger_->AddUnits("run", Rollouts(2)).ok());
  const std::string a = Register("a");
  const auto units = Lease(a, 2);
  EXPECT_THAT(*ledger_->Renew(a, {Ref(units[0])}, kStart + absl::Seconds(20)), IsEmpty());
  EXPECT_EQ(*ledger_->ExpireLeases(kStart + absl::Seconds(40)), 1u);
  const auto lost = *ledger_->Renew(a, {Ref(units[0]), Ref(units[1])}, kStart + absl::Seconds(41));
  ASSERT_THAT(lost, SizeIs(1));
  EXPECT_EQ(lost[0].unit_id(), units[1].unit_id());
}

TEST_F(LedgerTest, BuriesAUnitAfterTheLastAttempt) {
  ASSERT_TRUE(ledger_->AddUnits("run", Rollouts(1)).ok());
  const std::string a = Register("a");
  for (int attempt = 1; attempt <= 3; ++attempt) {
    const auto units = Lease(a, 1);
    ASSERT_THAT(units, SizeIs(1));
    EXPECT_EQ(*ledger_->Submit(Failure(a, units[0]), 0, kStart), v1::SUBMIT_OUTCOME_ACCEPTED);
  }
  EXPECT_THAT(Lease(a, 1), IsEmpty());
  EXPECT_EQ(ledger_->Counts("run")->dead(), 1u);
}

TEST_F(LedgerTest, BuriesAUnitThatKeepsKillingItsWorker) {
  ASSERT_TRUE(ledger_->AddUnits("run", Rollouts(1)).ok());
  for (int attempt = 1; attempt <= 3; ++attempt) ASSERT_THAT(Lease(Register("crashing"), 1), SizeIs(1));
  EXPECT_THAT(Lease(Register("crashing"), 1), IsEmpty());
  EXPECT_EQ(ledger_->Counts("run")->dead(), 1u);
}

TEST_F(LedgerTest, GivesReleasedUnitsBackWithoutCountingAnAttempt) {
  ASSERT_TRUE(ledger_->AddUnits("run", Rollouts(1)).ok());
  const std::string a = Register("a");
  const v1::WorkUnit unit = Lease(a, 1).at(0);
  ASSERT_TRUE(ledger_->Release(a, {Ref(unit)}).ok());
  EXPECT_EQ(Lease(a, 1).at(0).attempt(), 1u);
}

TEST_F(LedgerTest, ReplacesAnEarlierSessionOfTheSameWorker) {
  ASSERT_TRUE(ledger_->AddUnits("run", Rollouts(1)).ok());
  const std::string before = Register("a");
  const v1::WorkUnit unit = Lease(before, 1).at(0);
  const std::string after = Register("a");
  EXPECT_EQ(ledger_->Lease(before, kRollouts, 1, kStart).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(*ledger_->Submit(Result(before, unit), 0, kStart), v1::SUBMIT_OUTCOME_LEASE_LOST);
  EXPECT_THAT(Lease(after, 1), SizeIs(1));
}

TEST_F(LedgerTest, DropsAResultOfAPolicyThatIsTooOld) {
  ASSERT_TRUE(ledger_->AddUnits("run", Rollouts(1)).ok());
  const std::string a = Register("a");
  const v1::WorkUnit unit = Lease(a, 1).at(0);
  EXPECT_EQ(*ledger_->Submit(Result(a, unit, 3), 4, kStart), v1::SUBMIT_OUTCOME_STALE);
  EXPECT_EQ(ledger_->Counts("run")->dropped(), 1u);
  EXPECT_THAT(*ledger_->PeekSubmitted("run", v1::WORK_KIND_ROLLOUT, 10), IsEmpty());
}

TEST_F(LedgerTest, HandsOutNothingOfAPausedRun) {
  ASSERT_TRUE(ledger_->AddUnits("run", Rollouts(1)).ok());
  const std::string a = Register("a");
  ASSERT_TRUE(ledger_->SetRunState("run", v1::RUN_STATE_PAUSED).ok());
  EXPECT_THAT(Lease(a, 1), IsEmpty());
  ASSERT_TRUE(ledger_->SetRunState("run", v1::RUN_STATE_RUNNING).ok());
  EXPECT_THAT(Lease(a, 1), SizeIs(1));
}

TEST_F(LedgerTest, SwitchesARunFromTheStateThatIsNamedOnly) {
  EXPECT_EQ(ledger_->SwitchRunState("run", v1::RUN_STATE_PAUSED, v1::RUN_STATE_RUNNING).code(),
            absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(ledger_->SwitchRunState("run", v1::RUN_STATE_RUNNING, v1::RUN_STATE_PAUSED).ok());
  EXPECT_EQ(ledger_->GetRun("run")->state, v1::RUN_STATE_PAUSED);
  // A run that ended meanwhile stays ended.
  ASSERT_TRUE(ledger_->SetRunState("run", v1::RUN_STATE_FINISHED).ok());
  EXPECT_EQ(ledger_->SwitchRunState("run", v1::RUN_STATE_PAUSED, v1::RUN_STATE_RUNNING).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ledger_->GetRun("run")->state, v1::RUN_STATE_FINISHED);
  EXPECT_EQ(ledger_->SwitchRunState("none", v1::RUN_STATE_RUNNING, v1::RUN_STATE_PAUSED).code(),
            absl::StatusCode::kNotFound);
}

TEST_F(LedgerTest, RemembersEverythingAfterARestart) {
  ASSERT_TRUE(ledger_->AddUnits("run", Rollouts(4)).ok());
  const std::string a = Register("a");
  const auto units = Lease(a, 3);
  ASSERT_EQ(*ledger_->Submit(Result(a, units[0]), 0, kStart), v1::SUBMIT_OUTCOME_ACCEPTED);
  ASSERT_EQ(*ledger_->Submit(Result(a, units[1]), 0, kStart), v1::SUBMIT_OUTCOME_ACCEPTED);
  ASSERT_TRUE(ledger_->CommitStep("run", {units[0].unit_id()}, {}, 7, 8).ok());
  Reopen();
  EXPECT_EQ(ledger_->GetRun("run")->step, 7u);
  EXPECT_EQ(ledger_->GetRun("run")->policy_version, 8u);
  const auto counts = *ledger_->Counts("run");
  EXPECT_EQ(counts.created(), 4u);
  EXPECT_EQ(counts.pending(), 1u);
  EXPECT_EQ(counts.leased(), 1u);
  EXPECT_EQ(counts.submitted(), 2u);
  EXPECT_EQ(counts.trained(), 1u);
  EXPECT_EQ(*ledger_->Submit(Result(a, units[2]), 0, kStart), v1::SUBMIT_OUTCOME_ACCEPTED);
}

TEST_F(LedgerTest, TrainsNoUnitTwice) {
  ASSERT_TRUE(ledger_->AddUnits("run", Rollouts(1)).ok());
  const std::string a = Register("a");
  const v1::WorkUnit unit = Lease(a, 1).at(0);
  ASSERT_EQ(*ledger_->Submit(Result(a, unit), 0, kStart), v1::SUBMIT_OUTCOME_ACCEPTED);
  ASSERT_TRUE(ledger_->CommitStep("run", {unit.unit_id()}, {}, 1, 2).ok());
  EXPECT_EQ(ledger_->CommitStep("run", {unit.unit_id()}, {}, 2, 3).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ledger_->GetRun("run")->step, 1u) << "a refused step leaves nothing behind";
}

TEST_F(LedgerTest, NamesWhatIsWrong) {
  EXPECT_EQ(ledger_->CreateRun(NewRun()).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ledger_->GetRun("none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ledger_->AddUnits("none", Rollouts(1)).code(), absl::StatusCode::kNotFound);
  v1::RegisterRequest request;
  EXPECT_THAT(ledger_->Register(request).status().message(), HasSubstr("worker_name"));
  request.set_worker_name("a");
  EXPECT_THAT(ledger_->Register(request).status().message(), HasSubstr("kinds"));
  EXPECT_EQ(OpenSqliteLedger("/nowhere/ledger.db", {}).status().code(), absl::StatusCode::kNotFound);
}

// A model of the lease protocol in a few lines, against which the ledger is held over random histories.
TEST_F(LedgerTest, LosesAndCountsNothingTwiceOverRandomHistories) {
  for (unsigned seed = 0; seed < 8; ++seed) {
    std::mt19937 random(seed);
    const std::string run = absl::StrCat("random-", seed);
    ASSERT_TRUE(ledger_->CreateRun(NewRun(run)).ok());
    std::vector<std::string> sessions = {Register("a"), Register("b"), Register("c")};
    std::vector<std::pair<std::string, v1::WorkUnit>> leases;  // everything ever leased, with its session
    std::map<std::string, int> accepted;
    std::set<std::string> trained;
    absl::Time now = kStart;
    uint64_t step = 0;
    const auto pick = [&](size_t size) { return std::uniform_int_distribution<size_t>(0, size - 1)(random); };
    for (int event = 0; event < 120; ++event) {
      const size_t who = pick(3);
      switch (pick(8)) {
        case 0:
          ASSERT_TRUE(ledger_->AddUnits(run, Rollouts(2)).ok());
          break;
        case 1:
        case 2:
          for (const auto& unit : Lease(sessions[who], 2, now)) leases.emplace_back(sessions[who], unit);
          break;
        case 3:
        case 4:
          if (!leases.empty()) {
            const auto& [session, unit] = leases[pick(leases.size())];
            if (*ledger_->Submit(Result(session, unit, 1 + pick(3)), 1, now) == v1::SUBMIT_OUTCOME_ACCEPTED) {
              ++accepted[unit.unit_id()];
            }
          }
          break;
        case 5:
          now += absl::Seconds(10);
          ASSERT_TRUE(ledger_->ExpireLeases(now).ok());
          break;
        case 6:
          sessions[who] = Register(std::string(1, static_cast<char>('a' + who)));
          break;
        case 7: {
          std::vector<std::string> ids;
          const auto waiting = *ledger_->PeekSubmitted(run, v1::WORK_KIND_ROLLOUT, 3);
          for (const auto& unit : waiting) ids.push_back(unit.unit_id);
          ASSERT_TRUE(ledger_->CommitStep(run, ids, {}, step + 1, step + 1).ok());
          ++step;
          for (const auto& id : ids) EXPECT_TRUE(trained.insert(id).second) << id << " was trained twice";
          break;
        }
      }
      const auto counts = *ledger_->Counts(run);
      const uint64_t waiting = counts.submitted() - counts.trained() - counts.dropped();
      ASSERT_EQ(counts.created(),
                counts.pending() + counts.leased() + waiting + counts.trained() + counts.dropped() + counts.dead());
      ASSERT_EQ(counts.trained(), trained.size());
      ASSERT_EQ(counts.submitted(), accepted.size());
    }
    for (const auto& [unit, times] : accepted) EXPECT_EQ(times, 1) << unit;
    ASSERT_TRUE(ledger_->SetRunState(run, v1::RUN_STATE_FINISHED).ok());
  }
}

}  // namespace
}  // namespace auricle::server
