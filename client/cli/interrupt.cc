#include "client/cli/interrupt.h"

#include <signal.h>

namespace auricle::client {
namespace {

std::atomic<bool> interrupted = false;

}  // namespace

void StopAtInterrupt() {
  signal(SIGINT, [](int) {
    interrupted = true;
    signal(SIGINT, SIG_DFL);
  });
}

bool Interrupted() { return interrupted; }

const std::atomic<bool>& InterruptFlag() { return interrupted; }

}  // namespace auricle::client
