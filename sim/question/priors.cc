#include "sim/question/priors.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace auricle::sim {

namespace internal {
extern const char* const kPriorsTsv;  // made from priors.tsv by CMake
}

namespace {

constexpr size_t kIntervals = 64;
using Quantiles = std::array<double, kIntervals + 1>;

constexpr NumberKindInfo kKinds[] = {
    {NumberKind::kOnsetInShort, false, "onset_short", 0.4},
    {NumberKind::kOnsetInLong, false, "onset_long", 0.6},
    {NumberKind::kPlaceOfSpan, false, "span_place", 0.0},
    {NumberKind::kElevation, false, "elevation", 10.0},
    {NumberKind::kDistance, true, "distance", 1.3},
    {NumberKind::kReverberation, true, "reverberation", 1.25},
    {NumberKind::kVolume, true, "volume", 1.3},
    {NumberKind::kSeparation, false, "separation", 15.0},
    {NumberKind::kOnsetGapInShort, true, "onset_gap_short", 1.8},
    {NumberKind::kOnsetGapInLong, true, "onset_gap_long", 1.8},
    {NumberKind::kDistanceGap, true, "distance_gap", 1.8},
};

// The table that is compiled in. It is part of the program: a row that is missing would be a mistake of ours, and reads
// as zeros.
const std::array<Quantiles, std::size(kKinds)>& Table() {
  static const auto* const table = [] {
    auto* read = new std::array<Quantiles, std::size(kKinds)>{};
    for (const absl::string_view line : absl::StrSplit(internal::kPriorsTsv, '\n')) {
      const std::vector<absl::string_view> cells = absl::StrSplit(line, '\t');
      for (size_t q = 0; q < std::size(kKinds); ++q) {
        const std::string_view name = kKinds[q].name;
        if (cells.size() != kIntervals + 2 || cells[0] != absl::string_view(name.data(), name.size())) continue;
        for (size_t i = 0; i <= kIntervals; ++i) {
          if (!absl::SimpleAtod(cells[i + 1], &(*read)[q][i])) (*read)[q][i] = 0;
        }
      }
    }
    return read;
  }();
  return *table;
}

}  // namespace

std::span<const NumberKindInfo> AllNumberKinds() { return kKinds; }

bool FarApart(NumberKind kind, double a, double b) {
  const NumberKindInfo& info = kKinds[static_cast<size_t>(kind)];
  return info.ratio ? std::max(a, b) >= info.apart * std::min(a, b) : std::abs(a - b) >= info.apart;
}

double DrawFromPrior(NumberKind kind, Random& random) {
  const Quantiles& quantiles = Table()[static_cast<size_t>(kind)];
  const double at = random.Uniform() * kIntervals;
  const size_t i = static_cast<size_t>(at);
  return quantiles[i] + (at - static_cast<double>(i)) * (quantiles[i + 1] - quantiles[i]);
}

std::string PriorTable(const TruthLog& truths) {
  std::string table = "quantity";
  for (size_t i = 0; i <= kIntervals; ++i) absl::StrAppend(&table, "\tq", i);
  absl::StrAppend(&table, "\n");
  for (const NumberKindInfo& info : kKinds) {
    absl::StrAppend(&table, absl::string_view(info.name.data(), info.name.size()));
    const auto found = truths.find(info.kind);
    std::vector<double> sorted = found == truths.end() ? std::vector<double>() : found->second;
    std::ranges::sort(sorted);
    for (size_t i = 0; i <= kIntervals; ++i) {
      double value = Table()[static_cast<size_t>(info.kind)][i];
      if (!sorted.empty()) {
        const double at = static_cast<double>(i) / kIntervals * static_cast<double>(sorted.size() - 1);
        const size_t below = std::min(static_cast<size_t>(at), sorted.size() - 1);
        const size_t above = std::min(below + 1, sorted.size() - 1);
        value = sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
      }
      absl::StrAppendFormat(&table, "\t%.5g", value);
    }
    absl::StrAppend(&table, "\n");
  }
  return table;
}

}  // namespace auricle::sim
