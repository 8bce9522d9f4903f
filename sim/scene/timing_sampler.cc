#include "sim/scene/timing_sampler.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace auricle::sim {
namespace {

constexpr double kShortSeconds = 1.5;
// A recording longer than this share of the scene is played as one excerpt.
constexpr double kLongShare = 0.6;
constexpr double kMinGap = 0.25, kMaxGap = 1.5;
// Left free at the end, for the sound to travel and be heard.
constexpr double kMargin = 0.1;

// From the first onset to the end of the last playing.
double Length(const Timing& t) { return t.onsets.back() - t.onsets.front() + t.max_seconds; }

void MoveTo(double start, Timing& t) {
  const double by = start - t.onsets.front();
  for (double& onset : t.onsets) onset += by;
}

double LeastShared(const Timing& a, const Timing& b) {
  return std::min(kOverlapSeconds, 0.5 * std::min(a.max_seconds, b.max_seconds));
}

bool Overlap(const Timing& a, const Timing& b) {
  for (double one : a.onsets) {
    for (double other : b.onsets) {
      const double shared = std::min(one + a.max_seconds, other + b.max_seconds) - std::max(one, other);
      if (shared >= LeastShared(a, b)) return true;
    }
  }
  return false;
}

// The length to which the longest must be cut for all to take `room` together, which is less than they take now.
double LengthThatFits(std::span<const Timing> timings, double room) {
  std::vector<double> lengths;
  for (const Timing& t : timings) lengths.push_back(Length(t));
  std::ranges::sort(lengths);
  double left = room;
  for (size_t i = 0; i < lengths.size(); ++i) {
    const double share = left / static_cast<double>(lengths.size() - i);
    if (lengths[i] > share) return share;
    left -= lengths[i];
  }
  return lengths.back();
}

}  // namespace

Timing DrawTiming(double recording_seconds, double scene_seconds, Random& random) {
  Timing timing;
  if (recording_seconds > kLongShare * scene_seconds) {
    const double most = std::min(recording_seconds, scene_seconds);
    // One in five of those that can fills the scene.
    if (recording_seconds >= scene_seconds && random.Chance(0.2)) {
      timing.max_seconds = scene_seconds;
      timing.onsets = {0.0};
      return timing;
    }
    timing.max_seconds = random.Uniform(std::min(most, 0.25 * scene_seconds), most);
    timing.onsets = {random.Uniform(0.0, std::max(0.0, scene_seconds - kMargin - timing.max_seconds))};
    return timing;
  }
  timing.max_seconds = recording_seconds;
  const std::array<double, 4> few = {0.7, 0.3, 0.0, 0.0}, many = {0.4, 0.3, 0.2, 0.1};
  size_t times = 1 + random.Weighted(recording_seconds < kShortSeconds ? many : few);
  std::vector<double> gaps;
  for (size_t i = 0; i + 1 < times; ++i) gaps.push_back(random.Uniform(kMinGap, kMaxGap));
  double total = recording_seconds;
  size_t fitting = 1;
  while (fitting < times && total + gaps[fitting - 1] + recording_seconds <= scene_seconds - kMargin) {
    total += gaps[fitting - 1] + recording_seconds;
    ++fitting;
  }
  double at = random.Uniform(0.0, std::max(0.0, scene_seconds - kMargin - total));
  for (size_t i = 0; i < fitting; ++i) {
    timing.onsets.push_back(at);
    if (i + 1 < fitting) at += recording_seconds + gaps[i];
  }
  return timing;
}

void MakeOverlap(double scene_seconds, std::span<Timing> timings, Random& random) {
  for (size_t i = 0; i < timings.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (Overlap(timings[i], timings[j])) return;
    }
  }
  const size_t kept = random.Index(timings.size());
  const size_t moved = (kept + 1 + random.Index(timings.size() - 1)) % timings.size();
  const Timing& there = timings[kept];
  Timing& t = timings[moved];
  const double shared = LeastShared(there, t);
  const double onset = there.onsets[random.Index(there.onsets.size())];
  const double from = std::max(0.0, onset - t.max_seconds + shared);
  const auto latest = [&] {
    return std::min(onset + there.max_seconds - shared, std::max(0.0, scene_seconds - kMargin - Length(t)));
  };
  if (latest() < from) t.onsets.resize(1);
  MoveTo(random.Uniform(from, latest()), t);
}

void MakeSuccessive(double scene_seconds, std::span<Timing> timings, Random& random) {
  const double apart = std::min(kApartSeconds, 0.05 * scene_seconds), margin = std::min(kMargin, 0.1 * scene_seconds);
  const double room = scene_seconds - margin - apart * static_cast<double>(timings.size() - 1);
  const auto taken = [&] {
    return std::accumulate(timings.begin(), timings.end(), 0.0,
                           [](double sum, const Timing& t) { return sum + Length(t); });
  };
  if (taken() > room) {
    for (Timing& t : timings) t.onsets.resize(1);
  }
  if (taken() > room) {
    const double most = LengthThatFits(timings, room);
    for (Timing& t : timings) t.max_seconds = std::min(t.max_seconds, most);
  }
  const double slack = std::max(0.0, room - taken());
  std::vector<double> pauses(timings.size());  // all time left free before each
  for (double& pause : pauses) pause = random.Uniform(0.0, slack);
  std::ranges::sort(pauses);
  std::vector<size_t> order(timings.size());
  std::iota(order.begin(), order.end(), size_t{0});
  random.Shuffle(order);
  double at = 0.0;
  for (size_t i = 0; i < order.size(); ++i) {
    Timing& t = timings[order[i]];
    MoveTo(at + pauses[i], t);
    at += Length(t) + apart;
  }
}

}  // namespace auricle::sim
