// Rewards of a group of answers to one question: how they spread, and what each is worth beside the others.
#pragma once

#include <span>
#include <vector>

namespace auricle::train {

struct Spread {
  double mean = 0;
  double deviation = 0;  // of the population
};

// Zeros for no rewards.
Spread MeasureSpread(std::span<const double> rewards);

// True where some reward differs from another by more than 1e-9: a group without spread teaches nothing.
bool HasSpread(std::span<const double> rewards);

// GRPO's advantages (arXiv 2402.03300, section 4.1.2): (reward - mean) / (deviation + 1e-6); all zero without spread.
std::vector<double> GroupAdvantages(std::span<const double> rewards);

}  // namespace auricle::train
