// Another program that is measured beside ours: it reads a line of JSON, does what it says, and answers with one.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"

namespace auricle::bench {

// Not thread-safe. The destructor closes its input and waits for its end.
class PeerProcess {
 public:
  // `command` is one for /bin/sh. INTERNAL where no process can be had; whether it is what it should be shows with the
  // first Ask.
  static absl::StatusOr<std::unique_ptr<PeerProcess>> Start(const std::string& command);
  ~PeerProcess();
  PeerProcess(const PeerProcess&) = delete;
  PeerProcess& operator=(const PeerProcess&) = delete;

  // UNAVAILABLE: it has ended or says something else than one object; its {"error"} is passed on.
  absl::StatusOr<nlohmann::json> Ask(const nlohmann::json& request);

 private:
  PeerProcess(int pid, int to, int from) : pid_(pid), to_(to), from_(from) {}

  const int pid_, to_, from_;
  std::string read_;  // what has come after the last whole line
};

}  // namespace auricle::bench
