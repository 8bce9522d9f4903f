// Measures the bars of simulation on this machine and prints one table: bar, floor, figure (README.md beside this).
//
//   auricle-sim-bench [--json] [--only GROUP[,GROUP...]] [--peer COMMAND] [--bank DIR] [--threads N]
//                     [--hashed-scenes N] [--question-scenes N] [--memory-scenes N]
//
// Exit status: 0, 3 where a floor is missed, 1 where something could not be measured, 2 on wrong usage.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/bench/sim_bars.h"

namespace auricle::bench {
namespace {

constexpr char kUsage[] =
    R"(usage: auricle-sim-bench [--json] [--only GROUP[,GROUP...]] [--peer COMMAND] [--bank DIR] [--threads N]
                         [--hashed-scenes N] [--question-scenes N] [--memory-scenes N]
                         [--memory-seconds N]
  --only             responses, accuracy, scenes, determinism, questions, memory; all of them where it is not given
  --peer             command that runs pyroom_peer.py; without it responses are timed without their peer
  --bank             the recordings that scenes are made of (default: where ./run sounds puts them)
  --threads          of whole scenes and memory (default: number of cores)
  --hashed-scenes    scenes whose bytes are compared over threads (default 200)
  --question-scenes  scenes about which everything is asked (default 12000)
  --memory-scenes    scenes over which memory is watched (default 3000)
  --memory-seconds   length of these (default: 5 or 10 s, as training draws them)
  --json             one JSON object a line
)";

struct Settings {
  bool json = false;
  std::vector<std::string> groups = {"responses", "accuracy", "scenes", "determinism", "questions", "memory"};
  std::string peer, bank = sim::SourceBank::DefaultFolder();
  int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  int hashed_scenes = 200, question_scenes = 12000, memory_scenes = 3000, memory_seconds = 0;

  bool Wants(std::string_view group) const {
    for (const std::string& wanted : groups) {
      if (wanted == group) return true;
    }
    return false;
  }
};

[[noreturn]] void Refuse(const std::string& why) {
  std::fprintf(stderr, "auricle-sim-bench: %s\n%s", why.c_str(), kUsage);
  std::exit(2);
}

Settings Parse(const std::vector<std::string>& words) {
  Settings settings;
  const Settings defaults;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "-h" || word == "--help") {
      std::printf("%s", kUsage);
      std::exit(0);
    }
    if (word == "--json") {
      settings.json = true;
      continue;
    }
    if (i + 1 == words.size()) Refuse(absl::StrCat(word, ": unknown, or without a value"));
    const std::string& value = words[++i];
    const auto whole = [&](int low, int high) {
      int number = 0;
      if (!absl::SimpleAtoi(value, &number) || number < low || number > high)
        Refuse(absl::StrCat(word, ": is ", value, ", must be in [", low, ", ", high, "]"));
      return number;
    };
    if (word == "--only") {
      settings.groups = absl::StrSplit(value, ',');
      for (const std::string& group : settings.groups) {
        if (!defaults.Wants(group)) Refuse(absl::StrCat("--only: no such group: ", group));
      }
    } else if (word == "--peer") {
      settings.peer = value;
    } else if (word == "--bank") {
      settings.bank = value;
    } else if (word == "--threads") {
      settings.threads = whole(1, 1024);
    } else if (word == "--hashed-scenes") {
      settings.hashed_scenes = whole(1, 1000000);
    } else if (word == "--question-scenes") {
      settings.question_scenes = whole(3000, 1000000);
    } else if (word == "--memory-scenes") {
      settings.memory_scenes = whole(10, 100000000);
    } else if (word == "--memory-seconds") {
      settings.memory_seconds = whole(1, 60);
    } else {
      Refuse(absl::StrCat(word, ": unknown"));
    }
  }
  return settings;
}

absl::Status Measure(const Settings& settings, Report& report) {
  if (settings.Wants("responses")) {
    if (absl::Status s = MeasureResponses(settings.peer, report); !s.ok()) return s;
  }
  if (settings.Wants("accuracy")) {
    if (absl::Status s = MeasureAccuracy(report); !s.ok()) return s;
  }
  const auto needs_bank = [](const std::string& group) { return group != "responses" && group != "accuracy"; };
  if (std::ranges::none_of(settings.groups, needs_bank)) return absl::OkStatus();
  const auto bank = sim::SourceBank::Open(settings.bank);
  if (!bank.ok()) return bank.status();
  if (settings.Wants("scenes")) {
    if (absl::Status s = MeasureSceneSpeed(**bank, settings.threads, report); !s.ok()) return s;
  }
  if (settings.Wants("determinism")) {
    if (absl::Status s = MeasureDeterminism(**bank, settings.hashed_scenes, report); !s.ok()) return s;
  }
  if (settings.Wants("questions")) {
    absl::Status s = MeasureQuestions(**bank, settings.question_scenes, settings.threads, report);
    if (!s.ok()) return s;
  }
  if (settings.Wants("memory")) {
    absl::Status s = MeasureMemory(**bank, settings.memory_scenes, settings.memory_seconds, settings.threads, report);
    if (!s.ok()) return s;
  }
  return absl::OkStatus();
}

int Main(const std::vector<std::string>& words) {
  const Settings settings = Parse(words);
  Report report;
  const absl::Status status = Measure(settings, report);
  // What was measured before an error is worth its row.
  std::printf("%s", (settings.json ? AsJsonLines(report) : AsTable(report)).c_str());
  if (!status.ok()) {
    std::fprintf(stderr, "auricle-sim-bench: %s\n", status.ToString().c_str());
    return 1;
  }
  return report.ok() ? 0 : 3;
}

}  // namespace
}  // namespace auricle::bench

int main(int argc, char** argv) { return auricle::bench::Main({argv + 1, argv + argc}); }
