#include "server/training/coordinator.h"

#include <atomic>

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"

namespace auricle::server {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// A coordinator on a free port with a clock that the test turns.
class CoordinatorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const LedgerLimits limits{.lease_ttl = absl::Seconds(30), .max_attempts = 3};
    ledger_ = *OpenSqliteLedger(":memory:", limits);
    v1::StartRunRequest run;
    run.set_run_id("run");
    ASSERT_TRUE(ledger_->CreateRun(run).ok());
    CoordinatorOptions options;
    options.limits = limits;
    options.sweep_interval = absl::Milliseconds(5);
    options.clock = [this] { return absl::FromUnixSeconds(seconds_.load()); };
    coordinator_ = std::make_unique<Coordinator>(
        ledger_.get(), options, [](const std::string&) { return uint64_t{2}; },
        [this](const std::string&) { ++submitted_; });
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(coordinator_.get());
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    stub_ = v1::WorkCoordinator::NewStub(
        grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()));
  }

  void TearDown() override {
    coordinator_->Stop();
    server_->Shutdown();
  }

  std::string Register(const std::string& name) {
    grpc::ClientContext context;
    v1::RegisterRequest request;
    v1::RegisterResponse response;
    request.set_worker_name(name);
    request.add_kinds(v1::WORK_KIND_ROLLOUT);
    EXPECT_TRUE(stub_->Register(&context, request, &response).ok());
    EXPECT_EQ(response.lease_ttl_seconds(), 30);
    return response.session_id();
  }

  grpc::Status Lease(const std::string& session, double wait_seconds, v1::LeaseResponse* response,
                     uint32_t max_units = 1) {
    grpc::ClientContext context;
    v1::LeaseRequest request;
    request.set_session_id(session);
    request.add_kinds(v1::WORK_KIND_ROLLOUT);
    request.set_max_units(max_units);
    request.set_wait_seconds(wait_seconds);
    return stub_->Lease(&context, request, response);
  }

  void AddUnits(int count) {
    std::vector<v1::WorkUnit> units(count);
    for (auto& unit : units) unit.mutable_rollout()->set_group_size(1);
    ASSERT_TRUE(ledger_->AddUnits("run", units).ok());
    coordinator_->Wake();
  }

  std::vector<v1::SubmitAck> Submit(const std::string& session, const std::vector<v1::WorkUnit>& units,
                                    uint64_t policy = 2) {
    grpc::ClientContext context;
    auto stream = stub_->Submit(&context);
    std::vector<v1::SubmitAck> acks;
    for (const auto& unit : units) {
      v1::SubmitRequest request;
      request.set_session_id(session);
      request.mutable_lease()->set_unit_id(unit.unit_id());
      request.mutable_lease()->set_fencing_token(unit.fencing_token());
      request.mutable_rollout()->set_policy_version(policy);
      stream->Write(request);
      v1::SubmitAck ack;
      if (stream->Read(&ack)) acks.push_back(ack);
    }
    stream->WritesDone();
    EXPECT_TRUE(stream->Finish().ok());
    return acks;
  }

  std::atomic<int64_t> seconds_{1000};
  std::atomic<int> submitted_{0};
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::WorkCoordinator::Stub> stub_;
};

TEST_F(CoordinatorTest, AnswersAWaitingPollAsSoonAsThereIsWork) {
  const std::string session = Register("a");
  v1::LeaseResponse response;
  std::thread worker([&] { EXPECT_TRUE(Lease(session, 60, &response).ok()); });
  AddUnits(1);  // the clock stands still: only the new unit can end the wait
  worker.join();
  ASSERT_THAT(response.units(), SizeIs(1));
  EXPECT_EQ(response.units(0).unit_id(), "run/0");
}

TEST_F(CoordinatorTest, AnswersAPollWithoutWorkWhenItsTimeIsOver) {
  const std::string session = Register("a");
  v1::LeaseResponse response;
  std::atomic<bool> answered{false};
  std::thread worker([&] {
    EXPECT_TRUE(Lease(session, 10, &response).ok());
    answered = true;
  });
  // Turned until the answer comes: the poll may begin after any single turn.
  while (!answered) {
    seconds_ += 11;
    std::this_thread::yield();
  }
  worker.join();
  EXPECT_THAT(response.units(), SizeIs(0));
}

TEST_F(CoordinatorTest, GivesAKilledWorkersUnitToAWaitingOne) {
  AddUnits(1);
  const std::string killed = Register("killed"), other = Register("other");
  v1::LeaseResponse lost, again;
  ASSERT_TRUE(Lease(killed, 0, &lost).ok());
  ASSERT_THAT(lost.units(), SizeIs(1));
  std::thread worker([&] { EXPECT_TRUE(Lease(other, 60, &again).ok()); });
  seconds_ += 31;
  worker.join();
  ASSERT_THAT(again.units(), SizeIs(1));
  EXPECT_EQ(again.units(0).unit_id(), lost.units(0).unit_id());
  EXPECT_EQ(coordinator_->lease_losses(), 1u);
  const auto late = Submit(killed, {lost.units(0)});
  ASSERT_THAT(late, SizeIs(1));
  EXPECT_EQ(late[0].outcome(), v1::SUBMIT_OUTCOME_LEASE_LOST);
  EXPECT_EQ(Submit(other, {again.units(0)}).at(0).outcome(), v1::SUBMIT_OUTCOME_ACCEPTED);
  EXPECT_EQ(submitted_, 1);
}

TEST_F(CoordinatorTest, AcksEachResultInOrder) {
  AddUnits(3);
  const std::string session = Register("a");
  v1::LeaseResponse response;
  ASSERT_TRUE(Lease(session, 0, &response, 3).ok());
  const std::vector<v1::WorkUnit> units(response.units().begin(), response.units().end());
  const auto acks = Submit(session, {units[2], units[0], units[0], units[1]});
  ASSERT_THAT(acks, SizeIs(4));
  EXPECT_EQ(acks[0].lease().unit_id(), "run/2");
  EXPECT_EQ(acks[1].outcome(), v1::SUBMIT_OUTCOME_ACCEPTED);
  EXPECT_EQ(acks[2].outcome(), v1::SUBMIT_OUTCOME_DUPLICATE);
  EXPECT_EQ(acks[3].outcome(), v1::SUBMIT_OUTCOME_ACCEPTED);
}

TEST_F(CoordinatorTest, DropsRolloutsOfAPolicyThatIsTooOld) {
  AddUnits(1);
  const std::string session = Register("a");
  v1::LeaseResponse response;
  ASSERT_TRUE(Lease(session, 0, &response).ok());
  EXPECT_EQ(Submit(session, {response.units(0)}, 1).at(0).outcome(), v1::SUBMIT_OUTCOME_STALE);
}

std::string ReasonOf(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  for (const auto& any : details.details()) {
    google::rpc::ErrorInfo info;
    if (any.UnpackTo(&info)) return info.reason();
  }
  return "";
}

TEST_F(CoordinatorTest, LeasesNothingOnceItIsStopped) {
  AddUnits(1);
  const std::string session = Register("a");
  coordinator_->Stop();
  for (const double wait_seconds : {0.0, 60.0}) {
    v1::LeaseResponse response;
    const grpc::Status status = Lease(session, wait_seconds, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(ReasonOf(status), "DRAINING");
    EXPECT_THAT(response.units(), SizeIs(0));
  }
}

TEST_F(CoordinatorTest, StoppingEndsThePollsThatWait) {
  const std::string session = Register("a");
  v1::LeaseResponse response;
  grpc::Status status;
  std::thread worker([&] { status = Lease(session, 60, &response); });
  coordinator_->Stop();  // before or after the poll has begun: the clock stands still, only this can end it
  worker.join();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(status), "DRAINING");
}

TEST_F(CoordinatorTest, WhatIsLeasedCanBeSubmittedAfterTheStop) {
  AddUnits(1);
  const std::string session = Register("a");
  v1::LeaseResponse response;
  ASSERT_TRUE(Lease(session, 0, &response).ok());
  ASSERT_THAT(response.units(), SizeIs(1));
  coordinator_->Stop();
  EXPECT_EQ(Submit(session, {response.units(0)}).at(0).outcome(), v1::SUBMIT_OUTCOME_ACCEPTED);
}

TEST_F(CoordinatorTest, NamesTheFieldOfABadRequest) {
  const std::string session = Register("a");
  v1::LeaseResponse response;
  const grpc::Status status = Lease(session, 61, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  bool named = false;
  for (const auto& any : details.details()) {
    google::rpc::BadRequest bad;
    if (any.UnpackTo(&bad)) {
      EXPECT_EQ(bad.field_violations(0).field(), "wait_seconds");
      EXPECT_THAT(bad.field_violations(0).description(), HasSubstr("[0, 60]"));
      named = true;
    }
  }
  EXPECT_TRUE(named);
  EXPECT_EQ(Lease("nobody", 0, &response).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Lease(session, 0, &response, 65).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace auricle::server
