// Waiting for a server that is away: pauses between tries, each twice as long as the last, until the patience ends.
#pragma once

#include <functional>

#include "absl/time/time.h"

namespace auricle::client {

// Sleeps for `delay`, or until `give_up` says so; false then. Looks about twenty times a second.
bool SleepUnless(absl::Duration delay, const std::function<bool()>& give_up);

struct Patience {
  absl::Duration first_delay = absl::Milliseconds(500);
  absl::Duration longest_delay = absl::Seconds(10);
  absl::Duration limit = absl::Minutes(10);  // from the first pause on
};

// Not thread-safe.
class Backoff {
 public:
  explicit Backoff(const Patience& patience) : patience_(patience) { Reset(); }

  // Sleeps for the next delay. False where no other try makes sense: `give_up` says so (then at once), or the patience
  // is over.
  bool Pause(const std::function<bool()>& give_up);
  // The server is back: the next pause is the first again.
  void Reset();

 private:
  const Patience patience_;
  absl::Duration delay_;
  absl::Time since_;  // when the first pause began; InfiniteFuture before it
};

}  // namespace auricle::client
