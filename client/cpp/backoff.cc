#include "client/cpp/backoff.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"

namespace auricle::client {
namespace {

// How often `give_up` is asked during a pause.
constexpr absl::Duration kLook = absl::Milliseconds(50);

}  // namespace

bool SleepUnless(absl::Duration delay, const std::function<bool()>& give_up) {
  const absl::Time until = absl::Now() + delay;
  for (absl::Time now = absl::Now(); now < until; now = absl::Now()) {
    if (give_up()) return false;
    absl::SleepFor(std::min(until - now, kLook));
  }
  return !give_up();
}

bool Backoff::Pause(const std::function<bool()>& give_up) {
  const absl::Time now = absl::Now();
  if (since_ == absl::InfiniteFuture()) since_ = now;
  if (now - since_ >= patience_.limit) return false;
  return SleepUnless(std::exchange(delay_, std::min(delay_ * 2, patience_.longest_delay)), give_up);
}

void Backoff::Reset() {
  delay_ = patience_.first_delay;
  since_ = absl::InfiniteFuture();
}

}  // namespace auricle::client
