#include "model/train/group_statistics.h"

#include <algorithm>
#include <cmath>

namespace auricle::train {

Spread MeasureSpread(std::span<const double> rewards) {
  Spread spread;
  const auto count = static_cast<double>(rewards.size());
  for (const double reward : rewards) spread.mean += reward / count;
  double variance = 0;
  for (const double reward : rewards) variance += (reward - spread.mean) * (reward - spread.mean) / count;
  spread.deviation = std::sqrt(variance);
  return spread;
}

bool HasSpread(std::span<const double> rewards) {
  if (rewards.empty()) return false;
  const auto [low, high] = std::minmax_element(rewards.begin(), rewards.end());
  return *high - *low > 1e-9;
}

std::vector<double> GroupAdvantages(std::span<const double> rewards) {
  std::vector<double> advantages(rewards.size(), 0.0);
  if (!HasSpread(rewards)) return advantages;
  const Spread spread = MeasureSpread(rewards);
  for (size_t i = 0; i < rewards.size(); ++i) advantages[i] = (rewards[i] - spread.mean) / (spread.deviation + 1e-6);
  return advantages;
}

}  // namespace auricle::train
