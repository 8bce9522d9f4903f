// A scene as a table for people, 80 columns.
#pragma once

#include <string>

#include "auricle/v1/scene.pb.h"
#include "client/cli/terminal.h"

namespace auricle::client {

// One row a source: class, confidence, direction in degrees and words, elevation, distance, spans; then the room.
// `is_truth` marks rows ○a, ○b, ... instead of ●1, ●2, ... and leaves the confidence out.
std::string SceneTable(const v1::Scene& scene, bool is_truth, const TerminalStyle& style);

}  // namespace auricle::client
