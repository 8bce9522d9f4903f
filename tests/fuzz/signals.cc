#include "tests/fuzz/signals.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace auricle::test {
namespace {

constexpr size_t kCells = size_t{1} << 16;

// Written to from every basic block: plain memory and nothing that could itself be reported.
std::array<bool, kCells> reached_cells;
int reached = 0;
thread_local size_t block_before = 0;

}  // namespace

#ifdef AURICLE_FUZZ_SIGNALS
std::optional<int> ReachedSignals() { return reached; }
#else
std::optional<int> ReachedSignals() { return std::nullopt; }
#endif

}  // namespace auricle::test

// GCC calls it at the start of every basic block (-fsanitize-coverage=trace-pc).
extern "C" __attribute__((no_sanitize("address", "undefined"))) void __sanitizer_cov_trace_pc() {
  using namespace auricle::test;
  // Fibonacci hashing of where it was called from.
  const uint64_t mixed = reinterpret_cast<uintptr_t>(__builtin_return_address(0)) * 0x9e3779b97f4a7c15u;
  const size_t block = mixed >> (64 - std::bit_width(kCells - 1));
  bool& cell = reached_cells[block ^ block_before];
  block_before = block >> 1;
  if (cell) return;
  cell = true;
  ++reached;
}
