// Measures a model on this machine and prints one table: bar, floor, figure (README.md beside this).
//
//   auricle-model-bench [MODEL_FOLDER] [--json] [--only GROUP[,GROUP...]] [--bank DIR] [--threads N] [--scenes N]
//
// Exit status: 0, 3 where a floor is missed, 1 where something could not be measured, 2 on wrong usage.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "model/spatial_lalm.h"
#include "tests/bench/model_bars.h"

namespace auricle::bench {
namespace {

constexpr char kUsage[] =
    R"(usage: auricle-model-bench [MODEL_FOLDER] [--json] [--only GROUP[,GROUP...]] [--bank DIR] [--threads N] [--scenes N]
  MODEL_FOLDER  the model (default model/nano)
  --only        cost, streaming, equivariance, calibration, robustness; all of them where it is not given
  --bank        the recordings that scenes are made of (default: where ./run sounds puts them)
  --threads     of the model (default: number of cores)
  --scenes      of each condition (default 60)
  --json        one JSON object a line
)";

[[noreturn]] void Refuse(const std::string& why) {
  std::fprintf(stderr, "auricle-model-bench: %s\n%s", why.c_str(), kUsage);
  std::exit(2);
}

int Run(const std::vector<std::string>& words) {
  std::string folder = "model/nano", bank_folder = sim::SourceBank::DefaultFolder();
  std::vector<std::string> only;
  int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency())), scenes = 60;
  bool json = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "-h" || word == "--help") {
      std::printf("%s", kUsage);
      return 0;
    }
    if (word == "--json") {
      json = true;
    } else if (!word.starts_with("-")) {
      folder = word;
    } else if (i + 1 == words.size()) {
      Refuse(absl::StrCat(word, ": unknown, or without a value"));
    } else if (const std::string& value = words[++i]; word == "--only") {
      only = absl::StrSplit(value, ',');
    } else if (word == "--bank") {
      bank_folder = value;
    } else if (word == "--threads" || word == "--scenes") {
      int number = 0;
      if (!absl::SimpleAtoi(value, &number) || number < 1 || number > 1000) {
        Refuse(absl::StrCat(word, ": is ", value, ", must be in [1, 1000]"));
      }
      (word == "--threads" ? threads : scenes) = number;
    } else {
      Refuse(absl::StrCat(word, ": unknown"));
    }
  }

  model::SetComputeThreads(threads);
  const auto model = model::SpatialLalm::Load(folder);
  if (!model.ok()) {
    std::fprintf(stderr, "auricle-model-bench: %s\n", model.status().ToString().c_str());
    return 1;
  }
  const auto bank = sim::SourceBank::Open(bank_folder);
  if (!bank.ok()) {
    std::fprintf(stderr, "auricle-model-bench: %s\n", bank.status().ToString().c_str());
    return 1;
  }
  Report report;
  const std::vector<std::pair<std::string, std::function<absl::Status()>>> groups = {
      {"cost", [&] { return MeasureCost(**model, **bank, report); }},
      {"streaming", [&] { return MeasureStreaming(**model, **bank, scenes, report); }},
      {"equivariance", [&] { return MeasureEquivariance(**model, **bank, scenes, report); }},
      {"calibration", [&] { return MeasureCalibration(**model, **bank, scenes, report); }},
      {"robustness", [&] { return MeasureRobustness(**model, **bank, scenes, report); }}};
  for (const std::string& wanted : only) {
    if (std::ranges::none_of(groups, [&](const auto& group) { return group.first == wanted; })) {
      Refuse(absl::StrCat("--only: no group \"", wanted, "\""));
    }
  }
  for (const auto& [name, measure] : groups) {
    if (!only.empty() && std::ranges::find(only, name) == only.end()) continue;
    if (const absl::Status status = measure(); !status.ok()) {
      std::fprintf(stderr, "auricle-model-bench: %s: %s\n", name.c_str(), status.ToString().c_str());
      return 1;
    }
  }
  std::printf("%s", (json ? AsJsonLines(report) : AsTable(report)).c_str());
  return report.ok() ? 0 : 3;
}

}  // namespace
}  // namespace auricle::bench

int main(int argc, char** argv) { return auricle::bench::Run({argv + 1, argv + argc}); }
