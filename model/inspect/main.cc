// auricle-models: lists, verifies and explains models on disk. `auricle models` lists those of a running server.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "model/inspect/model_report.h"

namespace {

using auricle::model::ModelReport;

constexpr char kUsage[] = R"(auricle-models: list, verify and explain models on disk

  auricle-models [--explain] [--json] PATH...

  PATH       a model folder of Auricle, a decoder's folder from Hugging Face, a .gguf file, or a folder of these
  --explain  what each model is made of and what it knows
  --json     one object a line
  --help     this text

Every file is read whole: names, shapes, number formats, NaN, links that lead out, a tokeniser that does not fit.
Exit status: 0 all are whole, 1 one is not (the reason says file and tensor or field), 2 wrong arguments or nothing found.
`auricle models` lists the models of a running server.
)";

void PrintJson(const ModelReport& report) {
  nlohmann::ordered_json line = {{"path", report.path},
                                 {"kind", report.kind},
                                 {"whole", report.state.ok()},
                                 {"reason", std::string(report.state.message())},
                                 {"parameters", report.parameters},
                                 {"bytes", report.bytes},
                                 {"sha256", report.sha256},
                                 {"summary", report.summary}};
  for (const auto& [name, value] : report.facts) line["facts"][name] = value;
  std::printf("%s\n", line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

void PrintText(const ModelReport& report, bool explain) {
  if (!report.state.ok()) {
    std::printf("BROKEN  %s\n        %s\n", report.path.c_str(), std::string(report.state.message()).c_str());
    return;
  }
  std::printf("whole   %s  (%s, %.1f million parameters, %.1f MB, sha256 %s)\n        %s\n", report.path.c_str(),
              report.kind.c_str(), static_cast<double>(report.parameters) / 1e6,
              static_cast<double>(report.bytes) / 1e6, report.sha256.substr(0, 12).c_str(), report.summary.c_str());
  if (!explain) return;
  for (const auto& [name, value] : report.facts) std::printf("  %-12s %s\n", name.c_str(), value.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  bool explain = false, json = false;
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--help" || word == "-h") {
      std::fputs(kUsage, stdout);
      return 0;
    }
    if (word == "--explain") {
      explain = true;
    } else if (word == "--json") {
      json = true;
    } else if (word.starts_with("-")) {
      std::fprintf(stderr, "auricle-models: unknown flag %s; see --help\n", word.c_str());
      return 2;
    } else {
      paths.push_back(word);
    }
  }
  if (paths.empty()) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  bool broken = false, empty = false;
  for (const std::string& path : paths) {
    std::vector<std::string> models = auricle::model::FindModels(path);
    if (models.empty()) {
      std::fprintf(stderr, "auricle-models: %s: no model here (no config.json, no .gguf)\n", path.c_str());
      empty = true;
    }
    for (const std::string& model : models) {
      const ModelReport report = auricle::model::InspectModel(model);
      broken = broken || !report.state.ok();
      json ? PrintJson(report) : PrintText(report, explain);
    }
  }
  return empty ? 2 : broken ? 1 : 0;
}
