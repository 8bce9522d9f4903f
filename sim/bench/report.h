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
  double multiple_choice = 0.75;              // overall accuracy, at least
  double direction_tasks = 0.75;              // accuracy of those, at least
  double level = 0.68;                        // accuracy of each level, at least
  double false_alarms = 0.15;                 // share of open questions about absent sounds that are answered, at most
  double azimuth_median_deg = 4.5;            // scenes with one source, at most
  double elevation_median_deg = 4.5;          // likewise
  double sides = 0.99;                        // front/back and left/right, at least
  double f_20 = 0.42, f_20_any_class = 0.75;  // detection within 20 degrees, at least
  double localisation_error_deg = 12;         // LE_CD, at most
  double median_distance_error = 0.22;        // relative, at most
  double class_top1 = 0.50;                   // matched sources, at least
  double zero_spatial_margin = 0.08;          // direction tasks without directional channels: at most chance plus this
  double silence_margin = 0.04;               // the question alone: at most chance plus this
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
