#include "sim/question/option_drawing.h"

#include <algorithm>
#include <cmath>

namespace auricle::sim {
namespace {

constexpr size_t kOptions = 4;
constexpr double kAzimuthSpacing = 50.0;

double RoundAzimuth(double degrees) { return WrapDegrees(10.0 * std::round(WrapDegrees(degrees) / 10.0)); }

bool FarFromAll(double azimuth, const std::vector<double>& chosen) {
  return std::all_of(chosen.begin(), chosen.end(),
                     [azimuth](double other) { return AzimuthDistance(azimuth, other) >= kAzimuthSpacing; });
}

// Ranks of the truth for which all steps stay in range, by `value(rank, i)`; one of them, uniformly, or -1.
template <typename Value>
int DrawRank(double low, double high, Random& random, Value value) {
  std::vector<int> possible;
  for (int rank = 0; rank < static_cast<int>(kOptions); ++rank) {
    if (value(rank, 0) >= low && value(rank, kOptions - 1) <= high) possible.push_back(rank);
  }
  return possible.empty() ? -1 : possible[random.Index(possible.size())];
}

}  // namespace

std::vector<double> DrawAzimuths(double truth_deg, std::span<const double> swaps, Random& random) {
  const double truth = RoundAzimuth(truth_deg);
  const double from_axis = std::abs(std::remainder(truth, 90.0));  // [0, 45]
  std::vector<double> drawn = {truth};
  const double design = random.Uniform();
  if (design < 0.3 && from_axis >= 25.0) {  // the whole group of left-right and front-back mirror images
    drawn = {truth, RoundAzimuth(-truth), RoundAzimuth(180.0 - truth), RoundAzimuth(180.0 + truth)};
    return drawn;
  }
  if (design < 0.5) return {truth, RoundAzimuth(truth + 90), RoundAzimuth(truth - 90), RoundAzimuth(truth + 180)};
  for (double swap : swaps) {
    const double rounded = RoundAzimuth(swap);
    if (drawn.size() < kOptions && FarFromAll(rounded, drawn)) drawn.push_back(rounded);
  }
  while (drawn.size() < kOptions) {
    // Four points keep at most 3 * 100 degrees of the circle from a fifth: some multiple of 10 is always free.
    std::vector<double> free;
    for (int degrees = -170; degrees <= 180; degrees += 10) {
      if (FarFromAll(degrees, drawn)) free.push_back(degrees);
    }
    if (free.empty()) return {};
    drawn.push_back(free[random.Index(free.size())]);
  }
  return drawn;
}

std::vector<int> DrawSectors(int truth, std::span<const int> swaps, Random& random) {
  std::vector<int> drawn = {truth};
  const auto add = [&drawn](int sector) {
    if (drawn.size() < kOptions && std::find(drawn.begin(), drawn.end(), sector) == drawn.end()) {
      drawn.push_back(sector);
    }
  };
  for (int swap : swaps) add(swap);
  while (drawn.size() < kOptions) add(static_cast<int>(random.Int(0, 7)));
  return drawn;
}

std::vector<double> DrawRatioSteps(double truth, double low, double high, double min_factor,
                                   std::span<const double> swaps, Random& random) {
  if (!(truth > 0)) return {};
  const double factor = min_factor * random.Uniform(1.0, 1.25);
  const auto value = [truth, factor](int rank, int i) { return truth * std::pow(factor, i - rank); };
  const int rank = DrawRank(low, high, random, value);
  if (rank < 0) return {};
  std::vector<double> drawn = {truth};
  for (int i = 0; i < static_cast<int>(kOptions); ++i) {
    if (i == rank) continue;
    double step = value(rank, i);
    for (double swap : swaps) {
      if (swap > 0 && std::abs(std::log(swap / step)) < std::log(1.15)) step = swap;
    }
    drawn.push_back(step);
  }
  return drawn;
}

std::vector<double> DrawSteps(double truth, double low, double high, double min_step, std::span<const double> swaps,
                              Random& random) {
  const double step = min_step * random.Uniform(1.0, 1.3);
  const auto value = [truth, step](int rank, int i) { return truth + step * (i - rank); };
  const int rank = DrawRank(low, high, random, value);
  if (rank < 0) return {};
  std::vector<double> drawn = {truth};
  for (int i = 0; i < static_cast<int>(kOptions); ++i) {
    if (i == rank) continue;
    double shown = value(rank, i);
    for (double swap : swaps) {
      if (std::abs(swap - shown) < 0.2 * step && swap >= low && swap <= high) shown = swap;
    }
    drawn.push_back(shown);
  }
  return drawn;
}

std::vector<ClassWords> DrawAbsent(const HeardScene& heard, size_t count, Random& random) {
  std::vector<const ClassWords*> pool;
  for (const ClassWords& words : AllClassWords()) pool.push_back(&words);
  random.Shuffle(pool);
  std::vector<ClassWords> drawn;
  for (const ClassWords* words : pool) {
    if (drawn.size() == count) break;
    const auto same_noun = [words](const ClassWords& other) { return other.noun == words->noun; };
    if (std::find(heard.present_nouns.begin(), heard.present_nouns.end(), words->noun) != heard.present_nouns.end() ||
        std::any_of(drawn.begin(), drawn.end(), same_noun)) {
      continue;
    }
    drawn.push_back(*words);
  }
  return drawn;
}

std::vector<std::string> DrawNouns(const HeardScene& heard, const HeardSource& truth, Random& random) {
  std::vector<std::string> drawn = {truth.words.a_noun};
  for (const HeardSource& other : heard.sources) {
    if (drawn.size() < kOptions && other.unique && &other != &truth) drawn.push_back(other.words.a_noun);
  }
  for (const ClassWords& words : DrawAbsent(heard, kOptions - drawn.size(), random)) drawn.push_back(words.a_noun);
  if (drawn.size() < kOptions) drawn.clear();
  return drawn;
}

}  // namespace auricle::sim
