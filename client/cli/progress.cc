#include "client/cli/progress.h"

#include <unistd.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace auricle::client {

Progress::Progress() : terminal_(isatty(STDERR_FILENO) != 0), start_(Clock::now()), last_(start_) {}

void Progress::Show(size_t done, size_t total, size_t kept, const std::string& note) {
  const auto now = Clock::now();
  if (now - last_ < (terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10)) && done < total) return;
  last_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double rate = seconds > 0 ? static_cast<double>(done - kept) / seconds : 0;
  std::string text = absl::StrFormat("%d/%d", done, total);
  if (rate > 0) {
    const int left = static_cast<int>(static_cast<double>(total - done) / rate);
    absl::StrAppend(&text, absl::StrFormat("  %.1f/s  %d:%02d left", rate, left / 60, left % 60));
  }
  if (!note.empty()) absl::StrAppend(&text, "  ", note);
  if (!terminal_) {
    std::fprintf(stderr, "%s\n", text.c_str());
    return;
  }
  constexpr size_t kBar = 30;
  const size_t filled = total > 0 ? kBar * done / total : kBar;
  std::string bar;
  for (size_t i = 0; i < kBar; ++i) bar += i < filled ? "█" : "·";
  std::fprintf(stderr, "\r%s  %s\x1b[K%s", bar.c_str(), text.c_str(), done == total ? "\n" : "");
  std::fflush(stderr);
}

}  // namespace auricle::client
