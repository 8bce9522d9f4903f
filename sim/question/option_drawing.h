// Four options for multiple choice, drawn so that the options alone do not give the right one away.
//
// The rule: given the four shown values, each must be as likely as the others to be the truth. So the same spacing is
// asked of every pair and not only of pairs with the truth; mirrored and turned directions come in whole groups; the
// truth's place in the order of numbers is uniform (OptionRange). Where other sources of the scene have values that
// fit, they are used as distractors: right attribute, wrong source.
#ifndef SIM_QUESTION_OPTION_DRAWING_H_
#define SIM_QUESTION_OPTION_DRAWING_H_

#include <array>
#include <span>
#include <string>
#include <vector>

#include "sim/question/heard.h"
#include "sim/scene/random.h"

namespace auricle::sim {

// Every function puts the truth first, or returns an empty vector where four options cannot be had.

// Multiples of 10 degrees in (-180, 180], pairwise at least 50 apart (45 or more from the unrounded truth).
// `swaps`: azimuths of other sources.
std::vector<double> DrawAzimuths(double truth_deg, std::span<const double> swaps, Random& random);

// Distinct sectors 0-7 (phrases.h).
std::vector<int> DrawSectors(int truth, std::span<const int> swaps, Random& random);

// The range in which the truths of one kind of number lie, so that no option is implausible. Four options stand a
// quarter of the range apart, wrapping around at its ends: one in each quarter, the truth in any of them.
struct OptionRange {
  double low;
  double high;
  bool logarithmic;  // quarters are ratios instead of differences
  // Share of the truths to keep, by eighths of the range: thins out the common ones, so that every quarter is right
  // about equally often. From scenes with default distributions.
  std::array<double, 8> keep = {1, 1, 1, 1, 1, 1, 1, 1};
};

// Empty where the truth is out of range or thinned out (`lot`, uniform in [0, 1), is not below its share). A value of
// `swaps` within a quarter of the spacing from an option replaces it.
std::vector<double> DrawNumbers(const OptionRange& range, double truth, double lot, std::span<const double> swaps);

// Classes of the vocabulary whose nouns are not in the scene, distinct nouns; fewer than `count` if there are not
// enough.
std::vector<ClassWords> DrawAbsent(const HeardScene& heard, size_t count, Random& random);

// "a dog" (the truth), nouns of other sources of the scene, then absent ones.
std::vector<std::string> DrawNouns(const HeardScene& heard, const HeardSource& truth, Random& random);

}  // namespace auricle::sim

#endif  // SIM_QUESTION_OPTION_DRAWING_H_
