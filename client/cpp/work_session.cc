#include "client/cpp/work_session.h"

#include <chrono>
#include <utility>

#include "client/cpp/status_details.h"

namespace auricle::client {
namespace {

constexpr std::chrono::seconds kCallTimeout{30};
// The slowest link that a result must still get through, bytes a second: a large one has more time.
constexpr double kSlowLink = 128 * 1024;

void SetDeadline(grpc::ClientContext& context, double extra_seconds = 0) {
  context.set_deadline(std::chrono::system_clock::now() + kCallTimeout +
                       std::chrono::milliseconds(static_cast<int64_t>(extra_seconds * 1000)));
}

v1::LeaseRef Ref(const v1::WorkUnit& unit) {
  v1::LeaseRef ref;
  ref.set_unit_id(unit.unit_id());
  ref.set_fencing_token(unit.fencing_token());
  return ref;
}

// The result may still count: it did not arrive, or the coordinator could not store it.
bool WorthSendingAgain(const absl::StatusOr<v1::SubmitAck>& ack) {
  if (ack.ok()) return ack->outcome() == v1::SUBMIT_OUTCOME_UNSPECIFIED;
  return absl::IsUnavailable(ack.status()) || absl::IsDeadlineExceeded(ack.status());
}

}  // namespace

absl::Status ToStatus(const grpc::Status& status) {
  return StatusFromWire(status.error_code(), status.error_message(), status.error_details());
}

absl::StatusOr<std::unique_ptr<WorkSession>> WorkSession::Open(std::shared_ptr<grpc::Channel> channel,
                                                               const v1::RegisterRequest& registration,
                                                               const Patience& patience) {
  std::unique_ptr<WorkSession> session(new WorkSession(std::move(channel), registration, patience));
  if (absl::Status status = session->Register(); !status.ok()) return status;
  session->renewer_ = std::thread([session = session.get()] { session->RenewUntilStopped(); });
  return session;
}

WorkSession::WorkSession(std::shared_ptr<grpc::Channel> channel, v1::RegisterRequest registration,
                         const Patience& patience)
    : stub_(v1::WorkCoordinator::NewStub(std::move(channel))),
      registration_(std::move(registration)),
      patience_(patience) {}

WorkSession::~WorkSession() {
  v1::ReleaseRequest request;
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
    request.set_session_id(session_id_);
    for (const auto& [id, ref] : held_) *request.add_leases() = ref;
  }
  if (renewer_.joinable()) renewer_.join();
  if (!request.leases().empty()) SendRelease(request);
}

absl::Status WorkSession::Register() {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::RegisterResponse response;
  const grpc::Status status = stub_->Register(&context, registration_, &response);
  if (!status.ok()) return ToStatus(status);
  absl::MutexLock lock(&mu_);
  session_id_ = response.session_id();
  ttl_seconds_ = response.lease_ttl_seconds();
  held_.clear();
  return absl::OkStatus();
}

std::string WorkSession::SessionId() const {
  absl::MutexLock lock(&mu_);
  return session_id_;
}

absl::StatusOr<std::vector<v1::WorkUnit>> WorkSession::Lease(double wait_seconds) {
  for (bool first = true;; first = false) {
    grpc::ClientContext context;
    SetDeadline(context, wait_seconds);
    v1::LeaseRequest request;
    v1::LeaseResponse response;
    request.set_session_id(SessionId());
    *request.mutable_kinds() = registration_.kinds();
    request.set_max_units(1);
    request.set_wait_seconds(wait_seconds);
    const grpc::Status status = stub_->Lease(&context, request, &response);
    if (status.error_code() == grpc::StatusCode::NOT_FOUND && first) {
      if (absl::Status registered = Register(); !registered.ok()) return registered;
      continue;
    }
    if (!status.ok()) return ToStatus(status);
    absl::MutexLock lock(&mu_);
    for (const v1::WorkUnit& unit : response.units()) held_[unit.unit_id()] = Ref(unit);
    return std::vector<v1::WorkUnit>(response.units().begin(), response.units().end());
  }
}

bool WorkSession::StillHeld(const v1::WorkUnit& unit) const {
  absl::MutexLock lock(&mu_);
  const auto held = held_.find(unit.unit_id());
  return held != held_.end() && held->second.fencing_token() == unit.fencing_token();
}

bool WorkSession::Forget(const v1::WorkUnit& unit) {
  absl::MutexLock lock(&mu_);
  const auto held = held_.find(unit.unit_id());
  if (held == held_.end() || held->second.fencing_token() != unit.fencing_token()) return false;
  held_.erase(held);
  return true;
}

void WorkSession::Release(const v1::WorkUnit& unit) {
  if (!Forget(unit)) return;
  v1::ReleaseRequest request;
  request.set_session_id(SessionId());
  *request.add_leases() = Ref(unit);
  SendRelease(request);
}

void WorkSession::SendRelease(const v1::ReleaseRequest& request) {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::ReleaseResponse response;
  stub_->Release(&context, request, &response);  // if it fails, the leases run out by themselves
}

absl::StatusOr<v1::SubmitAck> WorkSession::Submit(const v1::WorkUnit& unit, v1::SubmitRequest result,
                                                  const std::function<bool()>& stopping) {
  result.set_session_id(SessionId());
  *result.mutable_lease() = Ref(unit);
  const auto give_up = [&] { return stopping() || !StillHeld(unit); };
  Backoff backoff(patience_);
  absl::StatusOr<v1::SubmitAck> ack = SubmitOnce(result);
  while (WorthSendingAgain(ack) && backoff.Pause(give_up)) ack = SubmitOnce(result);
  Forget(unit);
  return ack;
}

absl::StatusOr<v1::SubmitAck> WorkSession::SubmitOnce(const v1::SubmitRequest& result) {
  grpc::ClientContext context;
  SetDeadline(context, static_cast<double>(result.ByteSizeLong()) / kSlowLink);
  const auto stream = stub_->Submit(&context);
  v1::SubmitAck ack;
  const bool acked = stream->Write(result) && stream->WritesDone() && stream->Read(&ack);
  const grpc::Status status = stream->Finish();
  if (acked) return ack;  // it stands, however the stream ended after it
  if (!status.ok()) return ToStatus(status);
  return absl::UnavailableError("the coordinator did not ack the result");
}

void WorkSession::RenewUntilStopped() {
  while (true) {
    v1::RenewRequest request;
    {
      absl::MutexLock lock(&mu_);
      mu_.AwaitWithTimeout(absl::Condition(&stopping_), absl::Seconds(ttl_seconds_ / 3));
      if (stopping_) return;
      if (held_.empty()) continue;
      request.set_session_id(session_id_);
      for (const auto& [id, ref] : held_) *request.add_leases() = ref;
    }
    grpc::ClientContext context;
    SetDeadline(context);
    v1::RenewResponse response;
    const grpc::Status status = stub_->Renew(&context, request, &response);
    absl::MutexLock lock(&mu_);
    if (request.session_id() != session_id_) continue;  // registered anew meanwhile: nothing said here is about now
    if (status.error_code() == grpc::StatusCode::NOT_FOUND) {
      held_.clear();  // the session was replaced: nothing is held any more
    }
    for (const v1::LeaseRef& lost : response.lost()) held_.erase(lost.unit_id());
  }
}

}  // namespace auricle::client
