#include "server/training/coordinator.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/runtime/error_details.h"
#include "server/runtime/grpc_order.h"

namespace auricle::server {
namespace {

constexpr uint32_t kMaxUnitsPerLease = 64;
constexpr double kMaxWaitSeconds = 60;

template <typename Repeated>
auto ToVector(const Repeated& repeated) {
  return std::vector<typename Repeated::value_type>(repeated.begin(), repeated.end());
}

grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context, const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

absl::Status CheckLeaseRequest(const v1::LeaseRequest& request) {
  if (request.kinds().empty()) {
    return InvalidField("KINDS_EMPTY", "kinds", "must name at least one kind of work");
  }
  if (request.max_units() < 1 || request.max_units() > kMaxUnitsPerLease) {
    return InvalidField("MAX_UNITS_OUT_OF_RANGE", "max_units",
                        absl::StrCat("is ", request.max_units(), ", must be in [1, ", kMaxUnitsPerLease, "]"));
  }
  if (!(request.wait_seconds() >= 0 && request.wait_seconds() <= kMaxWaitSeconds)) {
    return InvalidField("WAIT_OUT_OF_RANGE", "wait_seconds",
                        absl::StrCat("is ", request.wait_seconds(), ", must be in [0, ", kMaxWaitSeconds, "]"));
  }
  return absl::OkStatus();
}

std::vector<v1::WorkKind> Kinds(const v1::LeaseRequest& request) {
  std::vector<v1::WorkKind> kinds;
  for (const int kind : request.kinds()) kinds.push_back(static_cast<v1::WorkKind>(kind));
  return kinds;
}

}  // namespace

// One worker's results: reads one, puts it into the ledger, acks it, reads the next. One read or one write is in flight
// at any time, so the stream needs no queue and no lock. It finishes when the client has no more, or a write fails.
class Coordinator::SubmitStream final : public grpc::ServerBidiReactor<v1::SubmitRequest, v1::SubmitAck> {
 public:
  explicit SubmitStream(Coordinator* coordinator) : coordinator_(coordinator) { Read(); }

  void OnReadDone(bool ok) override {
    TakeFromGrpc(this);
    if (!ok) {
      End(grpc::Status::OK);
      return;
    }
    ack_ = coordinator_->Take(request_);
    HandToGrpc(this);
    StartWrite(&ack_);
  }

  void OnWriteDone(bool ok) override {
    TakeFromGrpc(this);
    if (!ok) {
      End(grpc::Status(grpc::StatusCode::CANCELLED, "the worker went away"));
      return;
    }
    Read();
  }

  void OnDone() override {
    TakeFromGrpc(this);
    delete this;
  }

 private:
  void Read() {
    HandToGrpc(this);
    StartRead(&request_);
  }
  void End(const grpc::Status& status) {
    HandToGrpc(this);
    Finish(status);
  }

  Coordinator* const coordinator_;
  v1::SubmitRequest request_;
  v1::SubmitAck ack_;
};

Coordinator::Coordinator(Ledger* ledger, CoordinatorOptions options, OldestPolicy oldest_policy,
                         OnSubmitted on_submitted)
    : ledger_(ledger),
      options_(std::move(options)),
      oldest_policy_(std::move(oldest_policy)),
      on_submitted_(std::move(on_submitted)),
      sweeper_([this] { Sweep(); }) {}

Coordinator::~Coordinator() { Stop(); }

void Coordinator::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  if (sweeper_.joinable()) sweeper_.join();
}

void Coordinator::Wake() {
  absl::MutexLock lock(&mu_);
  woken_ = true;
}

uint64_t Coordinator::lease_losses() const {
  absl::MutexLock lock(&mu_);
  return lease_losses_;
}

bool Coordinator::stopping() const {
  absl::MutexLock lock(&mu_);
  return stopping_;
}

bool Coordinator::TryAnswer(const Poll& poll, bool last_chance) {
  if (poll.context->IsCancelled()) {
    // The worker is gone: leasing to it would only make the unit wait for its time to live.
    poll.reactor->Finish(grpc::Status::CANCELLED);
    return true;
  }
  absl::StatusOr<std::vector<v1::WorkUnit>> units =
      ledger_->Lease(poll.request->session_id(), Kinds(*poll.request), poll.request->max_units(), options_.clock());
  if (!units.ok()) {
    poll.reactor->Finish(ToGrpcStatus(units.status()));
    return true;
  }
  if (units->empty() && !last_chance) return false;
  for (v1::WorkUnit& unit : *units) *poll.response->add_units() = std::move(unit);
  poll.reactor->Finish(grpc::Status::OK);
  return true;
}

// The sweeper's thread: expires leases and serves waiting polls, at every wake-up and at least once an interval.
void Coordinator::Sweep() {
  while (true) {
    std::list<Poll> polls;
    bool stopping = false;
    {
      absl::MutexLock lock(&mu_);
      const auto due = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return woken_ || stopping_; };
      mu_.AwaitWithTimeout(absl::Condition(&due), options_.sweep_interval);
      woken_ = false;
      stopping = stopping_;
      polls.swap(polls_);
    }
    const absl::Time now = options_.clock();
    if (const absl::StatusOr<uint64_t> expired = ledger_->ExpireLeases(now); expired.ok()) {
      absl::MutexLock lock(&mu_);
      lease_losses_ += *expired;
    }
    if (stopping) {
      for (const Poll& poll : polls) poll.reactor->Finish(ToGrpcStatus(Draining()));
      polls.clear();
    }
    polls.remove_if([&](const Poll& poll) { return TryAnswer(poll, now >= poll.until); });
    absl::MutexLock lock(&mu_);
    polls_.splice(polls_.begin(), polls);
    if (stopping && polls_.empty()) return;
  }
}

grpc::ServerUnaryReactor* Coordinator::Register(grpc::CallbackServerContext* context,
                                                const v1::RegisterRequest* request, v1::RegisterResponse* response) {
  absl::StatusOr<std::string> session = ledger_->Register(*request);
  if (session.ok()) {
    response->set_session_id(*std::move(session));
    response->set_lease_ttl_seconds(absl::ToDoubleSeconds(options_.limits.lease_ttl));
    Wake();  // what the worker's earlier session held is free again
  }
  return Finish(context, session.status());
}

grpc::ServerUnaryReactor* Coordinator::Lease(grpc::CallbackServerContext* context, const v1::LeaseRequest* request,
                                             v1::LeaseResponse* response) {
  if (stopping()) return Finish(context, Draining());
  if (absl::Status status = CheckLeaseRequest(*request); !status.ok()) return Finish(context, status);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const Poll poll{context, reactor, request, response, options_.clock() + absl::Seconds(request->wait_seconds())};
  if (TryAnswer(poll, request->wait_seconds() <= 0)) return reactor;
  absl::MutexLock lock(&mu_);
  if (stopping_) {
    reactor->Finish(ToGrpcStatus(Draining()));
  } else {
    polls_.push_back(poll);
  }
  return reactor;
}

grpc::ServerUnaryReactor* Coordinator::Renew(grpc::CallbackServerContext* context, const v1::RenewRequest* request,
                                             v1::RenewResponse* response) {
  absl::StatusOr<std::vector<v1::LeaseRef>> lost =
      ledger_->Renew(request->session_id(), ToVector(request->leases()), options_.clock());
  if (lost.ok()) response->mutable_lost()->Add(lost->begin(), lost->end());
  return Finish(context, lost.status());
}

grpc::ServerBidiReactor<v1::SubmitRequest, v1::SubmitAck>* Coordinator::Submit(grpc::CallbackServerContext*) {
  return new SubmitStream(this);
}

v1::SubmitAck Coordinator::Take(const v1::SubmitRequest& request) {
  v1::SubmitAck ack;
  *ack.mutable_lease() = request.lease();
  const std::string& unit_id = request.lease().unit_id();
  const std::string run_id = unit_id.substr(0, unit_id.rfind('/'));
  const absl::StatusOr<v1::SubmitOutcome> outcome = ledger_->Submit(request, oldest_policy_(run_id), options_.clock());
  if (!outcome.ok()) {
    // The store failed, not the worker: no verdict, so that the worker sends it again.
    ack.set_outcome(v1::SUBMIT_OUTCOME_UNSPECIFIED);
    ack.set_message(std::string(outcome.status().message()));
    return ack;
  }
  ack.set_outcome(*outcome);
  if (*outcome == v1::SUBMIT_OUTCOME_INVALID) ack.set_message("result: does not fit the unit's task");
  if (*outcome == v1::SUBMIT_OUTCOME_ACCEPTED) on_submitted_(run_id);
  Wake();
  return ack;
}

grpc::ServerUnaryReactor* Coordinator::Release(grpc::CallbackServerContext* context, const v1::ReleaseRequest* request,
                                               v1::ReleaseResponse*) {
  const absl::Status status = ledger_->Release(request->session_id(), ToVector(request->leases()));
  if (status.ok()) Wake();
  return Finish(context, status);
}

}  // namespace auricle::server
