// A worker against a coordinator that says what it is told to: no result is thrown away while it may still count, and
// no lease outlives the work on it.
#include "client/cpp/worker_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "client/cpp/work_session.h"

namespace auricle::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// No waiting to speak of; the limit is one that no test reaches.
Patience Quick() { return {absl::Milliseconds(1), absl::Milliseconds(1), absl::Hours(1)}; }

v1::WorkUnit Unit(const std::string& id) {
  v1::WorkUnit unit;
  unit.set_unit_id(id);
  unit.set_fencing_token(7);
  return unit;
}

v1::SubmitRequest Result() {
  v1::SubmitRequest result;
  result.mutable_simulation()->add_scenes()->mutable_truth()->set_id("scene");
  return result;
}

// What becomes of one submission: a broken call, or an ack.
struct Reply {
  grpc::Status status;
  v1::SubmitOutcome outcome = v1::SUBMIT_OUTCOME_ACCEPTED;
  std::string message;
};

Reply Breaks(grpc::StatusCode code, const std::string& message) {
  Reply reply;
  reply.status = grpc::Status(code, message);
  return reply;
}

Reply Acks(v1::SubmitOutcome outcome, const std::string& message) {
  Reply reply;
  reply.outcome = outcome;
  reply.message = message;
  return reply;
}

// Hands out its units one by one. Calls of Lease and submissions take their answer from a list as long as it has any.
// Leases last so long that no renewal comes between.
class FakeCoordinator final : public v1::WorkCoordinator::Service {
 public:
  FakeCoordinator() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~FakeCoordinator() override { server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(2)); }

  std::shared_ptr<grpc::Channel> Channel() const {
    return grpc::CreateChannel("127.0.0.1:" + std::to_string(port_), grpc::InsecureChannelCredentials());
  }
  void AddUnit(const std::string& id) {
    const std::lock_guard lock(mutex_);
    units_.push_back(Unit(id));
  }
  void FailLease(grpc::StatusCode code) {
    const std::lock_guard lock(mutex_);
    lease_errors_.push_back(code);
  }
  void StayAway() {
    const std::lock_guard lock(mutex_);
    away_ = true;
  }
  void Answer(Reply reply) {
    const std::lock_guard lock(mutex_);
    replies_.push_back(std::move(reply));
  }
  // The calls in order: "register", "lease", "submit UNIT", "release UNIT".
  std::vector<std::string> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  std::vector<v1::SubmitRequest> submitted() const {
    const std::lock_guard lock(mutex_);
    return submitted_;
  }

  grpc::Status Register(grpc::ServerContext*, const v1::RegisterRequest*, v1::RegisterResponse* response) override {
    const std::lock_guard lock(mutex_);
    calls_.push_back("register");
    response->set_session_id("session");
    response->set_lease_ttl_seconds(3600);
    return grpc::Status::OK;
  }

  grpc::Status Lease(grpc::ServerContext*, const v1::LeaseRequest*, v1::LeaseResponse* response) override {
    const std::lock_guard lock(mutex_);
    calls_.push_back("lease");
    if (away_) return {grpc::StatusCode::UNAVAILABLE, "away"};
    if (!lease_errors_.empty()) {
      const grpc::StatusCode code = lease_errors_.front();
      lease_errors_.pop_front();
      return {code, "as told"};
    }
    if (!units_.empty()) {
      *response->add_units() = units_.front();
      units_.pop_front();
    }
    return grpc::Status::OK;
  }

  grpc::Status Submit(grpc::ServerContext*,
                      grpc::ServerReaderWriter<v1::SubmitAck, v1::SubmitRequest>* stream) override {
    v1::SubmitRequest request;
    while (stream->Read(&request)) {
      Reply reply;
      {
        const std::lock_guard lock(mutex_);
        calls_.push_back("submit " + request.lease().unit_id());
        submitted_.push_back(request);
        if (!replies_.empty()) {
          reply = replies_.front();
          replies_.pop_front();
        }
      }
      if (!reply.status.ok()) return reply.status;
      v1::SubmitAck ack;
      *ack.mutable_lease() = request.lease();
      ack.set_outcome(reply.outcome);
      ack.set_message(reply.message);
      stream->Write(ack);
    }
    return grpc::Status::OK;
  }

  grpc::Status Release(grpc::ServerContext*, const v1::ReleaseRequest* request, v1::ReleaseResponse*) override {
    const std::lock_guard lock(mutex_);
    for (const v1::LeaseRef& lease : request->leases()) calls_.push_back("release " + lease.unit_id());
    return grpc::Status::OK;
  }

 private:
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  mutable std::mutex mutex_;  // guards what follows
  std::deque<v1::WorkUnit> units_;
  std::deque<grpc::StatusCode> lease_errors_;
  std::deque<Reply> replies_;
  bool away_ = false;
  std::vector<std::string> calls_;
  std::vector<v1::SubmitRequest> submitted_;
};

// A session that holds "run/1".
class WorkSessionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    coordinator_.AddUnit("run/1");
    v1::RegisterRequest registration;
    registration.set_worker_name("worker");
    registration.add_kinds(v1::WORK_KIND_SIMULATION);
    auto session = WorkSession::Open(coordinator_.Channel(), registration, Quick());
    ASSERT_TRUE(session.ok()) << session.status();
    session_ = *std::move(session);
    const auto units = session_->Lease(0);
    ASSERT_TRUE(units.ok()) << units.status();
    ASSERT_EQ(units->size(), 1u);
  }

  FakeCoordinator coordinator_;
  std::unique_ptr<WorkSession> session_;
  const v1::WorkUnit unit_ = Unit("run/1");
  const std::function<bool()> never_ = [] { return false; };
};

TEST_F(WorkSessionTest, SendsAResultAgainUntilTheCoordinatorHasTakenIt) {
  coordinator_.Answer(Acks(v1::SUBMIT_OUTCOME_UNSPECIFIED, "the disk is full"));
  coordinator_.Answer(Breaks(grpc::StatusCode::UNAVAILABLE, "going down"));
  coordinator_.Answer(Breaks(grpc::StatusCode::DEADLINE_EXCEEDED, "slow"));
  const auto ack = session_->Submit(unit_, Result(), never_);
  ASSERT_TRUE(ack.ok()) << ack.status();
  EXPECT_EQ(ack->outcome(), v1::SUBMIT_OUTCOME_ACCEPTED);
  const std::vector<v1::SubmitRequest> submitted = coordinator_.submitted();
  ASSERT_EQ(submitted.size(), 4u);
  for (const v1::SubmitRequest& request : submitted) {
    EXPECT_EQ(request.SerializeAsString(), submitted[0].SerializeAsString());
    EXPECT_EQ(request.simulation().scenes_size(), 1);
  }
  EXPECT_FALSE(session_->StillHeld(unit_));
}

TEST_F(WorkSessionTest, DoesNotKeepTheLeaseOfAResultThatIsRefused) {
  coordinator_.Answer(Breaks(grpc::StatusCode::RESOURCE_EXHAUSTED, "message larger than max"));
  EXPECT_TRUE(session_->StillHeld(unit_));
  EXPECT_EQ(session_->Submit(unit_, Result(), never_).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(session_->StillHeld(unit_));
  EXPECT_EQ(coordinator_.submitted().size(), 1u);
}

TEST_F(WorkSessionTest, StopsSendingWhenTheWorkerStops) {
  for (int i = 0; i < 3; ++i) coordinator_.Answer(Acks(v1::SUBMIT_OUTCOME_UNSPECIFIED, ""));
  const auto ack = session_->Submit(unit_, Result(), [this] { return coordinator_.submitted().size() == 2; });
  ASSERT_TRUE(ack.ok()) << ack.status();
  EXPECT_EQ(ack->outcome(), v1::SUBMIT_OUTCOME_UNSPECIFIED);
  EXPECT_EQ(coordinator_.submitted().size(), 2u);
  EXPECT_FALSE(session_->StillHeld(unit_));
}

TEST_F(WorkSessionTest, GivesAUnitBackOnce) {
  session_->Release(unit_);
  session_->Release(unit_);
  EXPECT_FALSE(session_->StillHeld(unit_));
  session_ = nullptr;
  EXPECT_THAT(coordinator_.calls(), ElementsAre("register", "lease", "release run/1"));
}

TEST_F(WorkSessionTest, GivesBackWhatItHoldsAtItsEnd) {
  session_ = nullptr;
  EXPECT_THAT(coordinator_.calls(), ElementsAre("register", "lease", "release run/1"));
}

class RunWorkerTest : public ::testing::Test {
 protected:
  absl::Status Work(const DoUnit& do_unit, const Patience& patience = Quick()) {
    return RunWorker(coordinator_.Channel(), v1::WORK_KIND_SIMULATION, "worker", stopping_, do_unit, patience);
  }
  // Does every unit, and stops with the one named.
  DoUnit DoUntil(const std::string& last) {
    return [this, last](const v1::WorkUnit& unit, const std::function<bool()>&) -> absl::StatusOr<v1::SubmitRequest> {
      if (unit.unit_id() == last) stopping_ = true;
      return Result();
    };
  }

  FakeCoordinator coordinator_;
  std::atomic<bool> stopping_ = false;
};

TEST_F(RunWorkerTest, WaitsForACoordinatorThatIsAwayAndRegistersAgain) {
  coordinator_.FailLease(grpc::StatusCode::UNAVAILABLE);
  coordinator_.FailLease(grpc::StatusCode::DEADLINE_EXCEEDED);
  coordinator_.AddUnit("run/1");
  const absl::Status status = Work(DoUntil("run/1"));
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(coordinator_.calls(),
              ElementsAre("register", "lease", "register", "lease", "register", "lease", "submit run/1"));
}

TEST_F(RunWorkerTest, GivesUpOnACoordinatorThatStaysAway) {
  coordinator_.StayAway();
  const Patience short_patience = {absl::Milliseconds(1), absl::Milliseconds(1), absl::Milliseconds(20)};
  EXPECT_EQ(Work(DoUntil("run/1"), short_patience).code(), absl::StatusCode::kUnavailable);
}

TEST_F(RunWorkerTest, DoesNotWaitWhereWaitingDoesNotHelp) {
  coordinator_.FailLease(grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Work(DoUntil("run/1")).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(coordinator_.calls(), ElementsAre("register", "lease"));
}

TEST_F(RunWorkerTest, GivesACancelledUnitBackAtOnce) {
  coordinator_.AddUnit("run/1");
  coordinator_.AddUnit("run/2");
  const absl::Status status =
      Work([this](const v1::WorkUnit& unit, const std::function<bool()>&) -> absl::StatusOr<v1::SubmitRequest> {
        if (unit.unit_id() == "run/1") return absl::CancelledError("not this one");
        stopping_ = true;
        return Result();
      });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(coordinator_.calls(), ElementsAre("register", "lease", "release run/1", "lease", "submit run/2"));
}

TEST_F(RunWorkerTest, GoesOnAfterAResultThatCannotBeSubmittedAndLetsItsLeaseRunOut) {
  coordinator_.AddUnit("run/1");
  coordinator_.AddUnit("run/2");
  coordinator_.Answer(Breaks(grpc::StatusCode::RESOURCE_EXHAUSTED, "message larger than max"));
  const absl::Status status = Work(DoUntil("run/2"));
  EXPECT_TRUE(status.ok()) << status;
  // Not given back: the same worker would get it again, attempt uncounted, for ever.
  EXPECT_THAT(coordinator_.calls(), ElementsAre("register", "lease", "submit run/1", "lease", "submit run/2"));
}

TEST_F(RunWorkerTest, SaysThatAResultDoesNotCount) {
  coordinator_.AddUnit("run/1");
  coordinator_.Answer(Acks(v1::SUBMIT_OUTCOME_INVALID, "result: does not fit the unit's task"));
  ::testing::internal::CaptureStderr();
  const absl::Status status = Work(DoUntil("run/1"));
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(said, HasSubstr("unit run/1: SUBMIT_OUTCOME_INVALID: result: does not fit the unit's task\n"));
}

}  // namespace
}  // namespace auricle::client
