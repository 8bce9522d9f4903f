#include "client/cli/bench_run.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/progress.h"
#include "client/cli/question_file.h"
#include "sim/bench/controls.h"

namespace auricle::client {
namespace {

namespace fs = std::filesystem;

// A step's name, then its bar.
sim::BenchmarkProgress ShowStep(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  return [progress = std::make_shared<Progress>()](size_t done, size_t total) { progress->Show(done, total); };
}

absl::Status MakeBenchmark(const sim::BenchmarkSpec& spec, const sim::SourceBank& bank, const std::string& folder) {
  // Whole already: nothing is said.
  bool said = false;
  sim::BenchmarkProgress show;
  const auto stamp = sim::GenerateBenchmark(spec, bank, folder, [&](size_t done, size_t total) {
    if (!std::exchange(said, true)) show = ShowStep(absl::StrCat("rendering the benchmark into ", folder));
    show(done, total);
  });
  if (!stamp.ok()) return stamp.status();
  for (const sim::Control control : sim::AllControls()) {
    const std::string name(sim::ControlName(control));
    // Written last, so it is there where the control is whole; a benchmark that was made anew makes its controls anew.
    if (!said && fs::exists(fs::path(folder) / absl::StrCat("questions-", name, ".jsonl"))) continue;
    if (absl::Status s = sim::WriteControl(folder, control, ShowStep(absl::StrCat("making its control ", name)));
        !s.ok())
      return s;
  }
  return absl::OkStatus();
}

absl::Status Answer(const SpatialQaClient& client, const fs::path& questions, const fs::path& answers,
                    const EvalOptions& options, const std::atomic<bool>& stop) {
  const auto rows = ReadQuestionFile(questions.string(), v1::FOA_FORMAT_AMBIX, /*limit=*/0);
  if (!rows.ok()) return rows.status();
  // Written anew beside the old answers, which a kill therefore leaves alone.
  const fs::path fresh = answers.string() + ".new";
  AnswerLines kept = ReadAnswered(answers.string());
  for (auto& [id, line] : ReadAnswered(fresh.string())) kept[id] = line;
  std::fprintf(stderr, "asking %s\n", questions.filename().c_str());
  Progress progress;
  const auto show = [&](const EvalCounts& now) {
    progress.Show(now.done, now.rows, now.kept, now.failed > 0 ? absl::StrCat(now.failed, " failed") : "");
  };
  const absl::StatusOr<EvalCounts> counts = RunEval(client, *rows, kept, fresh.string(), options, show, stop);
  if (!counts.ok()) return counts.status();
  if (stop) return absl::CancelledError("interrupted");
  if (counts->server_away) return absl::UnavailableError("the server went away");
  std::error_code error;
  fs::rename(fresh, answers, error);
  if (error) return absl::UnavailableError(absl::StrCat(answers.string(), ": ", error.message()));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<sim::BenchmarkReport> RunBenchmark(const SpatialQaClient& client, const sim::BenchmarkSpec& spec,
                                                  const sim::SourceBank& bank, const BenchOptions& options,
                                                  const std::atomic<bool>& stop) {
  if (absl::Status s = MakeBenchmark(spec, bank, options.folder); !s.ok()) return s;
  std::error_code error;
  fs::create_directories(options.answers, error);
  if (error) return absl::UnavailableError(absl::StrCat(options.answers, ": ", error.message()));
  const fs::path folder = options.folder, answers = options.answers;
  sim::ScoringInput input;
  input.questions_path = (folder / "questions.jsonl").string();
  input.answers_path = (answers / "answers.jsonl").string();
  if (absl::Status s = Answer(client, input.questions_path, input.answers_path, options.eval, stop); !s.ok()) return s;
  for (const sim::Control control : sim::AllControls()) {
    const std::string name(sim::ControlName(control));
    const fs::path questions = folder / absl::StrCat("questions-", name, ".jsonl"),
                   said = answers / absl::StrCat("answers-", name, ".jsonl");
    if (absl::Status s = Answer(client, questions, said, options.eval, stop); !s.ok()) return s;
    input.control_answers[name] = said.string();
  }
  return sim::ScoreAnswers(input);
}

std::string DefaultBenchmarkFolder(const std::string& name) {
  const char* cache = std::getenv("AURICLE_CACHE");
  const char* home = std::getenv("HOME");
  const fs::path root = cache != nullptr && *cache != '\0'
                            ? fs::path(cache)
                            : fs::path(home != nullptr ? home : ".") / ".cache" / "auricle";
  return (root / absl::StrCat("bench-", name)).string();
}

}  // namespace auricle::client
