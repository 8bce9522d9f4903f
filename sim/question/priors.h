// How the right answers to questions about numbers are distributed, so that wrong options can be drawn as the right
// ones are: then nothing in four shown numbers tells which of them is true.
//
// One table, sim/question/priors.tsv, compiled in: quantiles of each kind of number over the truths that questions
// about scenes of default distributions ask for. `auricle-bench priors` measures it anew when those distributions
// change.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scene/random.h"

namespace auricle::sim {

enum class NumberKind {
  kOnsetInShort,     // seconds, in clips of up to kShortClipSeconds
  kOnsetInLong,      // seconds, in longer ones
  kPlaceOfSpan,      // start of a span over the latest start that leaves room for its length, [0, 1]
  kElevation,        // degrees
  kDistance,         // metres
  kReverberation,    // seconds
  kVolume,           // cubic metres
  kSeparation,       // degrees between two sources
  kOnsetGapInShort,  // seconds between two onsets
  kOnsetGapInLong,
  kDistanceGap,  // metres between two distances
};

inline constexpr double kShortClipSeconds = 7.0;

struct NumberKindInfo {
  NumberKind kind;
  bool ratio;             // apart is a factor
  std::string_view name;  // in the table: "onset_short"
  // Two options of one question differ by at least this much.
  double apart;
};

// All quantities in the order of the enum.
std::span<const NumberKindInfo> AllNumberKinds();

bool FarApart(NumberKind kind, double a, double b);

// A value drawn from the table: inverse of the distribution, straight between quantiles.
double DrawFromPrior(NumberKind kind, Random& random);

// Truths that questions asked for, before options were drawn: what the table is measured from.
using TruthLog = std::map<NumberKind, std::vector<double>>;

// The table of these truths as priors.tsv has it; quantities without any keep their row of the table that is compiled
// in.
std::string PriorTable(const TruthLog& truths);

}  // namespace auricle::sim
