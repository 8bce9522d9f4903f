// What a listener can be asked about in a truth: the audible sources, with names that point at one of them only.
#ifndef SIM_QUESTION_HEARD_H_
#define SIM_QUESTION_HEARD_H_

#include <string>
#include <vector>

#include "auricle/v1/scene.pb.h"
#include "sim/question/class_words.h"
#include "sim/room/geometry.h"
#include "sim/scene/audibility.h"

namespace auricle::sim {

// A source that is heard this far from its mean direction, degrees, or by this factor from its mean distance, in any
// active row, has no one place.
inline constexpr double kStrayDegrees = 10.0, kStrayRatio = 1.25;

struct HeardSource {
  const v1::Source* source = nullptr;
  ClassWords words;
  double azimuth_deg = 0;    // (-180, 180]
  double elevation_deg = 0;  // [-90, 90]
  double distance_m = 0;
  double onset_s = 0;
  double end_s = 0;
  // No gap longer than 0.5 s between onset and end: the span says it all.
  bool one_span = false;
  // It is audible around its onset, and around its end: when it starts, and when it ends, can be told. What is masked
  // at first starts later for whoever listens.
  bool onset_heard = false;
  bool end_heard = false;
  // Its noun names no other source of the scene, audible or not: "the dog" is this one.
  bool unique = false;
  // Its motion is stated, or its track strays: where it is has no one answer.
  bool moving = false;
};

struct HeardScene {
  const v1::Scene* scene = nullptr;
  double duration_s = 0;
  // Audible sources by onset.
  std::vector<HeardSource> sources;
  // Every source of the truth is audible, and no recorded bed sounds behind them: the scene can be counted and
  // enumerated.
  bool complete = false;
  // Class names and nouns of all sources, audible or not, and of a recorded bed: never offered as absent.
  std::vector<std::string> present_nouns;

  // Whether every source's onset is heard: what starts first, last or next can be told.
  bool OrderHeard() const;

  // Audible, unique, not moving: what direction and distance questions may name.
  std::vector<const HeardSource*> Nameable() const;
};

// `truth` must outlive the result.
HeardScene HearScene(const v1::Scene& truth);

// Seconds in which the source is audible (audibility.h); sounding seconds where the truth carries no frames.
double AudibleSeconds(const v1::Source& source);

// --- angles ---
double WrapDegrees(double degrees);          // to (-180, 180]
double AzimuthDistance(double a, double b);  // [0, 180]
// Great-circle angle between two directions, degrees [0, 180].
double AngleBetween(const HeardSource& a, const HeardSource& b);

}  // namespace auricle::sim

#endif  // SIM_QUESTION_HEARD_H_
