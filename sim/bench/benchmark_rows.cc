#include "sim/bench/benchmark_rows.h"

#include <google/protobuf/util/json_util.h>

#include <fstream>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "sim/question/questions.h"

namespace auricle::sim {
namespace {

using Json = nlohmann::ordered_json;
namespace util = google::protobuf::util;

template <typename Message>
std::string ToProtoJson(const Message& message) {
  util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  return util::MessageToJsonString(message, &text, options).ok() ? text : "{}";
}

template <typename Message>
bool FromProtoJson(const std::string& text, Message* message) {
  util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  return util::JsonStringToMessage(text, message, options).ok();
}

// Parses without exceptions; a line that is no object is an error.
absl::StatusOr<Json> ParseObject(const std::string& line) {
  Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return absl::InvalidArgumentError("not a JSON object");
  return json;
}

std::string Text(const Json& json, const char* field) {
  const auto it = json.find(field);
  if (it == json.end()) return "";
  return it->is_string() ? it->get<std::string>() : it->is_number() ? it->dump() : "";
}

template <typename Row, typename Parse>
absl::StatusOr<std::vector<Row>> ReadRows(const std::string& path, Parse parse) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": cannot be read"));
  std::vector<Row> rows;
  std::string line;
  for (size_t number = 1; std::getline(file, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    absl::StatusOr<Row> row = parse(line);
    if (!row.ok()) return absl::InvalidArgumentError(absl::StrCat(path, ":", number, ": ", row.status().message()));
    rows.push_back(*std::move(row));
  }
  return rows;
}

}  // namespace

std::string QuestionRowToJson(const QuestionRow& row) {
  const v1::Question& question = row.question;
  Json json;
  json["id"] = question.id();
  json["audio"] = row.audio;
  json["question"] = question.text();
  const bool choice = question.form() == v1::QUESTION_FORM_MULTIPLE_CHOICE;
  if (choice) json["options"] = std::vector<std::string>(question.options().begin(), question.options().end());
  json["form"] = choice ? "mcq" : "open";
  json["format"] = "ambix";
  json["task"] = question.task();
  json["level"] = static_cast<int>(question.level());
  json["answer"] = AnswerText(question);
  json["key"] = Json::parse(ToProtoJson(question.key()), nullptr, false);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<QuestionRow> QuestionRowFromJson(const std::string& line) {
  absl::StatusOr<Json> json = ParseObject(line);
  if (!json.ok()) return json.status();
  QuestionRow row;
  v1::Question& question = row.question;
  row.audio = Text(*json, "audio");
  question.set_id(Text(*json, "id"));
  question.set_text(Text(*json, "question"));
  question.set_task(Text(*json, "task"));
  if (question.id().empty()) return absl::InvalidArgumentError("id is missing");
  if (question.text().empty()) return absl::InvalidArgumentError("question is missing");
  if (row.audio.empty()) return absl::InvalidArgumentError("audio is missing");
  const auto options = json->find("options");
  if (options != json->end()) {
    if (!options->is_array()) return absl::InvalidArgumentError("options is not a list");
    for (const Json& option : *options) {
      if (!option.is_string()) return absl::InvalidArgumentError("options holds something that is not text");
      question.add_options(option.get<std::string>());
    }
  }
  question.set_form(question.options().empty() ? v1::QUESTION_FORM_OPEN : v1::QUESTION_FORM_MULTIPLE_CHOICE);
  const auto level = json->find("level");
  if (level != json->end() && level->is_number_integer() && v1::QuestionLevel_IsValid(level->get<int>())) {
    question.set_level(static_cast<v1::QuestionLevel>(level->get<int>()));
  }
  const auto key = json->find("key");
  if (key == json->end() || !FromProtoJson(key->dump(), question.mutable_key())) {
    return absl::InvalidArgumentError("key is missing or no AnswerKey");
  }
  return row;
}

absl::StatusOr<AnswerRow> AnswerRowFromJson(const std::string& line) {
  absl::StatusOr<Json> json = ParseObject(line);
  if (!json.ok()) return json.status();
  AnswerRow row;
  row.id = Text(*json, "id");
  row.answer = Text(*json, "answer");
  row.letter = Text(*json, "letter");
  if (row.id.empty()) return absl::InvalidArgumentError("id is missing");
  const auto error = json->find("error");
  if (error != json->end() && !error->is_null())
    row.error = error->is_string() ? error->get<std::string>() : error->dump();
  const auto scene = json->find("scene");
  if (scene != json->end() && scene->is_object()) {
    v1::Scene parsed;
    if (!FromProtoJson(scene->dump(), &parsed)) return absl::InvalidArgumentError("scene is no Scene");
    row.scene = std::move(parsed);
  }
  return row;
}

absl::StatusOr<std::vector<QuestionRow>> ReadQuestionRows(const std::string& path) {
  return ReadRows<QuestionRow>(path, QuestionRowFromJson);
}

absl::StatusOr<std::vector<AnswerRow>> ReadAnswerRows(const std::string& path) {
  return ReadRows<AnswerRow>(path, AnswerRowFromJson);
}

uint64_t FnvHash(std::string_view bytes, uint64_t hash) {
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace auricle::sim
