// Four options for multiple choice, drawn so that the options alone do not give the right one away.
//
// The rule: given the four shown values, each must be as likely as the others to be the truth. So the same spacing is
// asked of every pair and not only of pairs with the truth; mirrored and turned directions come in whole groups; wrong
// numbers are drawn from the distribution of right ones. Where other sources of the scene have values that
// fit, they are used as distractors: right attribute, wrong source.
#ifndef SIM_QUESTION_OPTION_DRAWING_H_
#define SIM_QUESTION_OPTION_DRAWING_H_

#include <span>
#include <string>
#include <vector>

#include "sim/question/heard.h"
#include "sim/question/priors.h"
#include "sim/scene/random.h"

namespace auricle::sim {

// Every function puts the truth first, or returns an empty vector where four options cannot be had.

// Multiples of 10 degrees in (-180, 180], pairwise at least 50 apart (45 or more from the unrounded truth).
// `swaps`: azimuths of other sources.
std::vector<double> DrawAzimuths(double truth_deg, std::span<const double> swaps, Random& random);

// Distinct sectors 0-7 (phrases.h).
std::vector<int> DrawSectors(int truth, std::span<const int> swaps, Random& random);

// The truth and three numbers drawn as truths are (priors.h), all far apart: then each of the four is as likely to be
// the truth as the others. Half of the time values of other sources (`swaps`) stand in for drawn ones. The draw depends
// on `lot` alone and often fails: tries until it fits would make values likelier to be true that others crowd. Adds the
// truth to `log` where there is one.
std::vector<double> DrawNumbers(NumberKind kind, double truth, double lot, std::span<const double> swaps,
                                TruthLog* log);

// Classes of the vocabulary whose nouns are not in the scene, distinct nouns; fewer than `count` if there are not
// enough.
std::vector<ClassWords> DrawAbsent(const HeardScene& heard, size_t count, Random& random);

// "a dog" (the truth), nouns of other sources of the scene, then absent ones.
std::vector<std::string> DrawNouns(const HeardScene& heard, const HeardSource& truth, Random& random);

}  // namespace auricle::sim

#endif  // SIM_QUESTION_OPTION_DRAWING_H_
