// Seconds that have passed, for the times that a run reports.
#pragma once

#include <chrono>

namespace auricle::training {

using Clock = std::chrono::steady_clock;

inline double Since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

}  // namespace auricle::training
