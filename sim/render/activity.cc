#include "sim/render/activity.h"

#include <algorithm>
#include <cmath>

#include "sim/render/dry_event.h"

namespace auricle::sim {

std::vector<Span> SoundingSpans(std::span<const float> event, int sample_rate) {
  const std::vector<double> powers = FramePowers(event, sample_rate);
  std::vector<Span> spans;
  if (powers.empty()) return spans;
  const double loudest = *std::ranges::max_element(powers);
  if (!(loudest > 0.0)) return spans;
  const double threshold = loudest * std::pow(10.0, -kActiveRangeDb / 10.0);
  const double end_of_event = static_cast<double>(event.size()) / sample_rate;
  // The frame's true length: a whole number of samples.
  const double frame =
      static_cast<double>(std::max<size_t>(1, static_cast<size_t>(kLevelFrameSeconds * sample_rate))) / sample_rate;
  for (size_t i = 0; i < powers.size(); ++i) {
    if (powers[i] < threshold) continue;
    const Span now = {static_cast<double>(i) * frame, std::min(end_of_event, static_cast<double>(i + 1) * frame)};
    if (!spans.empty() && now.start - spans.back().end < 0.5 * frame) {
      spans.back().end = now.end;
    } else {
      spans.push_back(now);
    }
  }
  return spans;
}

std::vector<Span> MergeSpans(std::vector<Span> spans, double duration, double gap, double least) {
  std::vector<Span> inside;
  for (Span s : spans) {
    s = {std::max(0.0, s.start), std::min(duration, s.end)};
    if (s.end > s.start) inside.push_back(s);
  }
  std::ranges::sort(inside, {}, &Span::start);
  std::vector<Span> merged;
  for (const Span& s : inside) {
    if (!merged.empty() && s.start - merged.back().end < gap) {
      merged.back().end = std::max(merged.back().end, s.end);
    } else {
      merged.push_back(s);
    }
  }
  if (merged.empty()) return merged;
  const Span longest = *std::ranges::max_element(merged, {}, [](const Span& s) { return s.end - s.start; });
  std::erase_if(merged, [&](const Span& s) { return s.end - s.start < least; });
  if (merged.empty()) merged.push_back(longest);
  return merged;
}

std::vector<bool> ActiveRows(std::span<const Span> spans, double duration) {
  const size_t rows = static_cast<size_t>(std::ceil(duration / kRowSeconds - 1e-9));
  std::vector<double> covered(rows, 0.0);
  std::vector<bool> active(rows, false);
  for (const Span& s : spans) {
    double most = 0.0;
    size_t most_row = rows;
    const size_t first = static_cast<size_t>(s.start / kRowSeconds);
    for (size_t row = first; row < rows && static_cast<double>(row) * kRowSeconds < s.end; ++row) {
      const double start = static_cast<double>(row) * kRowSeconds;
      const double overlap = std::min(s.end, start + kRowSeconds) - std::max(s.start, start);
      covered[row] += std::max(0.0, overlap);
      if (overlap > most) most = overlap, most_row = row;
    }
    if (most_row < rows) active[most_row] = true;
  }
  for (size_t row = 0; row < rows; ++row) {
    if (covered[row] >= 0.5 * kRowSeconds - 1e-9) active[row] = true;
  }
  return active;
}

}  // namespace auricle::sim
