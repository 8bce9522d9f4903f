#include "client/cpp/worker_loop.h"

#include <unistd.h>

#include <functional>
#include <iostream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cpp/status_details.h"
#include "client/cpp/work_session.h"

namespace auricle::client {
namespace {

void SubmitAndReport(WorkSession& session, const v1::WorkUnit& unit, v1::SubmitRequest result,
                     const std::function<bool()>& stop) {
  const absl::StatusOr<v1::SubmitAck> ack = session.Submit(unit, std::move(result), stop);
  if (!ack.ok()) {
    std::cerr << "unit " << unit.unit_id() << ": " << DescribeError(ack.status()) << "\n";
  } else if (ack->outcome() != v1::SUBMIT_OUTCOME_ACCEPTED && ack->outcome() != v1::SUBMIT_OUTCOME_DUPLICATE) {
    std::cerr << "unit " << unit.unit_id() << ": " << v1::SubmitOutcome_Name(ack->outcome())
              << (ack->message().empty() ? "" : ": ") << ack->message() << "\n";
  }
}

}  // namespace

absl::Status RunWorker(std::shared_ptr<grpc::Channel> channel, v1::WorkKind kind, const std::string& name,
                       const std::atomic<bool>& stopping, const DoUnit& do_unit, const Patience& patience) {
  v1::RegisterRequest registration;
  registration.set_worker_name(name);
  registration.add_kinds(kind);
  const auto session = WorkSession::Open(std::move(channel), registration, patience);
  if (!session.ok()) return session.status();
  std::cout << "{\"event\":\"working\",\"name\":\"" << name << "\"}" << std::endl;

  const std::function<bool()> stop = [&stopping] { return stopping.load(); };
  bool away = false;
  // After an outage the worker registers again: a unit whose lease was granted but never arrived here is free at once.
  const auto lease = [&]() -> absl::StatusOr<std::vector<v1::WorkUnit>> {
    const absl::Status known = away ? (*session)->Register() : absl::OkStatus();
    if (!known.ok()) return known;
    return (*session)->Lease(2);
  };
  Backoff backoff(patience);
  while (!stopping) {
    const absl::StatusOr<std::vector<v1::WorkUnit>> units = lease();
    if (absl::IsUnavailable(units.status()) || absl::IsDeadlineExceeded(units.status())) {
      if (!away) std::cerr << "waiting for the coordinator: " << DescribeError(units.status()) << "\n";
      away = true;
      if (backoff.Pause(stop)) continue;
      return stopping ? absl::OkStatus() : units.status();
    }
    if (!units.ok()) return units.status();
    if (away) std::cerr << "the coordinator is back\n";
    away = false;
    backoff.Reset();
    for (const v1::WorkUnit& unit : *units) {
      absl::StatusOr<v1::SubmitRequest> result =
          do_unit(unit, [&] { return stopping || !(*session)->StillHeld(unit); });
      if (absl::IsCancelled(result.status())) {
        (*session)->Release(unit);
        continue;
      }
      v1::SubmitRequest submission;
      if (result.ok()) {
        submission = *std::move(result);
      } else {
        submission.mutable_failure()->set_code(static_cast<int>(result.status().code()));
        submission.mutable_failure()->set_message(std::string(result.status().message()));
        std::cerr << "unit " << unit.unit_id() << ": " << DescribeError(result.status()) << "\n";
      }
      SubmitAndReport(**session, unit, std::move(submission), stop);
    }
  }
  return absl::OkStatus();
}

std::shared_ptr<grpc::Channel> WorkerChannel(const std::string& address) {
  constexpr int kMaxUnitBytes = 128 << 20;  // gRPC's default of 4 MiB is 5 s at 48 kHz
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxUnitBytes);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

std::string DefaultWorkerName() {
  char host[256] = "worker";
  gethostname(host, sizeof(host) - 1);
  return absl::StrCat(host, "-", getpid());
}

}  // namespace auricle::client
