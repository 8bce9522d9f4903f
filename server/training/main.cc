// auricle-train: learns a model on scenes simulated on the fly.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/training/run.h"
#include "server/training/run_config.h"
#include "sim/source/source_bank.h"

namespace {

std::atomic<bool> g_stop{false};
void Stop(int) { g_stop = true; }

constexpr char kUsage[] = R"(auricle-train: learn a model on scenes that are simulated on the fly.

  auricle-train --config FILE.json --dir RUN_DIR [options]

  --config FILE    what to learn and how (model/train/configs/nano.json, tiny.json)
  --dir RUN_DIR    checkpoints and curves; a run that was stopped or killed goes on from its last checkpoint
  --stage NAME     encoder, language, alignment, sft, or all (default: all)
  --steps N        steps of each stage, instead of the configuration's budget
  --minutes M      wall minutes of each stage, instead of the configuration's budget
  --threads N      threads; on the CPU each is a replica of the model (default: all cores)
  --device NAME    cpu, or cuda where the LibTorch that this was built with can use it (default: cpu)
  --bank DIR       the recordings, as ./run sounds leaves them
  --init FOLDER    start from the weights of this model
  --export FOLDER  when the stages are over, write config.json, tokenizer.json and model.safetensors there
  --help           this text

Ctrl-C writes a checkpoint and ends. docs/training.md says what the curves mean.
)";

int Fail(const std::string& message) {
  std::fprintf(stderr, "auricle-train: %s\n", message.c_str());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace auricle;
  spdlog::set_default_logger(spdlog::stderr_color_mt("train"));
  spdlog::set_pattern("%H:%M:%S %^%l%$ %v");
  training::RunOptions options;
  options.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  options.stop = &g_stop;
  std::string config_path, stage = "all", device = "cpu", bank_folder = sim::SourceBank::DefaultFolder();
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--help" || flag == "-h") {
      std::fputs(kUsage, stdout);
      return 0;
    }
    if (i + 1 >= argc)
      return Fail(absl::StrCat(flag, flag.starts_with("--") ? " needs a value" : " is not a flag", "; see --help"));
    const std::string value = argv[++i];
    bool good = true;
    if (flag == "--config") {
      config_path = value;
    } else if (flag == "--dir") {
      options.folder = value;
    } else if (flag == "--stage") {
      stage = value;
      good = stage == "all" || std::find(std::begin(training::kStages), std::end(training::kStages), stage) !=
                                   std::end(training::kStages);
    } else if (flag == "--steps") {
      good = absl::SimpleAtoi(value, &options.steps) && options.steps > 0;
    } else if (flag == "--minutes") {
      good = absl::SimpleAtod(value, &options.minutes) && options.minutes > 0;
    } else if (flag == "--threads") {
      good = absl::SimpleAtoi(value, &options.threads) && options.threads > 0 && options.threads <= 1024;
    } else if (flag == "--device") {
      device = value;
      good = device == "cpu" || device == "cuda";
    } else if (flag == "--bank") {
      bank_folder = value;
    } else if (flag == "--init") {
      options.init = value;
    } else if (flag == "--export") {
      options.export_folder = value;
    } else {
      return Fail(absl::StrCat("unknown flag ", flag, "; see --help"));
    }
    if (!good) return Fail(absl::StrCat(flag, ": '", value, "' is not allowed; see --help"));
  }
  if (config_path.empty()) return Fail("--config is needed; see --help");
  if (options.folder.empty()) return Fail("--dir is needed; see --help");
  options.device = torch::Device(device);
  options.stages = {stage};
  if (stage == "all") options.stages.assign(std::begin(training::kStages), std::end(training::kStages));

  auto config = training::ReadRunConfig(config_path);
  if (!config.ok()) return Fail(std::string(config.status().message()));
  auto bank = sim::SourceBank::Open(bank_folder);
  if (!bank.ok()) return Fail(std::string(bank.status().message()));
  std::signal(SIGINT, Stop);
  std::signal(SIGTERM, Stop);
  const absl::Status status = training::TrainRun(*config, **bank, options);
  if (!status.ok()) return Fail(std::string(status.message()));
  return 0;
}
