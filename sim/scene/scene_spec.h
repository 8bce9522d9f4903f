// The distributions from which scenes are drawn, with their stated defaults filled in and checked once.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "auricle/v1/scene.pb.h"

namespace auricle::sim {

// Every field that is not set gets the default that scene.proto states; a set field is kept as it is.
v1::SceneSpec WithDefaults(const v1::SceneSpec& spec);

// Checks a spec with its defaults filled in. INVALID_ARGUMENT names the field, its value and the allowed range.
absl::Status Validate(const v1::SceneSpec& spec);

// A spec from its proto-JSON. INVALID_ARGUMENT: text that is no JSON, a field that there is not, or a value of the
// wrong kind, each named; or, with defaults filled in, one out of range. What is left out stays unset.
absl::StatusOr<v1::SceneSpec> ParseSceneSpec(std::string_view json);

// The distribution at full strength, sim/scene/full.json, compiled in: one to four sources that overlap or follow each
// other, from 0.3 to 15 m away, in dry closets, ringing halls and the open, some of them and some listeners in motion.
// Its split is unset.
v1::SceneSpec FullSceneSpec();

}  // namespace auricle::sim
