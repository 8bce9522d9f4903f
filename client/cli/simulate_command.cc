// auricle simulate: scenes with known truth as files, drawn and rendered here, without a server.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/interrupt.h"
#include "client/cli/progress.h"
#include "client/cli/scene_words.h"
#include "client/cli/simulate_run.h"
#include "sim/scene/scene_spec.h"
#include "sim/source/source_bank.h"

namespace auricle::client {
namespace {

constexpr int64_t kMostJobs = 1024;

absl::StatusOr<v1::SceneSpec> ReadSpec(const ParsedCommand& parsed) {
  v1::SceneSpec spec;
  if (parsed.Given("spec")) {
    const std::string path = parsed.Text("spec");
    std::ifstream file(path);
    if (!file) return absl::NotFoundError(absl::StrCat(path, ": no such file"));
    std::stringstream text;
    text << file.rdbuf();
    absl::StatusOr<v1::SceneSpec> read = sim::ParseSceneSpec(text.str());
    if (!read.ok()) {
      return absl::Status(read.status().code(), absl::StrCat(path, ": ", std::string(read.status().message())));
    }
    spec = *std::move(read);
  }
  if (parsed.Given("split") || spec.split().empty()) spec.set_split(parsed.Text("split"));
  if (spec.name().empty()) spec.set_name("scene");
  return spec;
}

void Print(const std::string& stem, const v1::Scene& truth) {
  std::printf("%s.flac  %.1f s, %s\n", stem.c_str(), truth.duration_seconds(), RoomText(truth.room()).c_str());
  for (const v1::Source& source : truth.sources()) std::printf("    %s\n", SourceText(source).c_str());
}

// --jobs, or a thread for each core.
int Jobs(const ParsedCommand& parsed) {
  const int64_t asked = parsed.Integer("jobs");
  return static_cast<int>(asked > 0 ? asked : std::max(1u, std::thread::hardware_concurrency()));
}

int RunSimulate(const ParsedCommand& parsed) {
  if (!parsed.Given("out")) return MisuseOf("simulate", "--out: is missing, must name a folder");
  if (parsed.Integer("jobs") > kMostJobs) return MisuseOf("simulate", absl::StrCat("--jobs: must be 0 to ", kMostJobs));
  absl::StatusOr<v1::SceneSpec> spec = ReadSpec(parsed);
  if (!spec.ok()) return Refuse(spec.status());
  const auto bank =
      sim::SourceBank::Open(parsed.Given("sounds") ? parsed.Text("sounds") : sim::SourceBank::DefaultFolder());
  if (!bank.ok()) return Refuse(bank.status());
  const std::string folder = parsed.Text("out");
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Refuse(absl::UnavailableError(absl::StrCat("--out: ", folder, ": ", error.message())));

  const SimulateOptions options = {.spec = *std::move(spec),
                                   .seed = static_cast<uint64_t>(parsed.Integer("seed")),
                                   .first_index = static_cast<uint64_t>(parsed.Integer("index")),
                                   .count = static_cast<uint64_t>(parsed.Integer("count")),
                                   .questions = static_cast<int>(parsed.Integer("questions")),
                                   .jobs = Jobs(parsed)};
  StopAtInterrupt();
  absl::Status status;
  if (parsed.Integer("shard-size") > 0) {
    Progress progress;
    const auto show = [&](const ShardCounts& now) { progress.Show(now.done, now.scenes, now.kept); };
    status = WriteSceneShards(options, **bank, static_cast<uint64_t>(parsed.Integer("shard-size")), folder, show,
                              Interrupted);
  } else {
    status = WriteSceneFiles(options, **bank, folder, Print, Interrupted);
  }
  if (Interrupted()) {
    std::fprintf(stderr, "\ninterrupted%s\n",
                 parsed.Given("shard-size") ? ": whole shards are kept, the same command goes on" : "");
    return kExitInterrupted;
  }
  return status.ok() ? kExitOk : Refuse(status);
}

}  // namespace

Command SimulateCommand() {
  CommandSpec spec;
  spec.name = "simulate";
  spec.summary = "draw and render scenes with known truth into files (no server needed)";
  spec.positional_help =
      "Writes NAME-SEED-INDEX.flac (AmbiX, 24 bit) and NAME-SEED-INDEX.scene.json, the truth, for every scene. The "
      "same seed\n"
      "and index give the same scene on every machine. Needs the recordings that ./run sounds fetches.\n"
      "questions.jsonl is begun anew at --index 0; a later index adds to it.\n"
      "With --shard-size the scenes go into tar files as WebDataset reads them, with a manifest of checksums; the same "
      "command\n"
      "goes on where an earlier run stopped, and a larger --count adds to it.";
  spec.flags = {
      {"out", FlagKind::kText, "DIR", "", "where the files go (required)"},
      {"spec", FlagKind::kText, "FILE.json", "", "a SceneSpec: what to draw from; fields left out keep their defaults"},
      {"split", FlagKind::kChoice, "train|validation|test", "train", "which recordings and rooms"},
      {"seed", FlagKind::kInteger, "N", "0", "seed of the scenes"},
      {"index", FlagKind::kInteger, "N", "0", "index of the first scene"},
      {"count", FlagKind::kInteger, "N", "1", "number of scenes"},
      {"questions", FlagKind::kInteger, "N", "0", "also write questions.jsonl with at most N questions a scene"},
      {"shard-size", FlagKind::kInteger, "N", "0", "write tar files of N scenes each; 0: a file each"},
      {"jobs", FlagKind::kInteger, "N", "0", "threads; 0: one a core. The scenes are the same for any number"},
      {"sounds", FlagKind::kText, "DIR", "", "folder of recordings; none: where ./run sounds puts it"}};
  spec.examples = {"auricle simulate --out scenes --count 20 --seed 7 --split test --questions 4",
                   "auricle simulate --out shards --count 100000 --questions 6 --shard-size 1000"};
  return {std::move(spec), RunSimulate};
}

}  // namespace auricle::client
