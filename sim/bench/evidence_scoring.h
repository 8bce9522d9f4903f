// Perceived scenes held against their truths: which source is which, and how far off.
#ifndef SIM_BENCH_EVIDENCE_SCORING_H_
#define SIM_BENCH_EVIDENCE_SCORING_H_

#include <utility>
#include <vector>

#include "auricle/v1/scene.pb.h"

namespace auricle::sim {

// Perceived sources count from this confidence on.
inline constexpr float kPerceivedConfidence = 0.5f;

// Pairs (truth index, perceived index) of min(n, m) sources with the least sum of angles between directions. Perceived
// sources below kPerceivedConfidence are left out, and of the others all but the eight most confident.
std::vector<std::pair<int, int>> MatchSources(const v1::Scene& truth, const v1::Scene& perceived);

// Great-circle angle, degrees [0, 180].
double AngleBetween(const v1::Direction& a, const v1::Direction& b);

// Sides of single-source azimuths, as published front/back figures have them: truths within this angle of the border
// (the frontal plane for front/back, the median plane for left/right) are left out.
inline constexpr double kSideMarginDeg = 10.0;

struct AzimuthScore {
  int count = 0;
  int missing = 0;  // nothing claimed: error 180, both sides wrong
  double median_error_deg = 0;
  double front_back = 0;  // share right of those that are clearly front or back
  double left_right = 0;
};

struct AzimuthPair {
  double truth_deg = 0;
  double claimed_deg = 0;
  bool missing = false;
};
AzimuthScore ScoreAzimuths(const std::vector<AzimuthPair>& pairs);

// Detection in one-second segments after DCASE task 3 (Mesaros et al. 2019, "Joint measurement of localization and
// detection of sound events"): a source counts in a segment where it is active for at least a tenth of a second.
struct DetectionScore {
  int scenes = 0;
  double error_rate_20 = 0;            // ER20: substitutions, deletions, insertions over reference events; 20 degrees
  double f_20 = 0;                     // F20: right class within 20 degrees
  double f_20_any_class = 0;           // the same without the class
  double localisation_error_deg = 0;   // LE_CD: mean angle of sources of the right class
  double localisation_recall = 0;      // LR_CD: share of reference events whose class was found
  double relative_distance_error = 0;  // mean |d' - d| / d of matched sources
  double median_distance_error = 0;    // the median of the same
};

struct ScenePair {
  v1::Scene truth;
  v1::Scene perceived;
};
// The middle value, or the mean of the middle two; 0 of none.
double Median(std::vector<double> values);

DetectionScore ScoreDetection(const std::vector<ScenePair>& scenes);

}  // namespace auricle::sim

#endif  // SIM_BENCH_EVIDENCE_SCORING_H_
