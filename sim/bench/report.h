// A benchmark report for people and for programs.
#ifndef SIM_BENCH_REPORT_H_
#define SIM_BENCH_REPORT_H_

#include <optional>
#include <string>
#include <vector>

#include "sim/bench/scoring.h"

namespace auricle::sim {

// The bars that a shipped model has to reach.
struct BenchmarkFloors {
  double multiple_choice = 0.60;      // overall accuracy, at least
  double azimuth_median_deg = 8.0;    // scenes with one source, at most
  double sides = 0.97;                // front/back and left/right, at least
  double zero_spatial_margin = 0.08;  // direction tasks without directional channels: at most chance plus this
};

// One line of the machine-readable report.
struct Measurement {
  std::string name;  // "mcq/all", "azimuth_evidence/median"
  double value = 0;
  std::string unit;  // "share", "deg"
  std::optional<double> floor;
  bool ok = true;  // meets the floor, or has none
};

std::vector<Measurement> Measurements(const BenchmarkReport& report, const BenchmarkFloors& floors = {});

// {"name", "value", "unit", "floor" or null, "ok"}, one a line.
std::string MeasurementLines(const std::vector<Measurement>& measurements);

// Two tables (multiple choice, open), a row a group: questions, accuracy with its interval, chance, constant answer,
// controls, distinct answers; then azimuth and detection; then the floors.
std::string ReportTable(const BenchmarkReport& report, const BenchmarkFloors& floors = {});

}  // namespace auricle::sim

#endif  // SIM_BENCH_REPORT_H_
