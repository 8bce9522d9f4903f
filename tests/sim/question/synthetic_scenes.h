// Truths without audio: sources in shoebox rooms as a scene sampler would place them, for tests of questions.
#ifndef TESTS_SIM_QUESTION_SYNTHETIC_SCENES_H_
#define TESTS_SIM_QUESTION_SYNTHETIC_SCENES_H_

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "auricle/v1/scene.pb.h"
#include "sim/question/class_words.h"
#include "sim/question/heard.h"
#include "sim/question/priors.h"
#include "sim/scene/random.h"

namespace auricle::sim {

// Adds a resting source that is audible from `start` to `end`.
inline v1::Source& AddSource(v1::Scene& scene, const std::string& class_name, double azimuth, double elevation,
                             double metres, double start, double end, float signal_to_rest_db = 0.0f) {
  v1::Source& source = *scene.add_sources();
  source.set_id("source-" + std::to_string(scene.sources_size()));
  source.set_class_name(class_name);
  if (const ClassWords* words = FindClassWords(class_name)) source.set_class_label(words->label);
  source.set_confidence(1.0f);
  source.mutable_direction()->set_azimuth_deg(azimuth);
  source.mutable_direction()->set_elevation_deg(elevation);
  source.set_distance_m(metres);
  source.set_motion(v1::MOTION_KIND_STATIC);
  v1::TimeSpan& span = *source.add_active();
  span.set_start_seconds(start);
  span.set_end_seconds(end);
  for (int i = 0; i < static_cast<int>(std::lround(scene.duration_seconds() * 10)); ++i) {
    v1::SourceFrame& frame = *source.add_frames();
    frame.set_frame(static_cast<uint32_t>(i));
    const bool sounds = i / 10.0 < end && (i + 1) / 10.0 > start;
    frame.set_activity(sounds ? 1.0f : 0.0f);
    if (sounds) frame.set_signal_to_rest_db(signal_to_rest_db);
    *frame.mutable_direction() = source.direction();
    frame.set_distance_m(metres);
  }
  return source;
}

inline v1::Scene EmptyScene(double seconds = 10.0) {
  v1::Scene scene;
  scene.set_id("synthetic");
  scene.set_duration_seconds(seconds);
  scene.mutable_room()->set_volume_m3(70);
  scene.mutable_room()->set_t30_seconds(0.4);
  return scene;
}

// Onsets, distances, elevations, reverberation and sizes are spread as in scenes of default distributions (priors.h).
// One to three sources of different classes, 20 degrees or more apart; one scene in ten is free field.
inline v1::Scene DrawScene(uint64_t index) {
  Random random(17, index, "synthetic");
  v1::Scene scene = EmptyScene(random.Chance(0.5) ? 5.0 : 10.0);
  scene.set_id("synthetic-17-" + std::to_string(index));
  if (random.Chance(0.1)) {
    scene.mutable_room()->set_free_field(true);
    scene.mutable_room()->set_volume_m3(0);
    scene.mutable_room()->set_t30_seconds(0);
  } else {
    scene.mutable_room()->set_volume_m3(DrawFromPrior(NumberKind::kVolume, random));
    scene.mutable_room()->set_t30_seconds(DrawFromPrior(NumberKind::kReverberation, random));
  }
  const int sources = static_cast<int>(random.Int(1, 3));
  std::vector<std::string> classes;
  for (const ClassWords& words : AllClassWords()) classes.push_back(words.name);
  random.Shuffle(classes);
  std::vector<Vec3> directions;
  for (int i = 0; i < sources;) {
    const double azimuth = random.Uniform(-180, 180);
    const double metres = DrawFromPrior(NumberKind::kDistance, random);
    const double elevation = DrawFromPrior(NumberKind::kElevation, random);
    const Vec3 towards = UnitVector(azimuth, elevation);
    bool apart = true;
    for (const Vec3& other : directions) apart &= AngleDeg(towards, other) >= 20.0;
    if (!apart) continue;
    const NumberKind onset =
        scene.duration_seconds() <= kShortClipSeconds ? NumberKind::kOnsetInShort : NumberKind::kOnsetInLong;
    const double start = DrawFromPrior(onset, random);
    const double end = std::min(scene.duration_seconds(), start + random.LogUniform(0.3, 6.0));
    AddSource(scene, classes[i], azimuth, elevation, metres, start, end);
    directions.push_back(towards);
    ++i;
  }
  return scene;
}

}  // namespace auricle::sim

#endif  // TESTS_SIM_QUESTION_SYNTHETIC_SCENES_H_
