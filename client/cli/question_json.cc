#include "client/cli/question_json.h"

#include <google/protobuf/util/json_util.h>

namespace auricle::client {

using Json = nlohmann::ordered_json;

nlohmann::ordered_json QuestionToJson(const v1::Question& question, const std::string& audio) {
  const bool choice = question.form() == v1::QUESTION_FORM_MULTIPLE_CHOICE;
  Json json;
  json["id"] = question.id();
  json["audio"] = audio;
  json["question"] = question.text();
  if (choice) json["options"] = std::vector<std::string>(question.options().begin(), question.options().end());
  json["form"] = choice ? "mcq" : "open";
  json["task"] = question.task();
  json["level"] = static_cast<int>(question.level());
  json["answer"] = choice ? question.key().letter() : question.key().reference();
  std::string key;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  if (google::protobuf::util::MessageToJsonString(question.key(), &key, options).ok()) {
    json["key"] = Json::parse(key, nullptr, /*allow_exceptions=*/false);
  }
  return json;
}

absl::StatusOr<KeyedQuestion> QuestionFromJson(const std::string& line) {
  const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  const auto is_text = [&](const char* field) { return json.contains(field) && json[field].is_string(); };
  if (!json.is_object() || !is_text("question") || !is_text("audio") || !json.contains("key")) {
    return absl::InvalidArgumentError("question: must be an object with question, audio and key");
  }
  KeyedQuestion read;
  read.audio = json["audio"].get<std::string>();
  v1::Question& question = read.question;
  question.set_text(json["question"].get<std::string>());
  if (is_text("id")) question.set_id(json["id"].get<std::string>());
  if (is_text("task")) question.set_task(json["task"].get<std::string>());
  if (json.contains("level") && json["level"].is_number_integer()) {
    const int level = json["level"].get<int>();
    if (v1::QuestionLevel_IsValid(level)) question.set_level(static_cast<v1::QuestionLevel>(level));
  }
  if (json.contains("options") && json["options"].is_array()) {
    for (const Json& option : json["options"]) {
      if (!option.is_string()) return absl::InvalidArgumentError("options: must be strings");
      question.add_options(option.get<std::string>());
    }
  }
  question.set_form(question.options().empty() ? v1::QUESTION_FORM_OPEN : v1::QUESTION_FORM_MULTIPLE_CHOICE);
  if (!google::protobuf::util::JsonStringToMessage(json["key"].dump(), question.mutable_key()).ok()) {
    return absl::InvalidArgumentError("key: is not an AnswerKey in JSON");
  }
  return read;
}

}  // namespace auricle::client
