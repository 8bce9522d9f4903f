// Answers as JSON: the shape of `auricle ask --json` and of a line of answers.jsonl (docs: client/README.md).
#pragma once

#include <string>

#include "absl/status/status.h"
#include "auricle/v1/inference.pb.h"
#include "auricle/v1/scene.pb.h"
#include "nlohmann/json.hpp"

namespace auricle::client {

// Proto-JSON with the field names of the .proto file (snake_case) and zeros written out, so that 0 degrees is there.
nlohmann::ordered_json SceneToJson(const v1::Scene& scene);

// {"answer", "letter"?, "probabilities"?: {"A": 0.7, ...}, "scene" (null where omitted), "ttft_ms"}.
nlohmann::ordered_json AnswerToJson(const v1::AskResponse& response);

// {"code", "message", "reason"?, "fields"?: [{"field", "description"}], "retry_seconds"?}.
nlohmann::ordered_json ErrorToJson(const absl::Status& status);

// One line; bytes that are not UTF-8 become U+FFFD.
std::string ToLine(const nlohmann::ordered_json& json);

}  // namespace auricle::client
