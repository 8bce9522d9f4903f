#include "client/cpp/worker_loop.h"

#include <unistd.h>

#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cpp/status_details.h"
#include "client/cpp/work_session.h"

namespace auricle::client {

absl::Status RunWorker(std::shared_ptr<grpc::Channel> channel, v1::WorkKind kind, const std::string& name,
                       const std::atomic<bool>& stopping, const DoUnit& do_unit) {
  v1::RegisterRequest registration;
  registration.set_worker_name(name);
  registration.add_kinds(kind);
  const auto session = WorkSession::Open(std::move(channel), registration);
  if (!session.ok()) return session.status();
  std::cout << "{\"event\":\"working\",\"name\":\"" << name << "\"}" << std::endl;

  while (!stopping) {
    const auto units = (*session)->Lease(2);
    if (!units.ok()) return units.status();
    for (const v1::WorkUnit& unit : *units) {
      absl::StatusOr<v1::SubmitRequest> result =
          do_unit(unit, [&] { return stopping || !(*session)->StillHeld(unit); });
      if (absl::IsCancelled(result.status())) continue;  // the lease is another's, or goes back when the session ends
      v1::SubmitRequest submission;
      if (result.ok()) {
        submission = *std::move(result);
      } else {
        submission.mutable_failure()->set_code(static_cast<int>(result.status().code()));
        submission.mutable_failure()->set_message(std::string(result.status().message()));
        std::cerr << "unit " << unit.unit_id() << ": " << DescribeError(result.status()) << "\n";
      }
      const auto ack = (*session)->Submit(unit, std::move(submission));
      if (!ack.ok()) std::cerr << "unit " << unit.unit_id() << ": " << DescribeError(ack.status()) << "\n";
    }
  }
  return absl::OkStatus();
}

std::string DefaultWorkerName() {
  char host[256] = "worker";
  gethostname(host, sizeof(host) - 1);
  return absl::StrCat(host, "-", getpid());
}

}  // namespace auricle::client
