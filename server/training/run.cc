#include "server/training/run.h"

#include <spdlog/spdlog.h>
#include <torch/torch.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "model/checkpoint/atomic_file.h"
#include "model/checkpoint/folder_lock.h"
#include "model/checkpoint/tensors.h"
#include "model/train/schedule.h"
#include "server/training/bundle.h"
#include "server/training/curves.h"
#include "server/training/elapsed.h"
#include "server/training/export.h"
#include "server/training/fields.h"
#include "server/training/progress_bar.h"
#include "server/training/stage.h"

namespace auricle::training {
namespace {

absl::Status WriteText(const std::string& path, const std::string& text) {
  const std::string_view pieces[] = {text};
  return model::WriteFileAtomically(path, pieces);
}

// The folder's own configuration, or this one where it is new.
absl::Status ClaimFolder(const RunConfig& config, const std::string& folder) {
  const std::string path = folder + "/config.json";
  std::ifstream in(path);
  if (!in) return WriteText(path, config.effective.dump(1) + "\n");
  const auto there = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
  const std::string difference = FirstDifference(config.effective, there);
  if (difference.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(folder, " holds a run of another configuration: ", difference, ". Give another --dir."));
}

std::string Detail(const Row& row) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : row) {
    if (name == "gradient_norm") break;
    parts.push_back(absl::StrFormat("%s %.3f", name, value));
  }
  return absl::StrJoin(parts, "  ");
}

double Value(const Row& row, std::string_view name) {
  for (const auto& [key, value] : row) {
    if (key == name) return value;
  }
  return 0;
}

// One stage from its newest bundle (or its beginning) to its end or to a stop.
class StageRun {
 public:
  StageRun(Stage& stage, const RunConfig& config, const RunOptions& options)
      : stage_(stage),
        budget_(stage.budget()),
        options_(options),
        config_(config.effective.dump()),
        folder_(options.folder + "/" + stage.name()),
        bar_(stage.name(), isatty(2) != 0) {}

  absl::Status Run(const TensorMap& inherited) {
    std::error_code error;
    std::filesystem::create_directories(folder_, error);
    auto bundle = ReadNewestBundle(folder_);
    if (!bundle.ok()) return bundle.status();
    total_ = options_.steps > 0 ? options_.steps : budget_.steps;
    const bool by_minutes = options_.minutes > 0 || total_ == 0;
    minutes_ = options_.minutes > 0 ? options_.minutes : budget_.minutes;
    if (by_minutes) total_ = 0;
    if (bundle->has_value()) {
      if (absl::Status status = stage_.LoadState((*bundle)->tensors); !status.ok()) return status;
      step_ = (*bundle)->step;
      seconds_ = (*bundle)->seconds;
      if (total_ == 0) total_ = (*bundle)->total_steps;
      spdlog::info("{}: going on from step {}", stage_.name(), step_);
    } else if (absl::Status status = stage_.Inherit(inherited); !status.ok()) {
      return status;
    }
    auto curves = Curves::Open(folder_, "curves", step_);
    auto validation = Curves::Open(folder_, "validation", step_ + (step_ > 0 ? 1 : 0));
    if (!curves.ok()) return curves.status();
    if (!validation.ok()) return validation.status();
    const auto begun = Clock::now();
    spdlog::info("{}: rendering the first scenes", stage_.name());
    if (absl::Status status = stage_.Start(
            step_, step_ > 0 && total_ > 0 ? static_cast<double>(step_ - 1) / static_cast<double>(total_) : 0);
        !status.ok())
      return status;
    spdlog::info("{}: ready after {}", stage_.name(), Duration(Since(begun)));
    return Loop(*curves, *validation, by_minutes);
  }

  bool finished() const { return finished_; }

 private:
  absl::Status Loop(Curves& curves, Curves& validation, bool by_minutes) {
    auto tick = Clock::now(), saved = tick, evaluated = tick;
    double pace = 0;  // seconds a step, smoothed
    while (total_ == 0 || step_ < total_) {
      if (options_.stop != nullptr && *options_.stop) return Save(true);
      if (budget_.evaluate_steps > 0 && step_ % budget_.evaluate_steps == 0) {
        if (absl::Status status = Evaluate(validation); !status.ok()) return status;
      }
      const train::Schedule schedule{budget_.rate, budget_.warmup_steps, total_ == 0 ? INT64_MAX / 4 : total_,
                                     budget_.final_rate};
      const double done = total_ == 0 ? 0 : static_cast<double>(step_) / static_cast<double>(total_);
      auto row = stage_.Step(step_, schedule.Rate(step_), done);
      if (!row.ok()) {
        // What was learned so far is not the fault's: keep it.
        if (absl::Status status = Save(false); !status.ok()) spdlog::error("{}", std::string(status.message()));
        return row.status();
      }
      const double elapsed = Since(tick);
      tick = Clock::now();
      seconds_ += elapsed;
      pace = pace == 0 ? elapsed : 0.97 * pace + 0.03 * elapsed;
      if (!std::isfinite(Value(*row, "loss"))) spdlog::warn("step {}: loss is not finite, update skipped", step_);
      curves.Append(step_, *row);
      ++step_;
      // The plan in steps follows the measured pace: how many more fit into the minutes that are left.
      if (by_minutes && (step_ == 25 || step_ % 100 == 0)) {
        const double left = minutes_ * 60 - seconds_;
        total_ = step_ + static_cast<int64_t>(std::max(0.0, left) / pace);
      }
      bar_.Show(step_, total_, 1 / pace, total_ == 0 ? -1 : static_cast<double>(total_ - step_) * pace, Detail(*row));
      if (Since(saved) > budget_.checkpoint_minutes * 60 && step_ < total_) {
        if (absl::Status status = Save(false); !status.ok()) return status;
        if (absl::Status status = Draw(curves, validation); !status.ok()) return status;
        saved = Clock::now();
      }
      if (budget_.evaluate_steps == 0 && Since(evaluated) > budget_.evaluate_minutes * 60 && step_ < total_) {
        if (absl::Status status = Evaluate(validation); !status.ok()) return status;
        evaluated = Clock::now();
      }
      // Saving and scoring are no part of a step, but the plan counts them.
      seconds_ += Since(tick);
      tick = Clock::now();
    }
    bar_.Finish();
    if (absl::Status status = Evaluate(validation); !status.ok()) return status;
    if (absl::Status status = Draw(curves, validation); !status.ok()) return status;
    if (absl::Status status = Save(false); !status.ok()) return status;
    const TensorMap weights = stage_.Weights();
    finished_ = true;
    return model::SaveTensors(folder_ + "/final.safetensors", {weights.begin(), weights.end()});
  }

  absl::Status Save(bool stopping) {
    Bundle bundle{step_, total_, seconds_, config_, stage_.State()};
    if (absl::Status status = WriteBundle(folder_, bundle); !status.ok()) return status;
    if (stopping) {
      bar_.Finish();
      spdlog::info("{}: stopped at step {}; the same command goes on from here", stage_.name(), step_);
    }
    return absl::OkStatus();
  }

  absl::Status Evaluate(Curves& validation) {
    auto row = stage_.Evaluate();
    if (!row.ok()) return row.status();
    row->emplace_back("minutes", seconds_ / 60);
    validation.Append(step_, *row);
    bar_.Finish();
    std::vector<std::string> parts;
    for (const auto& [name, value] : *row) parts.push_back(absl::StrFormat("%s %.3f", name, value));
    spdlog::info("{} step {}, held-out: {}", stage_.name(), step_, absl::StrJoin(parts, ", "));
    return absl::OkStatus();
  }

  absl::Status Draw(const Curves& curves, const Curves& validation) {
    return WriteText(folder_ + "/curves.svg",
                     DrawCurves(absl::StrCat("Auricle, stage ", stage_.name()), curves.points(), validation.points(),
                                stage_.Panels(), stage_.ValidationPanels()));
  }

  Stage& stage_;
  const StageBudget& budget_;
  const RunOptions& options_;
  const std::string config_;
  const std::string folder_;
  ProgressBar bar_;
  int64_t step_ = 0, total_ = 0;
  double seconds_ = 0, minutes_ = 0;
  bool finished_ = false;
};

// What a file of weights says replaces what `weights` had.
absl::Status Merge(const std::string& path, TensorMap& weights) {
  auto learned = model::LoadTensors(path);
  if (!learned.ok()) return learned.status();
  for (auto& [key, tensor] : *learned) weights[key] = tensor;
  return absl::OkStatus();
}

// The rows of a decoder's embedding mean what its own tokeniser says: weights to start from bring theirs along.
absl::Status TakeTokenizer(const std::string& init, const std::string& model_folder) {
  const std::string from = init + "/tokenizer.json", to = model_folder + "/tokenizer.json";
  if (!std::filesystem::exists(from) || std::filesystem::exists(to)) return absl::OkStatus();
  auto text = model::ReadWholeFile(from, 64u << 20);
  if (!text.ok()) return text.status();
  return WriteText(to, *text);
}

}  // namespace

absl::Status TrainRun(const RunConfig& config, const sim::SourceBank& bank, const RunOptions& options) {
  if (options.device.is_cuda() && !torch::cuda::is_available()) {
    return absl::FailedPreconditionError(
        "device is cuda, but this LibTorch is built without CUDA or finds no GPU; the allowed one here is cpu");
  }
  std::error_code error;
  std::filesystem::create_directories(options.folder, error);
  if (error) return absl::UnavailableError(absl::StrCat("cannot make ", options.folder, ": ", error.message()));
  const auto alone = model::FolderLock::Take(options.folder);
  if (!alone.ok()) return alone.status();
  if (absl::Status status = ClaimFolder(config, options.folder); !status.ok()) return status;
  if (config.ears.classes != static_cast<int>(sim::SoundClasses().size())) {
    return absl::InvalidArgumentError(absl::StrCat("ears.classes is ", config.ears.classes,
                                                   ", but the vocabulary of sounds has ", sim::SoundClasses().size(),
                                                   " classes"));
  }
  const std::string model_folder = options.folder + "/model";
  std::filesystem::create_directories(model_folder, error);
  // One OpenMP thread for each: the team is what uses the cores.
  torch::set_num_threads(1);
  Team team(options.threads, [](int) { torch::set_num_threads(1); });
  const int replicas = options.device.is_cpu() ? options.threads : 1;
  const Workshop workshop{config, bank, team, options.device, replicas, model_folder};

  TensorMap weights;
  if (!options.init.empty()) {
    auto loaded = LoadWeights(options.init);
    if (!loaded.ok()) return loaded.status();
    weights = *std::move(loaded);
    if (absl::Status status = TakeTokenizer(options.init, model_folder); !status.ok()) return status;
  }
  const auto final_of = [&](const std::string& name) {
    return absl::StrCat(options.folder, "/", name, "/final.safetensors");
  };
  if (options.init.empty()) {  // what stages before the first one asked for have learned here
    for (const std::string name : kStages) {
      if (name == options.stages.front()) break;
      if (!std::filesystem::exists(final_of(name))) continue;
      if (absl::Status status = Merge(final_of(name), weights); !status.ok()) return status;
    }
  }
  for (const std::string& name : options.stages) {
    const std::string final_path = final_of(name);
    if (!std::filesystem::exists(final_path)) {
      try {
        auto stage = name == "encoder" ? MakeEncoderStage(workshop) : MakeDecoderStage(workshop, name);
        StageRun run(*stage, config, options);
        if (absl::Status status = run.Run(weights); !status.ok()) return status;
        if (!run.finished()) return absl::OkStatus();
      } catch (const c10::Error& error) {  // windows too large for the device's memory, a fault of the device
        return absl::InternalError(absl::StrCat("stage ", name, ": ", error.what_without_backtrace()));
      }
    } else {
      spdlog::info("{}: already done", name);
    }
    if (absl::Status status = Merge(final_path, weights); !status.ok()) return status;
  }
  if (options.export_folder.empty()) return absl::OkStatus();
  return ExportModel(config, weights, model_folder, options.export_folder);
}

}  // namespace auricle::training
