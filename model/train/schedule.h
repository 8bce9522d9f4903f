// Learning rates over a stage: linear warm-up, then half a cosine down to a floor.
#pragma once

#include <cstdint>

namespace auricle::train {

struct Schedule {
  double peak = 1e-3;
  int64_t warmup_steps = 200;
  int64_t total_steps = 10000;  // at this step the rate is peak * floor
  double floor = 0.02;          // fraction of the peak, [0, 1]

  // Rate of step `step` (0-based). Past total_steps it stays at the floor. Never 0 at step 0: warm-up starts at
  // peak / warmup_steps.
  double Rate(int64_t step) const;
};

// Weight of the old average in an exponential moving average after `step` updates: min(decay, (1 + step) / (10 +
// step)), so that the first weights, which are noise, are soon forgotten.
double EmaDecay(double decay, int64_t step);

}  // namespace auricle::train
