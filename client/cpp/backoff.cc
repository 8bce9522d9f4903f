#include "client/cpp/backoff.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace auricle::client {
namespace {

// How often `give_up` is asked during a pause.
constexpr absl::Duration kLook = absl::Milliseconds(50);

}  // namespace

bool Backoff::Pause(const std::function<bool()>& give_up) {
  const absl::Time now = absl::Now();
  if (since_ == absl::InfiniteFuture()) since_ = now;
  if (give_up() || now - since_ >= patience_.limit) return false;
  const absl::Time until = now + delay_;
  delay_ = std::min(delay_ * 2, patience_.longest_delay);
  for (absl::Time at = now; at < until; at = absl::Now()) {
    absl::SleepFor(std::min(until - at, kLook));
    if (give_up()) return false;
  }
  return true;
}

void Backoff::Reset() {
  delay_ = patience_.first_delay;
  since_ = absl::InfiniteFuture();
}

}  // namespace auricle::client
