// A run of `auricle eval`: many questions, several at a time, answers written in the order of the questions.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "auricle/v1/inference.pb.h"
#include "client/cli/question_file.h"
#include "client/cpp/spatial_qa_client.h"

namespace auricle::client {

// Answer lines (without line end) by the id of their question, as QuestionRow::id_json writes it.
using AnswerLines = std::map<std::string, std::string>;

// The answered rows of an answers.jsonl: lines with an id and without "error". A torn last line is left out; a missing
// file has none.
AnswerLines ReadAnswered(const std::string& path);

struct EvalOptions {
  size_t concurrency = 4;  // questions in flight
  std::string model;
  v1::SamplingParams sampling;
  CallOptions call;
  // RESOURCE_EXHAUSTED that names a delay (google.rpc.RetryInfo) is tried again after it, so often and so late at most.
  // UNAVAILABLE too; where it names no delay, after the first one here, doubled from try to try. Once a row has used up
  // its tries on a server that is away, the rows behind it have one each until it answers again.
  int max_retries = 30;
  absl::Duration first_retry_delay = absl::Seconds(1);
  absl::Duration max_retry_delay = absl::Seconds(10);
};

struct EvalCounts {
  size_t rows = 0;
  size_t done = 0;  // answered, failed or kept
  size_t failed = 0;
  size_t kept = 0;    // taken over from an earlier run
  size_t graded = 0;  // multiple choice with a known answer
  size_t correct = 0;
  bool server_away = false;  // at the end of the run: the last rows failed for that alone
};

// Asks every row that `kept` does not answer and appends each line to `out_path` as soon as all lines before it are
// there. A row that fails becomes a line with "error". The audio of a clip is read once for all its questions.
//   `progress` is called after each row, by one thread at a time, in no fixed order of rows.
//   `stop` set: no new row is begun; those in flight end, and what is answered is written.
// UNAVAILABLE when `out_path` cannot be written, and then no new row is begun either; what failed on the way is in the
// counts.
absl::StatusOr<EvalCounts> RunEval(const SpatialQaClient& client, const std::vector<QuestionRow>& rows,
                                   const AnswerLines& kept, const std::string& out_path, const EvalOptions& options,
                                   const std::function<void(const EvalCounts&)>& progress,
                                   const std::atomic<bool>& stop);

}  // namespace auricle::client
