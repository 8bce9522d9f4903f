// Four options for multiple choice, drawn so that the options alone do not give the right one away.
//
// The rule: given the four shown values, each must be as likely as the others to be the truth. So the same spacing is
// asked of every pair and not only of pairs with the truth; mirrored and turned directions come in whole groups; the
// truth's place in the order of numbers is drawn uniformly. Where other sources of the scene have values that fit, they
// are used as distractors: right attribute, wrong source.
#ifndef SIM_QUESTION_OPTION_DRAWING_H_
#define SIM_QUESTION_OPTION_DRAWING_H_

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

// truth * f^k with f in [min_factor, 1.25 min_factor]; k such that all stay in [low, high]; each rank equally likely
// among those possible. A value of `swaps` within 15 % of a step replaces it.
std::vector<double> DrawRatioSteps(double truth, double low, double high, double min_factor,
                                   std::span<const double> swaps, Random& random);

// truth + k s with s in [min_step, 1.3 min_step], all in [low, high]; ranks as above. A swap within s / 5 replaces.
std::vector<double> DrawSteps(double truth, double low, double high, double min_step, std::span<const double> swaps,
                              Random& random);

// Classes of the vocabulary whose nouns are not in the scene, distinct nouns; fewer than `count` if there are not enough.
std::vector<ClassWords> DrawAbsent(const HeardScene& heard, size_t count, Random& random);

// "a dog" (the truth), nouns of other sources of the scene, then absent ones.
std::vector<std::string> DrawNouns(const HeardScene& heard, const HeardSource& truth, Random& random);

}  // namespace auricle::sim

#endif  // SIM_QUESTION_OPTION_DRAWING_H_
