// A simulated question as a line of questions.jsonl, with its answer key, and back.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "auricle/v1/question.pb.h"
#include "nlohmann/json.hpp"

namespace auricle::client {

// {"id", "audio", "question", "options"?, "form", "task", "level": 1-3, "answer": letter or words, "key": AnswerKey in
// proto-JSON}: what auricle eval reads, and the truth for whoever judges.
nlohmann::ordered_json QuestionToJson(const v1::Question& question, const std::string& audio);

// A line with its key and the audio's path as it stands there. INVALID_ARGUMENT where question, audio or key are
// missing or wrong.
struct KeyedQuestion {
  v1::Question question;
  std::string audio;
};
absl::StatusOr<KeyedQuestion> QuestionFromJson(const std::string& line);

}  // namespace auricle::client
