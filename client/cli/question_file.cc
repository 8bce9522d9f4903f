#include "client/cli/question_file.h"

#include <filesystem>
#include <fstream>
#include <set>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "nlohmann/json.hpp"

namespace auricle::client {
namespace {

using Json = nlohmann::json;

// The string at `key`; an error naming the key where it is missing or something else.
absl::Status ReadString(const Json& json, const char* key, bool required, std::string& out) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) {
    return required ? absl::InvalidArgumentError(absl::StrCat(key, ": is missing")) : absl::OkStatus();
  }
  if (!found->is_string()) return absl::InvalidArgumentError(absl::StrCat(key, ": must be a string"));
  out = found->get<std::string>();
  return absl::OkStatus();
}

absl::Status ReadFields(const Json& json, const std::string& folder, QuestionRow& row) {
  if (!json.is_object()) return absl::InvalidArgumentError("must be a JSON object");
  const auto id = json.find("id");
  if (id == json.end()) return absl::InvalidArgumentError("id: is missing");
  if (!id->is_string() && !id->is_number_integer())
    return absl::InvalidArgumentError("id: must be a string or a whole number");
  row.id_json = id->dump(-1, ' ', false, Json::error_handler_t::replace);

  std::string audio, form, format, answer;
  for (const absl::Status& status :
       {ReadString(json, "audio", true, audio), ReadString(json, "question", true, row.question),
        ReadString(json, "form", false, form), ReadString(json, "format", false, format)}) {
    if (!status.ok()) return status;
  }
  row.audio_path = (std::filesystem::path(folder) / audio).string();
  if (!format.empty()) {
    row.format = FormatOf(format);
    if (row.format == v1::FOA_FORMAT_UNSPECIFIED) {
      return absl::InvalidArgumentError(absl::StrCat("format: is \"", format, "\", must be ambix, fuma or n3d"));
    }
  }
  if (const auto options = json.find("options"); options != json.end() && !options->is_null()) {
    if (!options->is_array()) return absl::InvalidArgumentError("options: must be a list of strings");
    for (const Json& option : *options) {
      if (!option.is_string()) return absl::InvalidArgumentError("options: must be a list of strings");
      row.options.push_back(option.get<std::string>());
    }
  }
  if (form.empty()) form = row.options.empty() ? "open" : "mcq";
  if (form == "open") {
    row.options.clear();
  } else if (form != "mcq") {
    return absl::InvalidArgumentError(absl::StrCat("form: is \"", form, "\", must be mcq or open"));
  } else if (row.options.empty()) {
    return absl::InvalidArgumentError("options: are missing, form is mcq");
  }
  // A truth of any other type is somebody else's business.
  if (const auto truth = json.find("answer"); form == "mcq" && truth != json.end() && truth->is_string()) {
    answer = truth->get<std::string>();
    if (answer.size() == 1) row.true_letter = answer;
  }
  return absl::OkStatus();
}

}  // namespace

QuestionRow ParseQuestionLine(const std::string& text, size_t line, const std::string& folder,
                              v1::FoaFormat default_format) {
  QuestionRow row;
  row.line = line;
  row.format = default_format;
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const absl::Status status =
      json.is_discarded() ? absl::InvalidArgumentError("is not JSON") : ReadFields(json, folder, row);
  if (!status.ok()) row.status = absl::Status(status.code(), absl::StrCat("line ", line, ": ", status.message()));
  return row;
}

absl::StatusOr<std::vector<QuestionRow>> ReadQuestionFile(const std::string& path, v1::FoaFormat default_format,
                                                          size_t limit) {
  std::ifstream file(path);
  if (!file || std::filesystem::is_directory(path)) return absl::NotFoundError(absl::StrCat(path, ": no such file"));
  const std::string folder = std::filesystem::path(path).parent_path().string();
  std::vector<QuestionRow> rows;
  std::set<std::string> ids;
  std::string text;
  for (size_t line = 1; std::getline(file, text) && (limit == 0 || rows.size() < limit); ++line) {
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    rows.push_back(ParseQuestionLine(text, line, folder, default_format));
    QuestionRow& row = rows.back();
    if (row.id_json != "null" && !ids.insert(row.id_json).second && row.status.ok()) {
      row.status = absl::InvalidArgumentError(absl::StrCat("line ", line, ": id: ", row.id_json, " was used before"));
    }
  }
  return rows;
}

}  // namespace auricle::client
