// The encoder stage: rolling windows of freshly rendered scenes, and replicas that learn from them.
#include <torch/torch.h>

#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/train/encoder_metrics.h"
#include "model/train/encoder_step.h"
#include "model/train/learner.h"
#include "server/training/elapsed.h"
#include "server/training/scene_maker.h"
#include "server/training/stage.h"
#include "sim/scene/random.h"

namespace auricle::training {
namespace {

// Truth's T30 bands in the order of the network's room head: broadband, then octaves.
std::vector<double> BandCentres() {
  std::vector<double> centres = {0};
  centres.insert(centres.end(), std::begin(model::kOctaveCentresHz), std::end(model::kOctaveCentresHz));
  return centres;
}

train::ClassIndex IndexOfClasses() {
  std::vector<std::string> names;
  for (const sim::SoundClass& item : sim::SoundClasses()) names.push_back(item.name);
  return train::IndexClasses(names);
}

// Scenes of one length: features [capacity, 10, F, mels] float16 and their targets. Scene n lies in row n % capacity.
struct Window {
  WindowConfig config;
  v1::SceneSpec spec;
  uint64_t seed = 0;
  int64_t frames = 0;
  torch::Tensor features;
  train::SceneTargets targets;
  // Scenes of the step under way, on the CPU; they enter the window when the step ends.
  torch::Tensor staged_features;
  train::SceneTargets staged_targets;

  // Scenes rendered before step s.
  int64_t End(int64_t step) const { return config.initial + config.new_per_step * step; }
  int64_t Begin(int64_t step) const { return std::max<int64_t>(0, End(step) - config.scenes); }
};

class EncoderStage : public Stage {
 public:
  explicit EncoderStage(const Workshop& workshop)
      : shop_(workshop),
        config_(workshop.config.encoder),
        maker_(workshop.bank, workshop.config.ears.mels),
        classes_(IndexOfClasses()) {
    torch::manual_seed(shop_.config.seed);
    std::vector<std::vector<train::Parameter>> parameters, buffers;
    for (int r = 0; r < shop_.replicas; ++r) {
      networks_.emplace_back(shop_.config.ears);
      networks_.back()->to(shop_.device);
      networks_.back()->train();
      parameters.push_back(train::ModuleParameters(*networks_.back()));
      buffers.push_back(train::ModuleBuffers(*networks_.back()));
    }
    learner_ = std::make_unique<train::Learner>(config_.budget.optimizer, config_.budget.ema, parameters, buffers,
                                                shop_.replicas);
    averaged_ = model::EarsNetwork(shop_.config.ears);
    averaged_->to(shop_.device);
    averaged_->eval();
  }

  std::string name() const override { return "encoder"; }
  const StageBudget& budget() const override { return config_.budget; }

  absl::Status Inherit(const TensorMap& weights) override {
    if (weights.empty()) return absl::OkStatus();
    const torch::NoGradGuard no_grad;
    for (const auto& named : {train::ModuleParameters(*networks_[0]), train::ModuleBuffers(*networks_[0])}) {
      for (const train::Parameter& parameter : named) {
        const auto found = weights.find("ears." + parameter.name);
        // Model folders do not keep the counters of batch norm; they begin anew.
        if (found == weights.end() && !parameter.value.is_floating_point()) continue;
        if (found == weights.end() || found->second.sizes() != parameter.value.sizes()) {
          return absl::InvalidArgumentError(
              absl::StrCat("the weights to start from have no fitting ears.", parameter.name));
        }
        torch::Tensor(parameter.value).copy_(found->second);
      }
    }
    learner_->RestartAverages();
    return absl::OkStatus();
  }

  absl::Status Start(int64_t step, double /*done*/) override {
    windows_.clear();
    for (size_t w = 0; w < config_.windows.size(); ++w) {
      Window window;
      window.config = config_.windows[w];
      window.spec = shop_.config.scenes;
      window.spec.set_split("train");
      window.spec.clear_durations_seconds();
      window.spec.add_durations_seconds(window.config.seconds);
      window.seed = sim::Random(shop_.config.seed, w, "encoder/window").Bits();
      window.frames = static_cast<int64_t>(window.config.seconds * model::kTokensPerSecond) * model::kFramesPerToken;
      Allocate(window.config.scenes, window.frames, shop_.device, window.features, window.targets);
      Allocate(std::max<int64_t>(window.config.new_per_step, kFillBlock), window.frames, torch::kCPU,
               window.staged_features, window.staged_targets);
      windows_.push_back(std::move(window));
    }
    for (Window& window : windows_) {
      for (int64_t n = window.Begin(step); n < window.End(step); n += kFillBlock) {
        const int64_t count = std::min(kFillBlock, window.End(step) - n);
        if (absl::Status status = RenderAll(window, n, count); !status.ok()) return status;
        Commit(window, n, count);
      }
    }
    return StartValidation();
  }

  absl::StatusOr<Row> Step(int64_t step, double rate, double /*done*/) override {
    const auto start = Clock::now();
    // Which window, and which of its scenes: a hash of (seed, step).
    sim::Random draw(shop_.config.seed, static_cast<uint64_t>(step), "encoder/batch");
    std::vector<double> weights;
    for (const Window& window : windows_) weights.push_back(window.config.weight);
    const Window& chosen = windows_[draw.Weighted(weights)];
    const int64_t begin = chosen.Begin(step), end = chosen.End(step);
    std::vector<std::vector<int64_t>> rows(shop_.replicas);
    const int64_t share = std::max<int64_t>(1, chosen.config.batch / shop_.replicas);
    for (auto& row : rows) {
      for (int64_t i = 0; i < share; ++i) row.push_back(draw.Int(begin, end - 1) % chosen.config.scenes);
    }
    std::vector<uint64_t> seeds;
    for (int r = 0; r < shop_.replicas; ++r) seeds.push_back(draw.Bits());

    // The renderers' list: each window's next scenes.
    std::vector<std::pair<size_t, int64_t>> todo;
    for (size_t w = 0; w < windows_.size(); ++w) {
      for (int64_t i = 0; i < windows_[w].config.new_per_step; ++i) todo.emplace_back(w, i);
    }
    std::atomic<size_t> next{0};
    const bool apart = !shop_.device.is_cpu() && shop_.team.size() > shop_.replicas;
    std::vector<train::EncoderLoss> losses(shop_.replicas);
    std::vector<absl::Status> statuses(shop_.team.size());
    std::vector<double> render(shop_.team.size(), 0), feature(shop_.team.size(), 0), learn(shop_.replicas, 0);
    shop_.team.Run([&](int t) {
      try {
        if (!apart || t >= shop_.replicas) {
          for (size_t i = next++; i < todo.size(); i = next++) {
            Window& window = windows_[todo[i].first];
            statuses[t].Update(
                RenderInto(window, window.End(step) + todo[i].second, todo[i].second, render[t], feature[t]));
          }
        }
        if (t < shop_.replicas) {
          const auto begun = Clock::now();
          const torch::Tensor index = torch::tensor(rows[t], torch::kInt64).to(shop_.device);
          torch::Tensor features = chosen.features.index_select(0, index).to(torch::kFloat32);
          train::SceneTargets targets = chosen.targets.Select(index);
          at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seeds[t]);
          features = train::Augment(features, targets, config_.augment, model::FoaFeatures::kPowerScale, generator);
          losses[t] = train::EncoderForwardBackward(networks_[t], features, targets, config_.loss, shop_.config.bf16);
          learn[t] = Since(begun);
        }
      } catch (const c10::Error& error) {
        statuses[t].Update(absl::InternalError(error.what_without_backtrace()));
      }
    });
    for (const absl::Status& status : statuses) {
      if (!status.ok()) return status;
    }
    const auto joined = Clock::now();
    double norm = 0;
    if (shop_.replicas == 1) {
      norm = learner_->Step(rate);
    } else {
      shop_.team.Run([&](int t) {
        if (t < shop_.replicas) learner_->Reduce(t);
      });
      norm = learner_->Prepare(rate);
      shop_.team.Run([&](int t) {
        if (t < shop_.replicas) learner_->Update(t);
      });
    }
    const double update = Since(joined);
    for (Window& window : windows_) {
      if (window.config.new_per_step > 0) Commit(window, window.End(step), window.config.new_per_step);
    }

    Row row;
    std::vector<torch::Tensor> values;
    for (const train::EncoderLoss& loss : losses) {
      std::vector<torch::Tensor> parts = {loss.total.detach()};
      for (const auto& part : loss.parts) parts.push_back(part.second);
      values.push_back(torch::stack(parts));
    }
    const torch::Tensor mean = torch::stack(values).mean(0).to(torch::kCPU, torch::kDouble);
    row.emplace_back("loss", mean[0].item<double>());
    for (size_t i = 0; i < losses[0].parts.size(); ++i) {
      row.emplace_back(losses[0].parts[i].first, mean[static_cast<int64_t>(i) + 1].item<double>());
    }
    row.emplace_back("gradient_norm", norm);
    row.emplace_back("rate", rate);
    row.emplace_back("scenes", static_cast<double>(share * shop_.replicas));
    // Seconds of all threads together, but for the update and the whole step.
    auto sum = [](const std::vector<double>& v) {
      double s = 0;
      for (double x : v) s += x;
      return s;
    };
    row.emplace_back("time_render", sum(render));
    row.emplace_back("time_features", sum(feature));
    row.emplace_back("time_learn", sum(learn));
    row.emplace_back("time_update", update);
    row.emplace_back("time_step", Since(start));
    return row;
  }

  absl::StatusOr<Row> Evaluate() override {
    const torch::NoGradGuard no_grad;
    try {
      const TensorMap averages = learner_->Averages();
      for (const auto& named : {train::ModuleParameters(*averaged_), train::ModuleBuffers(*averaged_)}) {
        for (const train::Parameter& parameter : named)
          torch::Tensor(parameter.value).copy_(averages.at(parameter.name));
      }
      train::EncoderMetrics metrics;
      constexpr int64_t kBatch = 20;
      double loss = 0;
      int64_t batches = 0;
      for (int64_t b = 0; b < config_.validation_scenes; b += kBatch) {
        const int64_t e = std::min(b + kBatch, config_.validation_scenes);
        const torch::Tensor index = torch::arange(b, e, torch::TensorOptions(torch::kInt64).device(shop_.device));
        const train::SceneTargets targets = validation_.targets.Select(index);
        const auto heard = averaged_->forward(validation_.features.slice(0, b, e).to(torch::kFloat32));
        const train::EncoderPredictions predictions = train::ToPredictions(heard);
        metrics.Add(predictions, targets);
        loss += train::ComputeEncoderLoss(predictions, targets, config_.loss).total.item<double>();
        ++batches;
      }
      Row row = metrics.Values();
      row.emplace_back("loss", loss / static_cast<double>(batches));
      return row;
    } catch (const c10::Error& error) {
      return absl::InternalError(error.what_without_backtrace());
    }
  }

  TensorMap State() const override { return learner_->State(); }
  absl::Status LoadState(const TensorMap& state) override { return learner_->LoadState(state); }
  TensorMap Weights() const override {
    TensorMap weights;
    for (const auto& [name, tensor] : learner_->Averages()) weights["ears." + name] = tensor;
    return weights;
  }

  std::vector<Panel> Panels() const override {
    return {{"training loss", {"loss"}, true, 25},
            {"directions (chord, about radians)", {"direction", "frame_direction"}, true, 25},
            {"classes (cross-entropy)", {"class"}, false, 25},
            {"what sounds when", {"tags", "activity", "exist"}, true, 25}};
  }
  std::vector<Panel> ValidationPanels() const override {
    return {{"held-out: azimuth and elevation error, degrees", {"azimuth_median_deg", "elevation_median_deg"}, true, 0},
            {"held-out: share right", {"front_back", "located", "class_top1", "class_4", "count"}, false, 0}};
  }

 private:
  static constexpr int64_t kFillBlock = 64;

  void Allocate(int64_t scenes, int64_t frames, torch::Device device, torch::Tensor& features,
                train::SceneTargets& targets) const {
    const auto& ears = shop_.config.ears;
    features = torch::zeros({scenes, model::kFeatureChannels, frames, ears.mels},
                            torch::TensorOptions(torch::kFloat16).device(device));
    targets = train::SceneTargets::Zeros(scenes, ears.slots, frames / model::kFramesPerToken,
                                         model::kReverberationBands, device);
  }

  absl::Status RenderInto(Window& window, int64_t scene, int64_t staged_row, double& render, double& feature) {
    auto made = maker_.Make(window.spec, window.seed, static_cast<uint64_t>(scene));
    if (!made.ok()) return made.status();
    render += made->render_seconds;
    feature += made->feature_seconds;
    const torch::NoGradGuard no_grad;
    window.staged_features[staged_row].copy_(made->features.slice(1, 0, window.frames));
    return train::FillTargets(made->truth, classes_, BandCentres(), staged_row, window.staged_targets);
  }

  absl::Status RenderAll(Window& window, int64_t first, int64_t count) {
    return shop_.team.ForEach(count, [&](int64_t i) {
      double ignored = 0;
      return RenderInto(window, first + i, i, ignored, ignored);
    });
  }

  // Staged scenes first, first + 1, ... take their places.
  void Commit(Window& window, int64_t first, int64_t count) {
    const torch::NoGradGuard no_grad;
    std::vector<int64_t> places;
    for (int64_t i = 0; i < count; ++i) places.push_back((first + i) % window.config.scenes);
    const torch::Tensor index = torch::tensor(places, torch::kInt64).to(shop_.device);
    window.features.index_copy_(0, index, window.staged_features.slice(0, 0, count).to(shop_.device));
    const auto to = window.targets.Members();
    const auto from = window.staged_targets.Members();
    for (size_t i = 0; i < to.size(); ++i) to[i]->index_copy_(0, index, from[i]->slice(0, 0, count).to(shop_.device));
  }

  absl::Status StartValidation() {
    validation_.config = config_.windows.front();
    validation_.config.scenes = config_.validation_scenes;
    validation_.spec = shop_.config.scenes;
    validation_.spec.set_split("validation");
    validation_.spec.clear_durations_seconds();
    validation_.spec.add_durations_seconds(validation_.config.seconds);
    validation_.seed = 1;
    validation_.frames =
        static_cast<int64_t>(validation_.config.seconds * model::kTokensPerSecond) * model::kFramesPerToken;
    Allocate(config_.validation_scenes, validation_.frames, shop_.device, validation_.features, validation_.targets);
    Allocate(kFillBlock, validation_.frames, torch::kCPU, validation_.staged_features, validation_.staged_targets);
    for (int64_t n = 0; n < config_.validation_scenes; n += kFillBlock) {
      const int64_t count = std::min(kFillBlock, config_.validation_scenes - n);
      if (absl::Status status = RenderAll(validation_, n, count); !status.ok()) return status;
      Commit(validation_, n, count);
    }
    return absl::OkStatus();
  }

  const Workshop& shop_;
  const EncoderStageConfig& config_;
  SceneMaker maker_;
  train::ClassIndex classes_;
  std::vector<model::EarsNetwork> networks_;
  model::EarsNetwork averaged_{nullptr};
  std::unique_ptr<train::Learner> learner_;
  std::vector<Window> windows_;
  Window validation_;
};

}  // namespace

std::unique_ptr<Stage> MakeEncoderStage(const Workshop& workshop) { return std::make_unique<EncoderStage>(workshop); }

}  // namespace auricle::training
