#include "server/training/progress_bar.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace auricle::training {

std::string Duration(double seconds) {
  const int64_t s = static_cast<int64_t>(seconds + 0.5);
  if (s >= 3600) return absl::StrFormat("%d h %02d min", s / 3600, s / 60 % 60);
  if (s >= 60) return absl::StrFormat("%d min %02d s", s / 60, s % 60);
  return absl::StrFormat("%d s", s);
}

void ProgressBar::Show(int64_t step, int64_t total, double steps_per_second, double seconds_left,
                       const std::string& detail) {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < (terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(30'000)) &&
      (total == 0 || step < total))
    return;
  last_ = now;
  const double done = total > 0 ? std::clamp(static_cast<double>(step) / static_cast<double>(total), 0.0, 1.0) : 0;
  constexpr int kCells = 24;
  const int full = static_cast<int>(done * kCells);
  std::string bar;
  for (int i = 0; i < kCells; ++i) bar += i < full ? "█" : "░";
  const std::string line = absl::StrFormat("%s %s %3.0f %%  %d/%s  %.2f steps/s  %s left  %s", label_, bar, done * 100,
                                           step, total > 0 ? absl::StrCat(total) : "?", steps_per_second,
                                           seconds_left < 0 ? "?" : Duration(seconds_left), detail);
  if (terminal_) {
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
    open_ = true;
  } else {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
  std::fflush(stderr);
}

void ProgressBar::Finish() {
  if (open_) std::fputc('\n', stderr);
  open_ = false;
}

}  // namespace auricle::training
