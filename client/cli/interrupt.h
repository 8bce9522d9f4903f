// Ctrl-C as a request to end well: long commands look at it between two pieces of work.
#pragma once

#include <atomic>

namespace auricle::client {

// From now on the first SIGINT sets the flag; the second ends the program at once.
void StopAtInterrupt();

bool Interrupted();

// For what polls a flag itself; the same as Interrupted().
const std::atomic<bool>& InterruptFlag();

}  // namespace auricle::client
