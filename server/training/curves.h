// What a stage leaves behind for people: curves.jsonl and curves.csv, one row for each step, and curves.svg, drawn.
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace auricle::training {

// Names and values in the order of their columns.
using Row = std::vector<std::pair<std::string, double>>;

// Appends rows to two files; not thread-safe.
class Curves {
 public:
  // Continues `folder`/`stem`.jsonl and .csv, dropping rows of steps at or after `next_step`: they were written after
  // the checkpoint from which the run goes on, and will be written again.
  static absl::StatusOr<Curves> Open(const std::string& folder, const std::string& stem, int64_t next_step);

  // Columns of the first row make the header; later rows have the same ones.
  void Append(int64_t step, const Row& row);

  struct Point {
    int64_t step;
    Row row;
  };
  const std::vector<Point>& points() const { return points_; }

 private:
  Curves() = default;
  std::ofstream jsonl_, csv_;
  std::vector<Point> points_;
};

// One panel of a drawing.
struct Panel {
  std::string title;
  std::vector<std::string> columns;  // of the rows
  bool logarithmic = false;
  int64_t smooth = 0;  // running mean over this many rows on either side
};

// Small multiples of `curves`, two in a row, with axes, grid and legend. Panels without data are left out.
std::string DrawCurves(const std::string& title, const std::vector<Curves::Point>& points,
                       const std::vector<Curves::Point>& validation, const std::vector<Panel>& panels,
                       const std::vector<Panel>& validation_panels);

}  // namespace auricle::training
