#include "client/cli/eval_run.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/answer_json.h"
#include "client/cpp/status_details.h"

namespace auricle::client {
namespace {

using Json = nlohmann::ordered_json;

// Files that several rows ask about, read once and let go after the last of them. Thread-safe.
class ClipCache {
 public:
  explicit ClipCache(const std::vector<QuestionRow>& rows) {
    for (const QuestionRow& row : rows) {
      if (row.status.ok()) ++entries_[Key(row)].uses_left;
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

void SleepUnlessStopped(absl::Duration delay, const std::atomic<bool>& stop) {
  const absl::Time until = absl::Now() + delay;
  while (!stop && absl::Now() < until) absl::SleepFor(std::min(until - absl::Now(), absl::Milliseconds(50)));
}

absl::StatusOr<v1::AskResponse> AskWithRetries(const SpatialQaClient& client, const v1::AskRequest& request,
                                               const EvalOptions& options, const std::atomic<bool>& stop) {
  for (int attempt = 0;; ++attempt) {
    absl::StatusOr<v1::AskResponse> response = client.Ask(request, options.call);
    if (response.ok() || !absl::IsResourceExhausted(response.status()) || attempt >= options.max_retries || stop)
      return response;
    const std::optional<absl::Duration> delay = ReadErrorDetails(response.status()).retry_delay;
    if (!delay.has_value()) return response;  // not a matter of load: the clip or the question is too large
    SleepUnlessStopped(std::clamp(*delay, absl::Milliseconds(10), options.max_retry_delay), stop);
  }
}

absl::StatusOr<v1::AskResponse> AskRow(const SpatialQaClient& client, const QuestionRow& row, ClipCache& clips,
                                       const EvalOptions& options, const std::atomic<bool>& stop) {
  if (!row.status.ok()) return row.status;
  const auto clip = clips.Take(row);
  if (!clip.ok()) return clip.status();
  v1::AskRequest request;
  request.set_model(options.model);
  *request.mutable_audio() = **clip;
  request.set_question(row.question);
  for (const std::string& option : row.options) request.add_options(option);
  *request.mutable_sampling() = options.sampling;
  return AskWithRetries(client, request, options, stop);
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
  ClipCache clips(rows);
  EvalCounts counts;
  counts.rows = rows.size();
  std::mutex mutex;  // guards lines and counts
  std::atomic<size_t> next = 0;

  const auto grade = [&](const QuestionRow& row, const std::string& letter) {
    if (row.true_letter.empty()) return;
    ++counts.graded;
    counts.correct += letter == row.true_letter;
  };
  const auto work = [&] {
    for (size_t i; !stop && (i = next++) < rows.size();) {
      const QuestionRow& row = rows[i];
      if (const auto old = kept.find(row.id_json); old != kept.end() && row.status.ok()) {
        const Json line = Json::parse(old->second, nullptr, false);
        const std::lock_guard lock(mutex);
        ++counts.done, ++counts.kept;
        grade(row, line.value("letter", ""));
        lines.Put(i, old->second);
        progress(counts);
        continue;
      }
      const absl::StatusOr<v1::AskResponse> response = AskRow(client, row, clips, options, stop);
      if (stop && !response.ok() && row.status.ok()) continue;  // given up, not answered: --resume asks it again
      Json line;
      if (response.ok()) {
        line["id"] = Json::parse(row.id_json);
        line.update(AnswerToJson(*response));
      }
      const std::string text = response.ok() ? ToLine(line) : ErrorLine(row, response.status());
      const std::lock_guard lock(mutex);
      ++counts.done;
      counts.failed += !response.ok();
      grade(row, response.ok() ? response->letter() : "");
      lines.Put(i, text);
      progress(counts);
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
  return counts;
}

}  // namespace auricle::client
