// auricle eval: a file of questions in, a file of answers out.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/ask_request.h"
#include "client/cli/bench_run.h"
#include "client/cli/command.h"
#include "client/cli/eval_run.h"
#include "client/cli/interrupt.h"
#include "client/cli/progress.h"
#include "client/cli/question_file.h"
#include "model/checkpoint/atomic_file.h"
#include "sim/bench/html_report.h"
#include "sim/bench/report.h"

namespace auricle::client {
namespace {

// What earlier runs answered, put safely aside (OUT.previous, written whole and renamed) before OUT is begun anew: a
// kill at any moment leaves every answer in one of the two files.
absl::StatusOr<AnswerLines> SetAsideAnswered(const std::string& out, const std::string& aside) {
  AnswerLines answered = ReadAnswered(aside);
  for (auto& [id, line] : ReadAnswered(out)) answered[id] = line;
  const std::string temporary = aside + ".tmp";
  std::ofstream file(temporary, std::ios::trunc);
  for (const auto& [id, line] : answered) file << line << '\n';
  file.close();
  std::error_code error;
  if (file) std::filesystem::rename(temporary, aside, error);
  if (!file || error) return absl::UnavailableError(absl::StrCat(aside, ": cannot be written"));
  return answered;
}

// Where OUT, or what is kept beside it, is the file of questions itself: what to say; else empty.
std::string OutComplaint(const std::string& questions, const std::string& out, const std::string& aside) {
  for (const std::string& written : {out, aside, aside + ".tmp"}) {
    std::error_code ignored;  // a file that is not there is not the file of questions
    if (!std::filesystem::equivalent(questions, written, ignored)) continue;
    return absl::StrCat("--out: ", written == out ? std::string() : written + " ", "is the file of questions");
  }
  return "";
}

EvalOptions EvalOptionsOf(const ParsedCommand& parsed) {
  EvalOptions options;
  options.concurrency = static_cast<size_t>(parsed.Integer("concurrency"));
  options.model = parsed.Text("model");
  options.sampling = SamplingOf(parsed);
  options.call = DeadlineOf(parsed);
  return options;
}

absl::Status WriteText(const std::string& path, const std::string& text) {
  const std::string_view pieces[] = {text};
  return model::WriteFileAtomically(path, pieces);
}

// --bench: the benchmark made, asked and scored. Exit status 3 where a bar is missed.
int RunBenchCommand(const ParsedCommand& parsed) {
  const auto bank =
      sim::SourceBank::Open(parsed.Given("sounds") ? parsed.Text("sounds") : sim::SourceBank::DefaultFolder());
  if (!bank.ok()) return Refuse(bank.status());
  const auto client = ConnectTo(parsed);
  if (!client.ok()) return Refuse(client.status());
  BenchOptions options;
  options.folder = DefaultBenchmarkFolder(parsed.Text("bench"));
  // Answers that are not asked for by name are of no use after the report.
  char temporary[] = "/tmp/auricle-bench-XXXXXX";
  const bool keep = parsed.Given("out");
  if (!keep && mkdtemp(temporary) == nullptr)
    return Refuse(absl::UnavailableError("/tmp: no folder can be made there"));
  options.answers = keep ? parsed.Text("out") : temporary;
  options.eval = EvalOptionsOf(parsed);
  StopAtInterrupt();
  const auto report = RunBenchmark(**client, sim::AsaBenchmark(), **bank, options, InterruptFlag());
  std::error_code ignored;
  if (!keep) std::filesystem::remove_all(temporary, ignored);
  if (Interrupted()) return kExitInterrupted;
  if (!report.ok()) return Refuse(report.status());
  const std::vector<sim::Measurement> measurements = sim::Measurements(*report);
  std::fputs(parsed.Switch("json") ? sim::MeasurementLines(measurements).c_str() : sim::ReportTable(*report).c_str(),
             stdout);
  if (parsed.Given("html")) {
    const std::string title = absl::StrCat(parsed.Given("model") ? parsed.Text("model") + " on " : "", "asa-bench");
    if (absl::Status s = WriteText(parsed.Text("html"), sim::HtmlReport(*report, title)); !s.ok()) return Refuse(s);
  }
  return std::ranges::all_of(measurements, &sim::Measurement::ok) ? kExitOk : kExitMissed;
}

int RunEvalCommand(const ParsedCommand& parsed) {
  if (parsed.Given("bench")) return RunBenchCommand(parsed);
  if (!parsed.Given("out")) return MisuseOf("eval", "--out: is missing, must name the file for the answers");
  if (parsed.Integer("concurrency") < 1 || parsed.Integer("concurrency") > 256) {
    return MisuseOf("eval", "--concurrency: must be 1 to 256");
  }
  const std::string out = parsed.Text("out"), aside = out + ".previous";
  if (const std::string complaint = OutComplaint(parsed.positionals[0], out, aside); !complaint.empty()) {
    return MisuseOf("eval", complaint);
  }
  const auto rows = ReadQuestionFile(parsed.positionals[0], FormatOf(parsed.Text("format")),
                                     static_cast<size_t>(parsed.Integer("limit")));
  if (!rows.ok()) return Refuse(rows.status());
  const auto client = ConnectTo(parsed);
  if (!client.ok()) return Refuse(client.status());

  AnswerLines kept;
  if (parsed.Switch("resume")) {
    absl::StatusOr<AnswerLines> answered = SetAsideAnswered(out, aside);
    if (!answered.ok()) return Refuse(answered.status());
    kept = *std::move(answered);
  } else {
    std::error_code ignored;
    std::filesystem::remove(aside, ignored);
  }
  const EvalOptions options = EvalOptionsOf(parsed);
  StopAtInterrupt();
  Progress progress;
  const auto show = [&](const EvalCounts& now) {
    progress.Show(now.done, now.rows, now.kept, now.failed > 0 ? absl::StrCat(now.failed, " failed") : "");
  };
  const auto counts = RunEval(**client, *rows, kept, out, options, show, InterruptFlag());
  if (!counts.ok()) return Refuse(counts.status());
  // Kept where it still holds answers that this run did not write again (--limit, or an interruption).
  if (counts->kept == kept.size()) {
    std::error_code ignored;
    std::filesystem::remove(aside, ignored);
  }

  std::string summary = absl::StrFormat("%d of %d answered", counts->done - counts->failed, counts->rows);
  if (counts->kept > 0) absl::StrAppend(&summary, ", ", counts->kept, " of them before");
  if (counts->failed > 0) absl::StrAppend(&summary, ", ", counts->failed, " failed (see \"error\")");
  if (counts->graded > 0) {
    absl::StrAppend(
        &summary,
        absl::StrFormat("; %d of %d multiple-choice answers correct (%.1f %%)", counts->correct, counts->graded,
                        100.0 * static_cast<double>(counts->correct) / static_cast<double>(counts->graded)));
  }
  std::fprintf(stderr, "%s%s -> %s\n", Interrupted() ? "\ninterrupted: " : "", summary.c_str(), out.c_str());
  if (counts->server_away) std::fprintf(stderr, "the server went away\n");
  if (Interrupted() || counts->server_away) std::fprintf(stderr, "go on with --resume\n");
  if (Interrupted()) return kExitInterrupted;
  // Rows may fail, a run may not: a wrong --model must not look like a file of hard questions.
  const bool all_failed = counts->rows > 0 && counts->failed == counts->rows;
  return (counts->server_away || all_failed) ? kExitRefused : kExitOk;
}

}  // namespace

Command EvalCommand() {
  CommandSpec spec;
  spec.name = "eval";
  spec.summary = "answer a file of questions";
  spec.positionals = {"QUESTIONS.jsonl"};
  spec.positional_help =
      "One JSON object a line: {\"id\", \"audio\" (relative to the file), \"question\", \"options\"? [..], \"form\": "
      "\"mcq\"|\"open\",\n"
      "\"format\"?}. One line out for each, in the same order: {\"id\", \"answer\", \"letter\"?, \"probabilities\"? "
      "{letter: p},\n"
      "\"scene\", \"ttft_ms\", \"error\"?}. A row that fails has \"error\", and the run goes on.";
  spec.instead_flag = "bench";
  spec.flags = {
      {"out", FlagKind::kText, "ANSWERS.jsonl", "", "where the answers go (required; with --bench a folder)"},
      {"bench", FlagKind::kChoice, "asa", "", "ask the fixed benchmark with its controls, and print scores"},
      {"html", FlagKind::kText, "FILE", "", "with --bench: a page with tables and pictures"},
      {"json", FlagKind::kSwitch, "", "", "with --bench: one object a line instead of tables"},
      {"sounds", FlagKind::kText, "DIR", "", "with --bench: folder of recordings; none: where ./run sounds puts it"},
      {"concurrency", FlagKind::kInteger, "N", "4", "questions in flight, 1 to 256"},
      FormatFlag(),
      {"limit", FlagKind::kInteger, "N", "0", "only the first N questions; 0: all"},
      {"resume", FlagKind::kSwitch, "", "", "keep what the file of answers already answers, ask the rest"},
      {"model", FlagKind::kText, "NAME", "", "which model answers; none: the server's default"},
      {"temperature", FlagKind::kReal, "T", "0", "0 to 2; 0 is greedy"},
      {"top-p", FlagKind::kReal, "P", "1", "draw from the likeliest tokens of this total probability"},
      {"top-k", FlagKind::kInteger, "K", "0", "draw from the K likeliest tokens; 0 is off"},
      {"max-tokens", FlagKind::kInteger, "N", "0", "length of an answer; 0 is the server's default"},
      {"seed", FlagKind::kInteger, "N", "0", "same seed, audio and question: same answer"}};
  for (FlagSpec& flag : ServerFlags("300")) spec.flags.push_back(std::move(flag));
  spec.examples = {"auricle eval questions.jsonl --out answers.jsonl --concurrency 8",
                   "auricle eval questions.jsonl --out answers.jsonl --resume",
                   "auricle eval --bench asa --html report.html"};
  return {std::move(spec), RunEvalCommand};
}

}  // namespace auricle::client
