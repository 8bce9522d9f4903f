#include "client/cli/eval_run.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/answer_json.h"
#include "client/cpp/backoff.h"
#include "client/cpp/status_details.h"

namespace auricle::client {
namespace {

using Json = nlohmann::ordered_json;

bool IsKept(const QuestionRow& row, const AnswerLines& kept) {
  return row.status.ok() && kept.find(row.id_json) != kept.end();
}

// Files that several rows ask about, read once and let go after the last of them. Thread-safe.
class ClipCache {
 public:
  // Of the rows that `kept` does not answer.
  ClipCache(const std::vector<QuestionRow>& rows, const AnswerLines& kept) {
    for (const QuestionRow& row : rows) {
      if (row.status.ok() && !IsKept(row, kept)) ++entries_[Key(row)].uses_left;
    }
  }

  // Counts as one use of the row's clip.
  absl::StatusOr<std::shared_ptr<const v1::AudioClip>> Take(const QuestionRow& row) {
    Entry& entry = entries_.at(Key(row));  // the map itself no longer changes
    const std::lock_guard lock(entry.mutex);
    if (!entry.clip.has_value()) {
      absl::StatusOr<v1::AudioClip> clip = AudioFromFile(row.audio_path, row.format);
      if (clip.ok()) {
        entry.clip = std::make_shared<const v1::AudioClip>(*std::move(clip));
      } else {
        entry.clip = absl::Status(clip.status().code(), absl::StrCat("audio: ", clip.status().message()));
      }
    }
    const auto taken = *entry.clip;
    if (--entry.uses_left == 0) entry.clip.reset();
    return taken;
  }

 private:
  struct Entry {
    std::mutex mutex;
    size_t uses_left = 0;
    std::optional<absl::StatusOr<std::shared_ptr<const v1::AudioClip>>> clip;
  };
  static std::pair<std::string, int> Key(const QuestionRow& row) { return {row.audio_path, row.format}; }
  std::map<std::pair<std::string, int>, Entry> entries_;
};

// Lines go out in the order of their rows, each as soon as it may. Not thread-safe.
class OrderedLines {
 public:
  OrderedLines(const std::string& path, size_t rows) : file_(path, std::ios::trunc), lines_(rows) {}

  bool ok() const { return file_.good(); }
  void Put(size_t row, std::string line) {
    lines_[row] = std::move(line);
    for (; next_ < lines_.size() && lines_[next_].has_value(); ++next_) WriteOut(*lines_[next_]);
    file_.flush();
  }
  // After an interruption: what lies behind a gap is written too, without the gap.
  void PutRest() {
    for (; next_ < lines_.size(); ++next_) {
      if (lines_[next_].has_value()) WriteOut(*lines_[next_]);
    }
    file_.flush();
  }

 private:
  void WriteOut(std::string& line) {
    file_ << line << '\n';
    line = std::string();
  }
  std::ofstream file_;
  std::vector<std::optional<std::string>> lines_;
  size_t next_ = 0;
};

std::string ErrorLine(const QuestionRow& row, const absl::Status& status) {
  Json line;
  line["id"] = Json::parse(row.id_json);
  line["answer"] = "";
  line["scene"] = nullptr;
  line["ttft_ms"] = nullptr;
  line["error"] = DescribeError(status);
  if (row.id_json == "null") line["line"] = row.line;
  return ToLine(line);
}

// What the rows of one run share while they are asked.
struct Asking {
  const SpatialQaClient& client;
  const EvalOptions& options;
  std::function<bool()> halted;          // the run is over: no other try
  std::atomic<bool> server_away{false};  // a row has waited for the server as long as it may, and none came since
};

// How long to wait before the next try; empty where none makes sense.
std::optional<absl::Duration> RetryDelay(const absl::Status& status, int attempt, const EvalOptions& options) {
  const std::optional<absl::Duration> named = ReadErrorDetails(status).retry_delay;
  // Full without a delay is not a matter of load: the clip or the question is too large.
  if (absl::IsResourceExhausted(status) && !named.has_value()) return std::nullopt;
  if (!absl::IsResourceExhausted(status) && !absl::IsUnavailable(status)) return std::nullopt;
  const absl::Duration doubled = options.first_retry_delay * (1 << std::min(attempt, 20));
  return std::min(std::max(named.value_or(doubled), absl::Milliseconds(10)), options.max_retry_delay);
}

absl::StatusOr<v1::AskResponse> AskWithRetries(const v1::AskRequest& request, Asking& asking) {
  for (int attempt = 0;; ++attempt) {
    absl::StatusOr<v1::AskResponse> response = asking.client.Ask(request, asking.options.call);
    const bool away = absl::IsUnavailable(response.status());
    if (!away) asking.server_away = false;
    const std::optional<absl::Duration> delay = RetryDelay(response.status(), attempt, asking.options);
    if (!delay.has_value() || asking.halted() || (away && asking.server_away)) return response;
    if (attempt >= asking.options.max_retries) {
      if (away) asking.server_away = true;
      return response;
    }
    SleepUnless(*delay, asking.halted);
  }
}

absl::StatusOr<v1::AskResponse> AskRow(const QuestionRow& row, ClipCache& clips, Asking& asking) {
  if (!row.status.ok()) return row.status;
  const auto clip = clips.Take(row);
  if (!clip.ok()) return clip.status();
  v1::AskRequest request;
  request.set_model(asking.options.model);
  *request.mutable_audio() = **clip;
  request.set_question(row.question);
  for (const std::string& option : row.options) request.add_options(option);
  *request.mutable_sampling() = asking.options.sampling;
  return AskWithRetries(request, asking);
}

// Of a line of an earlier run, which anybody may have edited since: "" where it has none.
std::string LetterOf(const std::string& answer_line) {
  const Json line = Json::parse(answer_line, nullptr, /*allow_exceptions=*/false);
  if (!line.is_object() || !line.contains("letter") || !line["letter"].is_string()) return "";
  return line["letter"].get<std::string>();
}

}  // namespace

AnswerLines ReadAnswered(const std::string& path) {
  AnswerLines answered;
  std::ifstream file(path);
  for (std::string text; std::getline(file, text);) {
    const Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (line.is_object() && line.contains("id") && !line["id"].is_null() && line.contains("answer") &&
        !line.contains("error")) {
      answered[line["id"].dump()] = text;
    }
  }
  return answered;
}

absl::StatusOr<EvalCounts> RunEval(const SpatialQaClient& client, const std::vector<QuestionRow>& rows,
                                   const AnswerLines& kept, const std::string& out_path, const EvalOptions& options,
                                   const std::function<void(const EvalCounts&)>& progress,
                                   const std::atomic<bool>& stop) {
  OrderedLines lines(out_path, rows.size());
  if (!lines.ok()) return absl::UnavailableError(absl::StrCat(out_path, ": cannot be written"));
  ClipCache clips(rows, kept);
  EvalCounts counts;
  counts.rows = rows.size();
  std::mutex mutex;  // guards lines and counts
  std::atomic<size_t> next = 0;
  std::atomic<bool> unwritable = false;  // a full disk: whatever else is answered would be lost
  const auto halted = [&] { return stop || unwritable; };
  Asking asking{client, options, halted};

  const auto grade = [&](const QuestionRow& row, const std::string& letter) {
    if (row.true_letter.empty()) return;
    ++counts.graded;
    counts.correct += letter == row.true_letter;
  };
  // With `mutex` held.
  const auto finish_row = [&](size_t row, const std::string& line) {
    ++counts.done;
    lines.Put(row, line);
    if (!lines.ok()) unwritable = true;
    progress(counts);
  };
  const auto work = [&] {
    for (size_t i; !halted() && (i = next++) < rows.size();) {
      const QuestionRow& row = rows[i];
      if (IsKept(row, kept)) {
        const std::string& old = kept.at(row.id_json);
        const std::lock_guard lock(mutex);
        ++counts.kept;
        grade(row, LetterOf(old));
        finish_row(i, old);
        continue;
      }
      const absl::StatusOr<v1::AskResponse> response = AskRow(row, clips, asking);
      if (halted() && !response.ok() && row.status.ok()) continue;  // given up, not answered: --resume asks it again
      Json line;
      if (response.ok()) {
        line["id"] = Json::parse(row.id_json);
        line.update(AnswerToJson(*response));
      }
      const std::string text = response.ok() ? ToLine(line) : ErrorLine(row, response.status());
      const std::lock_guard lock(mutex);
      counts.failed += !response.ok();
      grade(row, response.ok() ? response->letter() : "");
      finish_row(i, text);
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < std::min(options.concurrency, rows.size()); ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  // Kept answers behind the point of interruption must not be lost.
  for (size_t i = next; stop && i < rows.size(); ++i) {
    if (const auto old = kept.find(rows[i].id_json); old != kept.end()) lines.Put(i, old->second);
  }
  lines.PutRest();
  if (!lines.ok()) return absl::UnavailableError(absl::StrCat(out_path, ": cannot be written"));
  counts.server_away = asking.server_away;
  return counts;
}

}  // namespace auricle::client
