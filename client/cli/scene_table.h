// A scene as a table for people, 80 columns, and as a file.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "auricle/v1/scene.pb.h"
#include "client/cli/terminal.h"

namespace auricle::client {

// One row a source: class, confidence, direction in degrees and words, elevation, distance, spans; then the room.
// `is_truth` marks rows ○a, ○b, ... instead of ●1, ●2, ... and leaves the confidence out.
std::string SceneTable(const v1::Scene& scene, bool is_truth, const TerminalStyle& style);

// A Scene in proto-JSON (camelCase or snake_case, unknown fields skipped). NOT_FOUND, INVALID_ARGUMENT.
absl::StatusOr<v1::Scene> ReadSceneFile(const std::string& path);

}  // namespace auricle::client
