// Lines of questions.jsonl and answers.jsonl (client/README.md).
//
//   {"id", "audio", "question", "options"?: [4], "form": "mcq"|"open", "format": "ambix", "task", "level": 1-3,
//   "answer",
//    "key": AnswerKey in proto-JSON}
//   {"id", "answer", "letter"?, "scene"?: Scene in proto-JSON, "error"?}
#ifndef SIM_BENCH_BENCHMARK_ROWS_H_
#define SIM_BENCH_BENCHMARK_ROWS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "auricle/v1/question.pb.h"
#include "auricle/v1/scene.pb.h"

namespace auricle::sim {

struct QuestionRow {
  v1::Question question;
  std::string audio;  // relative to the file's folder
};

struct AnswerRow {
  std::string id;
  std::string answer;
  std::string letter;              // empty where the answer gives none
  std::optional<v1::Scene> scene;  // the evidence
  std::string error;               // not empty: this row failed
};

// One line without its end.
std::string QuestionRowToJson(const QuestionRow& row);

// INVALID_ARGUMENT names the missing or wrong field.
absl::StatusOr<QuestionRow> QuestionRowFromJson(const std::string& line);
absl::StatusOr<AnswerRow> AnswerRowFromJson(const std::string& line);

// Whole files; blank lines are skipped, errors name file and line. NOT_FOUND where the file cannot be read.
absl::StatusOr<std::vector<QuestionRow>> ReadQuestionRows(const std::string& path);
absl::StatusOr<std::vector<AnswerRow>> ReadAnswerRows(const std::string& path);

// 64-bit FNV-1a, continued from `hash`: stamps files so that two benchmarks can be told apart.
inline constexpr uint64_t kFnvStart = 0xcbf29ce484222325ULL;
uint64_t FnvHash(std::string_view bytes, uint64_t hash = kFnvStart);

}  // namespace auricle::sim

#endif  // SIM_BENCH_BENCHMARK_ROWS_H_
