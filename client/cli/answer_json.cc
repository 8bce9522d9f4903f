#include "client/cli/answer_json.h"

#include <google/protobuf/util/json_util.h>

#include "client/cpp/status_details.h"

namespace auricle::client {

using Json = nlohmann::ordered_json;

nlohmann::ordered_json SceneToJson(const v1::Scene& scene) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(scene, &text, options).ok()) return nullptr;
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

nlohmann::ordered_json AnswerToJson(const v1::AskResponse& response) {
  Json json;
  json["answer"] = response.answer();
  if (!response.letter().empty()) json["letter"] = response.letter();
  if (!response.probabilities().empty()) {
    Json& probabilities = json["probabilities"] = Json::object();
    for (const v1::OptionProbability& option : response.probabilities()) {
      probabilities[option.letter()] = option.probability();
    }
  }
  json["scene"] = response.has_scene() ? SceneToJson(response.scene()) : Json(nullptr);
  json["ttft_ms"] = response.usage().time_to_first_token_seconds() * 1000.0;
  return json;
}

nlohmann::ordered_json ErrorToJson(const absl::Status& status) {
  const ErrorDetails details = ReadErrorDetails(status);
  Json json;
  json["code"] = absl::StatusCodeToString(status.code());
  json["message"] = std::string(status.message());
  if (!details.reason.empty()) json["reason"] = details.reason;
  for (const FieldViolation& violation : details.fields) {
    json["fields"].push_back({{"field", violation.field}, {"description", violation.description}});
  }
  if (details.retry_delay.has_value()) json["retry_seconds"] = absl::ToDoubleSeconds(*details.retry_delay);
  return json;
}

std::string ToLine(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace auricle::client
