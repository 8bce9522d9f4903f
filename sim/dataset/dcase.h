// Scenes in the layout of DCASE task 3 and of the STARSS recordings, both ways.
//
// A CSV file beside each recording has one line for every source that sounds in a frame of 100 ms:
//   frame, class, source number, azimuth, elevation[, distance in centimetres]
// all whole numbers; azimuth in degrees, counter-clockwise seen from above as ours, elevation up; the distance since
// STARSS23 (Shimada et al. 2023, "STARSS23: An audio-visual dataset of spatial recordings of real scenes with
// spatiotemporal annotations of sound events"). Audio is AmbiX with four channels.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "auricle/v1/scene.pb.h"

namespace auricle::sim {

struct DcaseClass {
  std::string name;   // "female_speech"
  std::string label;  // "female speech, a woman speaking"
};

// The thirteen classes of STARSS22 and STARSS23, in their order.
std::vector<DcaseClass> StarssClasses();

// "index,name" a line, indices 0, 1, 2 ... in order; a first line that begins with a letter is a heading. What
// ClassListCsv writes. INVALID_ARGUMENT naming the line.
absl::StatusOr<std::vector<DcaseClass>> ParseClassList(std::string_view csv);
std::string ClassListCsv(const std::vector<DcaseClass>& classes);

// The scene that a CSV file describes, for a recording of `duration_seconds`. Sources are told apart by class and
// source number; frames without a line are silent, and keep the direction of the nearest frame that has one. Without a
// distance column distance_m is 0. A line twice for one frame and source: the first counts (some STARSS files have it).
// INVALID_ARGUMENT naming the line and the field: not five or six whole numbers, a frame outside [0, duration), a class
// outside `classes`, an azimuth outside [-180, 180], an elevation outside [-90, 90], a distance outside [0, 100000], or
// more than 64 sources. Spaces and an empty last line are fine.
absl::StatusOr<v1::Scene> SceneFromDcase(std::string_view csv, const std::vector<DcaseClass>& classes,
                                         const std::string& id, double duration_seconds);

// The lines of a scene's active frames, by frame and source; directions and distances rounded. Source numbers count the
// sources of each class from 0. NOT_FOUND: a class that `classes` lacks.
absl::StatusOr<std::string> SceneToDcase(const v1::Scene& scene, const std::vector<DcaseClass>& classes);

}  // namespace auricle::sim
