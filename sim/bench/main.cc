// auricle-bench: makes the benchmark and scores answers to it. The answers come from `auricle eval`.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "model/checkpoint/atomic_file.h"
#include "sim/bench/benchmark.h"
#include "sim/bench/controls.h"
#include "sim/bench/html_report.h"
#include "sim/bench/question_only.h"
#include "sim/bench/report.h"
#include "sim/bench/scoring.h"
#include "sim/bench/slice.h"
#include "sim/question/questions.h"
#include "sim/render/in_order.h"
#include "sim/render/scene_renderer.h"
#include "sim/scene/scene_spec.h"
#include "sim/source/source_bank.h"

namespace auricle::sim {
namespace {

// Points from chance within which a learner without ears must stay.
constexpr double kQuestionOnlyAllowed = 0.03;

constexpr char kUsage[] =
    R"(auricle-bench generate --out DIR [--seed N] [--scenes N] [--questions N] [--bank DIR] [--spec JSON]
                       [--control zero-spatial|silence|mono|all]...
    asa-bench, or other scenes or questions of its kind: audio/, questions.jsonl and benchmark.json with their stamps. What
    is there already and still right is kept. --questions counts each form. --control also writes audio-NAME/ and questions-NAME.jsonl.
auricle-bench slice --from DIR --out DIR [--questions 60] [--scenes 12] [--bank DIR]
    A few scenes of the benchmark in --from, of recordings that may be given on, with questions of as many kinds as they have.
auricle-bench check --out DIR
    Holds the files against the stamps of benchmark.json.
auricle-bench score --questions FILE --answers FILE [--control NAME=FILE]... [--json] [--html FILE] [--title TEXT]
    Accuracy per task, level and overall beside chance, the best constant answer and the controls, with 95 % intervals;
    azimuth errors of answers and evidence. --json: one object a line; --html: a page with pictures. Exit status 3 where a floor is missed.
auricle-bench question-only [--seed 1] [--scenes 12000] [--questions 20000] [--bank DIR] [--spec JSON]
    Renders training scenes, asks everything about them, and lets a learner without ears (sim/bench/question_only.h) learn
    from the first --questions and answer the rest. Exit status 3 where a task is more than 3 points from chance.
auricle-bench priors [--seed 1] [--scenes 12000] [--bank DIR] [--spec JSON]
    The table of sim/question/priors.tsv, measured anew on such scenes.
)";

struct Flags {
  std::string verb;
  std::map<std::string, std::vector<std::string>> values;

  std::string Get(const std::string& name, const std::string& fallback = "") const {
    const auto it = values.find(name);
    return it == values.end() ? fallback : it->second.back();
  }
  const std::vector<std::string>& All(const std::string& name) const {
    static const std::vector<std::string>* const none = new std::vector<std::string>;
    const auto it = values.find(name);
    return it == values.end() ? *none : it->second;
  }
};

absl::StatusOr<Flags> ParseFlags(int argc, char** argv) {
  static constexpr std::string_view kKnown[] = {"out",     "seed",    "scenes", "questions", "bank",  "spec",
                                                "control", "answers", "json",   "html",      "title", "from"};
  Flags flags;
  if (argc > 1) flags.verb = argv[1];
  for (int i = 2; i < argc; ++i) {
    std::string name = argv[i];
    if (name.rfind("--", 0) != 0) return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" is no flag"));
    name = name.substr(2);
    std::string value;
    const size_t equals = name.find('=');
    if (equals != std::string::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    } else if (name != "json") {
      if (i + 1 == argc) return absl::InvalidArgumentError(absl::StrCat("--", name, " needs a value"));
      value = argv[++i];
    }
    bool known = false;
    for (std::string_view one : kKnown) known |= one == name;
    if (!known) return absl::InvalidArgumentError(absl::StrCat("--", name, " is not known"));
    flags.values[name].push_back(value);
  }
  return flags;
}

BenchmarkProgress ProgressBar(const std::string& what) {
  // On a terminal one line that is written over; elsewhere a line for each tenth.
  const bool terminal = isatty(STDERR_FILENO) != 0;
  return [what, terminal](size_t done, size_t total) {
    if (done % (total / (terminal ? 100 : 10) + 1) != 0 && done != total) return;
    std::fprintf(stderr, "%s%s %zu of %zu%s", terminal ? "\r" : "", what.c_str(), done, total,
                 !terminal || done == total ? "\n" : "");
  };
}

void PrintStamp(const BenchmarkStamp& stamp) {
  std::printf("%d scenes, %d multiple-choice and %d open questions\nquestions %s\naudio     %s\n", stamp.scenes,
              stamp.multiple_choice, stamp.open, stamp.questions_hash.c_str(), stamp.audio_hash.c_str());
}

// `spec`, with --seed, --scenes, --questions and --spec where they are given.
absl::StatusOr<BenchmarkSpec> SpecOf(const Flags& flags, BenchmarkSpec spec) {
  const auto number = [&flags](const char* name, auto* value) {
    return flags.Get(name).empty() || absl::SimpleAtoi(flags.Get(name), value);
  };
  if (!number("seed", &spec.seed)) return absl::InvalidArgumentError("--seed is no whole number");
  if (!number("scenes", &spec.scenes)) return absl::InvalidArgumentError("--scenes is no number");
  if (!number("questions", &spec.questions)) return absl::InvalidArgumentError("--questions is no number");
  if (const std::string json = flags.Get("spec"); !json.empty()) {
    absl::StatusOr<v1::SceneSpec> parsed = ParseSceneSpec(json);
    if (!parsed.ok())
      return absl::InvalidArgumentError(absl::StrCat("--spec: ", std::string(parsed.status().message())));
    spec.scene_spec = *std::move(parsed);
  }
  // Other questions than those of the fixed benchmark are asked for.
  for (const char* name : {"seed", "scenes", "questions", "spec"}) {
    if (!flags.Get(name).empty()) spec.questions_hash.clear();
  }
  return spec;
}

// Training scenes of the distribution at full strength.
BenchmarkSpec ManyScenes(int questions) {
  BenchmarkSpec spec;
  spec.scenes = 12000;
  spec.questions = questions;
  spec.scene_spec = FullSceneSpec();
  return spec;
}

// Every multiple-choice question about the spec's training scenes; their numbers go into `truths`.
absl::StatusOr<std::vector<v1::Question>> AskAboutMany(const Flags& flags, BenchmarkSpec spec, TruthLog* truths) {
  if (spec.scene_spec.split().empty()) spec.scene_spec.set_split("train");
  auto bank = SourceBank::Open(flags.Get("bank", SourceBank::DefaultFolder()));
  if (!bank.ok()) return bank.status();
  QuestionOptions options;
  options.form = AskForm::kMultipleChoice;
  options.per_scene = 0;
  options.truths = truths;
  std::vector<v1::Question> questions;
  const BenchmarkProgress progress = ProgressBar("scene");
  const auto make = [&](uint64_t i) -> absl::StatusOr<v1::Scene> {
    absl::StatusOr<RenderedScene> scene = RenderScene(spec.scene_spec, **bank, spec.seed, i);
    if (!scene.ok()) return scene.status();
    return std::move(scene->truth);
  };
  const auto take = [&](uint64_t i, const v1::Scene& truth) {
    Random random(spec.seed, i, "bench/question-only");
    for (v1::Question& question : AskAbout(truth, options, random)) questions.push_back(std::move(question));
    progress(static_cast<size_t>(i) + 1, static_cast<size_t>(spec.scenes));
    return absl::OkStatus();
  };
  absl::Status made =
      MakeInOrder<v1::Scene>(0, static_cast<uint64_t>(spec.scenes), EveryCore(), make, take, [] { return false; });
  if (!made.ok()) return made;
  return questions;
}

absl::Status QuestionOnly(const Flags& flags, bool* missed) {
  const absl::StatusOr<BenchmarkSpec> spec = SpecOf(flags, ManyScenes(20000));
  if (!spec.ok()) return spec.status();
  const absl::StatusOr<std::vector<v1::Question>> questions = AskAboutMany(flags, *spec, nullptr);
  if (!questions.ok()) return questions.status();
  const std::span<const v1::Question> all = *questions;
  const size_t train = std::min(all.size(), static_cast<size_t>(spec->questions));
  const std::vector<QuestionOnlyScore> scores = LearnFromQuestionsAlone(all.first(train), all.subspan(train));
  for (const QuestionOnlyScore& score : scores) *missed |= std::abs(score.accuracy - 0.25) > kQuestionOnlyAllowed;
  std::fputs(QuestionOnlyTable(scores, kQuestionOnlyAllowed).c_str(), stdout);
  return absl::OkStatus();
}

absl::Status MeasurePriors(const Flags& flags) {
  const absl::StatusOr<BenchmarkSpec> spec = SpecOf(flags, ManyScenes(1));
  if (!spec.ok()) return spec.status();
  TruthLog truths;
  const auto questions = AskAboutMany(flags, *spec, &truths);
  if (questions.ok()) std::fputs(PriorTable(truths).c_str(), stdout);
  return questions.status();
}

absl::Status Generate(const Flags& flags) {
  const std::string folder = flags.Get("out");
  if (folder.empty()) return absl::InvalidArgumentError("--out is missing");
  const absl::StatusOr<BenchmarkSpec> spec = SpecOf(flags, AsaBenchmark());
  if (!spec.ok()) return spec.status();
  auto bank = SourceBank::Open(flags.Get("bank", SourceBank::DefaultFolder()));
  if (!bank.ok()) return bank.status();
  absl::StatusOr<BenchmarkStamp> stamp = GenerateBenchmark(*spec, **bank, folder, ProgressBar("scene"));
  if (!stamp.ok()) return stamp.status();
  PrintStamp(*stamp);
  for (const std::string& name : flags.All("control")) {
    for (Control control : AllControls()) {
      if (name != "all" && name != ControlName(control)) continue;
      absl::Status written = WriteControl(folder, control, ProgressBar(std::string(ControlName(control))));
      if (!written.ok()) return written;
    }
    if (name != "all" && !FindControl(name)) {
      return absl::InvalidArgumentError("--control is none of zero-spatial, silence, mono, all");
    }
  }
  return absl::OkStatus();
}

absl::Status Slice(const Flags& flags) {
  if (flags.Get("from").empty() || flags.Get("out").empty())
    return absl::InvalidArgumentError("--from or --out is missing");
  SliceOptions options;
  if (!absl::SimpleAtoi(flags.Get("questions", "60"), &options.questions))
    return absl::InvalidArgumentError("--questions is no number");
  if (!absl::SimpleAtoi(flags.Get("scenes", "12"), &options.scenes))
    return absl::InvalidArgumentError("--scenes is no number");
  auto bank = SourceBank::Open(flags.Get("bank", SourceBank::DefaultFolder()));
  if (!bank.ok()) return bank.status();
  return WriteSlice(flags.Get("from"), **bank, options, flags.Get("out"));
}

absl::Status Check(const Flags& flags) {
  absl::StatusOr<BenchmarkStamp> stamp = CheckBenchmark(flags.Get("out"));
  if (!stamp.ok()) return stamp.status();
  PrintStamp(*stamp);
  return absl::OkStatus();
}

absl::Status ScoreFiles(const Flags& flags, bool* missed) {
  ScoringInput input;
  input.questions_path = flags.Get("questions");
  input.answers_path = flags.Get("answers");
  for (const std::string& control : flags.All("control")) {
    const size_t equals = control.find('=');
    if (equals == std::string::npos) return absl::InvalidArgumentError("--control for score is NAME=FILE");
    input.control_answers[control.substr(0, equals)] = control.substr(equals + 1);
  }
  absl::StatusOr<BenchmarkReport> report = ScoreAnswers(input);
  if (!report.ok()) return report.status();
  const std::vector<Measurement> measurements = Measurements(*report);
  for (const Measurement& one : measurements) *missed |= !one.ok;
  const std::string text = flags.values.count("json") > 0 ? MeasurementLines(measurements) : ReportTable(*report);
  std::fputs(text.c_str(), stdout);
  if (const std::string path = flags.Get("html"); !path.empty()) {
    const std::string page = HtmlReport(*report, flags.Get("title", "asa-bench"));
    const std::string_view pieces[] = {page};
    return model::WriteFileAtomically(path, pieces);
  }
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  absl::StatusOr<Flags> flags = ParseFlags(argc, argv);
  absl::Status status = flags.status();
  bool missed = false;
  if (status.ok()) {
    if (flags->verb == "generate") {
      status = Generate(*flags);
    } else if (flags->verb == "slice") {
      status = Slice(*flags);
    } else if (flags->verb == "check") {
      status = Check(*flags);
    } else if (flags->verb == "score") {
      status = ScoreFiles(*flags, &missed);
    } else if (flags->verb == "question-only") {
      status = QuestionOnly(*flags, &missed);
    } else if (flags->verb == "priors") {
      status = MeasurePriors(*flags);
    } else {
      std::fputs(kUsage, flags->verb == "--help" || flags->verb == "help" ? stdout : stderr);
      return flags->verb == "--help" || flags->verb == "help" ? 0 : 2;
    }
  }
  if (!status.ok()) {
    std::fprintf(stderr, "auricle-bench: %s\n", std::string(status.message()).c_str());
    return 1;
  }
  return missed ? 3 : 0;
}

}  // namespace
}  // namespace auricle::sim

int main(int argc, char** argv) { return auricle::sim::Main(argc, argv); }
