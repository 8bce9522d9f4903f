// The bars of a benchmark: what was measured, what is asked for, and whether it is reached.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace auricle::bench {

struct Bar {
  std::string name;
  double value = 0.0;
  std::string unit;
  // What is asked for, of the ratio where there is a peer, else of the value. Absent: for the record only.
  struct Floor {
    double bound = 0.0;
    bool at_least = false;  // else at most
  };
  std::optional<Floor> floor = std::nullopt;
  // Another program measured in the same run, in the same unit. `ratio` is its value over ours, the median over
  // repetitions.
  std::string peer = {};
  std::optional<double> peer_value = std::nullopt;
  std::optional<double> ratio = std::nullopt;
  // How it was measured, a few words.
  std::string note = {};

  bool ok() const;  // true where nothing is asked for
};

// What could not be measured here, and why.
struct Skipped {
  std::string name;
  std::string why;
};

struct Report {
  std::vector<Bar> bars;
  std::vector<Skipped> skipped;

  bool ok() const;
};

// For people: bar, floor, figure.
std::string AsTable(const Report& report);
// One object a line: {"name", "value", "unit", "peer", "peer_value", "ratio", "floor", "ok", "note"}; null where there
// is none. What was skipped has a null value and "skipped".
std::string AsJsonLines(const Report& report);

// A line on stderr: what is being measured now.
void Say(const std::string& what);

double Median(std::vector<double> values);

}  // namespace auricle::bench
