// A Scene as proto-JSON, the form in which truth lies beside audio.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "auricle/v1/scene.pb.h"

namespace auricle::sim {

// Fields named as in the .proto file, zeros written out.
std::string SceneToJsonText(const v1::Scene& scene);

// Fields in either spelling (camelCase, snake_case), unknown ones skipped. INVALID_ARGUMENT opens with `where`.
absl::StatusOr<v1::Scene> ParseScene(const std::string& json, const std::string& where);

// A file of at most 64 MiB. NOT_FOUND, INVALID_ARGUMENT.
absl::StatusOr<v1::Scene> ReadSceneFile(const std::string& path);

}  // namespace auricle::sim
