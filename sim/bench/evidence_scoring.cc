#include "sim/bench/evidence_scoring.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/question/heard.h"

namespace auricle::sim {
namespace {

constexpr size_t kMostPerceived = 8;
constexpr double kDetectionAngleDeg = 20.0;

// Indices of confident sources, the most confident first.
std::vector<int> Confident(const v1::Scene& perceived) {
  std::vector<int> kept;
  for (int i = 0; i < perceived.sources_size(); ++i) {
    if (perceived.sources(i).confidence() >= kPerceivedConfidence) kept.push_back(i);
  }
  std::stable_sort(kept.begin(), kept.end(), [&perceived](int a, int b) {
    return perceived.sources(a).confidence() > perceived.sources(b).confidence();
  });
  if (kept.size() > kMostPerceived) kept.resize(kMostPerceived);
  return kept;
}

// The injection of the smaller side into the larger with the least cost, by trying all. cost[i][j], rows <= 4 or
// columns <= 4 in our scenes; rows index `chosen`.
class BestAssignment {
 public:
  explicit BestAssignment(std::vector<std::vector<double>> cost) : cost_(std::move(cost)) {
    chosen_.assign(cost_.size(), -1);
    used_.assign(cost_.empty() ? 0 : cost_[0].size(), false);
    const size_t columns = used_.size();
    pairs_wanted_ = std::min(cost_.size(), columns);
    Try(0, 0, 0.0);
  }
  const std::vector<int>& columns() const { return best_; }

 private:
  void Try(size_t row, size_t pairs, double cost) {
    if (cost >= best_cost_) return;
    if (row == cost_.size()) {
      if (pairs == pairs_wanted_) best_cost_ = cost, best_ = chosen_;
      return;
    }
    for (size_t column = 0; column < used_.size(); ++column) {
      if (used_[column]) continue;
      used_[column] = true;
      chosen_[row] = static_cast<int>(column);
      Try(row + 1, pairs + 1, cost + cost_[row][column]);
      used_[column] = false;
    }
    chosen_[row] = -1;
    if (cost_.size() - row - 1 + pairs >= pairs_wanted_) Try(row + 1, pairs, cost);
  }

  std::vector<std::vector<double>> cost_;
  std::vector<int> chosen_, best_;
  std::vector<bool> used_;
  size_t pairs_wanted_ = 0;
  double best_cost_ = 1e30;
};

bool ActiveIn(const v1::Source& source, double start, double end) {
  double overlap = 0;
  for (const v1::TimeSpan& span : source.active()) {
    overlap += std::max(0.0, std::min(end, span.end_seconds()) - std::max(start, span.start_seconds()));
  }
  return overlap >= 0.1 - 1e-9;
}

// Pairs within one segment; with `same_class`, only sources of the same class may be paired.
std::vector<std::pair<const v1::Source*, const v1::Source*>> PairUp(const std::vector<const v1::Source*>& truth,
                                                                    const std::vector<const v1::Source*>& perceived,
                                                                    bool same_class) {
  constexpr double kForbidden = 1e6;
  std::vector<std::pair<const v1::Source*, const v1::Source*>> pairs;
  if (truth.empty() || perceived.empty()) return pairs;
  std::vector<std::vector<double>> cost;
  for (const v1::Source* t : truth) {
    std::vector<double>& row = cost.emplace_back();
    for (const v1::Source* p : perceived) {
      const bool allowed = !same_class || t->class_name() == p->class_name();
      row.push_back(allowed ? AngleBetween(t->direction(), p->direction()) : kForbidden);
    }
  }
  const BestAssignment best(cost);
  for (size_t i = 0; i < best.columns().size(); ++i) {
    const int column = best.columns()[i];
    if (column >= 0 && cost[i][static_cast<size_t>(column)] < kForbidden) {
      pairs.push_back({truth[i], perceived[static_cast<size_t>(column)]});
    }
  }
  return pairs;
}

double Share(double part, double whole) { return whole > 0 ? part / whole : 0.0; }

}  // namespace

double AngleBetween(const v1::Direction& a, const v1::Direction& b) {
  return AngleDeg(UnitVector(a.azimuth_deg(), a.elevation_deg()), UnitVector(b.azimuth_deg(), b.elevation_deg()));
}

std::vector<std::pair<int, int>> MatchSources(const v1::Scene& truth, const v1::Scene& perceived) {
  const std::vector<int> kept = Confident(perceived);
  std::vector<std::pair<int, int>> pairs;
  if (kept.empty() || truth.sources().empty()) return pairs;
  std::vector<std::vector<double>> cost;
  for (const v1::Source& source : truth.sources()) {
    std::vector<double>& row = cost.emplace_back();
    for (int k : kept) row.push_back(AngleBetween(source.direction(), perceived.sources(k).direction()));
  }
  const BestAssignment best(cost);
  for (size_t i = 0; i < best.columns().size(); ++i) {
    if (best.columns()[i] >= 0) pairs.push_back({static_cast<int>(i), kept[static_cast<size_t>(best.columns()[i])]});
  }
  return pairs;
}

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
}

AzimuthScore ScoreAzimuths(const std::vector<AzimuthPair>& pairs) {
  AzimuthScore score;
  score.count = static_cast<int>(pairs.size());
  std::vector<double> errors;
  double front_back = 0, front_back_of = 0, left_right = 0, left_right_of = 0;
  for (const AzimuthPair& pair : pairs) {
    score.missing += pair.missing ? 1 : 0;
    errors.push_back(pair.missing ? 180.0 : AzimuthDistance(pair.truth_deg, pair.claimed_deg));
    const double truth = WrapDegrees(pair.truth_deg);
    const double claimed = WrapDegrees(pair.claimed_deg);
    if (std::abs(std::abs(truth) - 90.0) >= kSideMarginDeg) {
      ++front_back_of;
      front_back += !pair.missing && (std::abs(truth) < 90.0) == (std::abs(claimed) < 90.0) ? 1 : 0;
    }
    if (std::abs(truth) >= kSideMarginDeg && std::abs(truth) <= 180.0 - kSideMarginDeg) {
      ++left_right_of;
      left_right += !pair.missing && (truth > 0) == (claimed > 0) ? 1 : 0;
    }
  }
  score.median_error_deg = Median(std::move(errors));
  score.front_back = Share(front_back, front_back_of);
  score.left_right = Share(left_right, left_right_of);
  return score;
}

DetectionScore ScoreDetection(const std::vector<ScenePair>& scenes) {
  DetectionScore score;
  score.scenes = static_cast<int>(scenes.size());
  double references = 0, claims = 0, hits = 0, hits_any_class = 0, errors = 0;
  double angles = 0, classed = 0;
  std::vector<double> distance_errors;
  for (const auto& [truth, perceived] : scenes) {
    const std::vector<int> kept = Confident(perceived);
    for (double start = 0; start + 0.1 < truth.duration_seconds(); start += 1.0) {
      std::vector<const v1::Source*> here, heard;
      for (const v1::Source& source : truth.sources()) {
        if (ActiveIn(source, start, start + 1.0)) here.push_back(&source);
      }
      for (int k : kept) {
        if (ActiveIn(perceived.sources(k), start, start + 1.0)) heard.push_back(&perceived.sources(k));
      }
      double right = 0;
      for (const auto& [t, p] : PairUp(here, heard, true)) {
        const double angle = AngleBetween(t->direction(), p->direction());
        angles += angle;
        ++classed;
        right += angle <= kDetectionAngleDeg ? 1 : 0;
      }
      for (const auto& [t, p] : PairUp(here, heard, false)) {
        hits_any_class += AngleBetween(t->direction(), p->direction()) <= kDetectionAngleDeg ? 1 : 0;
      }
      hits += right;
      references += static_cast<double>(here.size());
      claims += static_cast<double>(heard.size());
      // Deletions and insertions of a segment cancel into substitutions: max of the two remains.
      errors += std::max(static_cast<double>(here.size()) - right, static_cast<double>(heard.size()) - right);
    }
    for (const auto& [t, p] : MatchSources(truth, perceived)) {
      const double metres = truth.sources(t).distance_m();
      if (metres <= 0) continue;
      distance_errors.push_back(std::abs(perceived.sources(p).distance_m() - metres) / metres);
    }
  }
  score.error_rate_20 = Share(errors, references);
  score.f_20 = Share(2.0 * hits, references + claims);
  score.f_20_any_class = Share(2.0 * hits_any_class, references + claims);
  score.localisation_error_deg = classed > 0 ? angles / classed : 180.0;
  score.localisation_recall = Share(classed, references);
  score.relative_distance_error = Share(std::accumulate(distance_errors.begin(), distance_errors.end(), 0.0),
                                        static_cast<double>(distance_errors.size()));
  score.median_distance_error = Median(std::move(distance_errors));
  return score;
}

}  // namespace auricle::sim
