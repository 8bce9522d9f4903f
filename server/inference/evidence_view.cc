#include "server/inference/evidence_view.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "absl/strings/str_cat.h"

namespace auricle::server {
namespace {

constexpr double kSameSourceDegrees = 30;
constexpr double kLabelRowsPerSecond = 10;

double AngleDegrees(const v1::Direction& a, const v1::Direction& b) {
  constexpr double kRadians = std::numbers::pi / 180;
  const double cosine = std::sin(a.elevation_deg() * kRadians) * std::sin(b.elevation_deg() * kRadians) +
                        std::cos(a.elevation_deg() * kRadians) * std::cos(b.elevation_deg() * kRadians) *
                            std::cos((a.azimuth_deg() - b.azimuth_deg()) * kRadians);
  return std::acos(std::clamp(cosine, -1.0, 1.0)) / kRadians;
}

}  // namespace

v1::Scene ViewEvidence(const v1::Scene& perceived, const std::string& scene_id, double start_seconds,
                       double end_seconds, bool include_tracks) {
  v1::Scene scene = perceived;
  scene.set_id(scene_id);
  scene.mutable_heard()->set_start_seconds(start_seconds);
  scene.mutable_heard()->set_end_seconds(std::min(end_seconds, start_seconds + perceived.duration_seconds()));
  const uint32_t rows = static_cast<uint32_t>(std::llround(start_seconds * kLabelRowsPerSecond));
  for (v1::Source& source : *scene.mutable_sources()) {
    for (v1::TimeSpan& span : *source.mutable_active()) {
      span.set_start_seconds(span.start_seconds() + start_seconds);
      span.set_end_seconds(span.end_seconds() + start_seconds);
    }
    if (!include_tracks) source.clear_frames();
    for (v1::SourceFrame& frame : *source.mutable_frames()) frame.set_frame(frame.frame() + rows);
  }
  return scene;
}

void SourceTracker::Name(v1::Scene* scene) {
  struct Pair {
    double angle;
    int now, before;
  };
  std::vector<Pair> pairs;
  for (int now = 0; now < scene->sources_size(); ++now) {
    for (int before = 0; before < last_.sources_size(); ++before) {
      if (scene->sources(now).class_name() != last_.sources(before).class_name()) continue;
      const double angle = AngleDegrees(scene->sources(now).direction(), last_.sources(before).direction());
      if (angle <= kSameSourceDegrees) pairs.push_back({angle, now, before});
    }
  }
  std::sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.angle < b.angle; });
  std::vector<bool> named(scene->sources_size(), false), taken(last_.sources_size(), false);
  for (const Pair& pair : pairs) {
    if (named[pair.now] || taken[pair.before]) continue;
    named[pair.now] = taken[pair.before] = true;
    scene->mutable_sources(pair.now)->set_id(last_.sources(pair.before).id());
  }
  for (int i = 0; i < scene->sources_size(); ++i) {
    if (!named[i]) scene->mutable_sources(i)->set_id(absl::StrCat("source-", next_++));
  }
  last_ = *scene;
}

}  // namespace auricle::server
