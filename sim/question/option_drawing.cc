#include "sim/question/option_drawing.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace auricle::sim {
namespace {

constexpr size_t kOptions = 4;
constexpr double kAzimuthSpacing = 50.0;
// Draws of three numbers. Many would always succeed, and so take away what makes a truth that is crowded by others as
// rare as they are; with two the tilt is below a tenth.
constexpr int kDraws = 2;

double RoundAzimuth(double degrees) { return WrapDegrees(10.0 * std::round(WrapDegrees(degrees) / 10.0)); }

bool FarFromAll(double azimuth, const std::vector<double>& chosen) {
  return std::all_of(chosen.begin(), chosen.end(),
                     [azimuth](double other) { return AzimuthDistance(azimuth, other) >= kAzimuthSpacing; });
}

bool AllApart(NumberKind kind, const std::vector<double>& drawn) {
  for (size_t i = 0; i < drawn.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (!FarApart(kind, drawn[i], drawn[j])) return false;
    }
  }
  return true;
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

std::vector<double> DrawNumbers(NumberKind kind, double truth, double lot, std::span<const double> swaps,
                                TruthLog* log) {
  if (log != nullptr) (*log)[kind].push_back(truth);
  Random random = Random(std::bit_cast<uint64_t>(lot)).Fork(static_cast<uint64_t>(kind));
  const bool swapping = random.Chance(0.5);
  for (int attempt = 0; attempt < kDraws; ++attempt) {
    std::vector<double> drawn = {truth};
    for (size_t i = 0; drawn.size() < kOptions; ++i) {
      const double prior = DrawFromPrior(kind, random);
      drawn.push_back(swapping && i < swaps.size() ? swaps[i] : prior);
    }
    if (AllApart(kind, drawn)) return drawn;
  }
  return {};
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
