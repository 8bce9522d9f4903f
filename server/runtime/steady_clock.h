// Time that nobody can set: for how long something takes. The wall clock (absl::Now) is for deadlines and time stamps.
#pragma once

#include <chrono>

#include "absl/time/time.h"

namespace auricle::server {

// Only differences between two of these mean anything. Thread-safe.
inline absl::Time SteadyNow() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace auricle::server
