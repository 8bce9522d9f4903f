// What an input reaches that none before it did: edges between basic blocks of simulation and of the readers of audio,
// where the compiler was told to report them (CMake: AURICLE_FUZZ_SIGNALS, preset fuzz). Hashed into 65,536 cells as
// AFL does (M. Zalewski, "Technical whitepaper for afl-fuzz", section 1), so that two edges may share one: a count is a
// lower bound.
#pragma once

#include <optional>

namespace auricle::test {

// Cells reached so far; nothing where the compiler was not told. Not thread-safe.
std::optional<int> ReachedSignals();

}  // namespace auricle::test
