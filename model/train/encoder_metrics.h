// How well the encoder hears, in figures that people can judge: degrees, metres, shares.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/train/encoder_loss.h"
#include "model/train/scene_targets.h"

namespace auricle::train {

// Gathers scenes batch by batch; not thread-safe.
class EncoderMetrics {
 public:
  // CPU or GPU tensors of one batch; slots are matched with sources by angle alone, so that classes are judged fairly.
  void Add(const EncoderPredictions& predictions, const SceneTargets& targets);

  // Name and value, in a fixed order:
  //   azimuth_median_deg, elevation_median_deg, distance_median_error (|d' - d| / d), front_back, left_right: scenes of
  //     one source, its most confident slot against the truth (front_back and left_right: share of right sides, among
  //     sources more than 15 degrees from the border);
  //   located: share of all sources with a confident slot within 20 degrees;
  //   class_top1, class_4: share of matched sources (within 30 degrees) whose class is first / first among itself and
  //     the three next classes of the vocabulary;
  //   count: share of scenes with as many confident slots as sources; exist: 1 - |confident slots - sources| / slots;
  //   activity: share of 100 ms frames of matched sources rightly called; t30_error: median |ln|.
  std::vector<std::pair<std::string, double>> Values() const;

 private:
  std::vector<double> azimuth_, elevation_, distance_, t30_;
  int64_t front_back_right_ = 0, front_back_ = 0, left_right_right_ = 0, left_right_ = 0, located_ = 0, sources_ = 0;
  int64_t matched_ = 0, top1_ = 0, top_of_4_ = 0, count_right_ = 0, scenes_ = 0, slots_right_ = 0, slots_ = 0;
  double activity_right_ = 0, activity_ = 0;
};

}  // namespace auricle::train
