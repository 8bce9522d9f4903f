// The distributions from which scenes are drawn, with their stated defaults filled in and checked once.
#pragma once

#include "absl/status/status.h"
#include "auricle/v1/scene.pb.h"

namespace auricle::sim {

// Every field that is not set gets the default that scene.proto states; a set field is kept as it is.
v1::SceneSpec WithDefaults(const v1::SceneSpec& spec);

// Checks a spec with its defaults filled in. INVALID_ARGUMENT names the field, its value and the allowed range.
absl::Status Validate(const v1::SceneSpec& spec);

}  // namespace auricle::sim
