// When a source sounds: spans and label frames from the signal that it emits.
#pragma once

#include <span>
#include <vector>

namespace auricle::sim {

// Half-open, seconds.
struct Span {
  double start = 0.0;
  double end = 0.0;
};

// Frames of an event within kActiveRangeDb of its loudest frame, on dry_event.h's frame grid, as spans of the event's
// time.
std::vector<Span> SoundingSpans(std::span<const float> event, int sample_rate);

// `spans` sorted, cut to [0, duration], gaps shorter than `gap` closed, and what is then shorter than `least` dropped,
// but for the longest where all are.
std::vector<Span> MergeSpans(std::vector<Span> spans, double duration, double gap = 0.2, double least = 0.05);

// The label grid: rows of 0.1 s, ceil(duration / 0.1) of them. A row is active where spans cover at least half of it;
// every span marks at least the row that it covers most.
std::vector<bool> ActiveRows(std::span<const Span> spans, double duration);

inline constexpr double kRowSeconds = 0.1;

}  // namespace auricle::sim
