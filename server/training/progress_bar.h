// How far a run is, on one line of the terminal; in a log file, one line every half minute.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace auricle::training {

class ProgressBar {
 public:
  // `terminal`: whether stderr is a terminal whose line can be rewritten.
  ProgressBar(std::string label, bool terminal) : label_(std::move(label)), terminal_(terminal) {}

  // `seconds_left` below 0: not known yet. `detail` follows the bar: loss parts and so on.
  void Show(int64_t step, int64_t total, double steps_per_second, double seconds_left, const std::string& detail);
  // Ends the line, so that other messages start on their own.
  void Finish();

 private:
  std::string label_;
  bool terminal_;
  bool open_ = false;
  std::chrono::steady_clock::time_point last_{};
};

// "1 h 02 min", "3 min 10 s", "12 s".
std::string Duration(double seconds);

}  // namespace auricle::training
