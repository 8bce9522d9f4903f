// The stages that teach the decoder and the projector: language, alignment and supervised fine-tuning. The encoder is
// frozen; scenes are rendered, encoded once, and asked about several times while they stay in the window.
#include <torch/torch.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/train/decoder_step.h"
#include "model/train/encoder_step.h"
#include "model/train/hearing_noise.h"
#include "model/train/learner.h"
#include "model/train/mixed_precision.h"
#include "server/training/decoder_exam.h"
#include "server/training/elapsed.h"
#include "server/training/heard_window.h"
#include "server/training/question_maker.h"
#include "server/training/scene_maker.h"
#include "server/training/stage.h"
#include "sim/scene/random.h"

namespace auricle::training {
namespace {

std::vector<train::Parameter> DecoderParameters(const model::Decoder& decoder) {
  std::vector<train::Parameter> out;
  for (const auto& [name, tensor] : decoder.NamedParameters()) out.push_back({"decoder." + name, tensor});
  return out;
}

class DecoderStage : public Stage {
 public:
  DecoderStage(const Workshop& workshop, std::string name)
      : shop_(workshop),
        name_(std::move(name)),
        config_(name_ == "language"    ? workshop.config.language
                : name_ == "alignment" ? workshop.config.alignment
                                       : workshop.config.sft),
        maker_(workshop.bank, workshop.config.ears.mels) {}

  std::string name() const override { return name_; }
  const StageBudget& budget() const override { return config_.budget; }

  // Builds networks and learner; called once before LoadState or Inherit does anything with them.
  absl::Status Build() {
    if (learner_ != nullptr) return absl::OkStatus();
    auto questions = QuestionMaker::Create(shop_, maker_);
    if (!questions.ok()) return questions.status();
    questions_ = *std::move(questions);
    model::DecoderConfig shape = shop_.config.decoder;
    std::vector<std::vector<train::Parameter>> parameters, buffers(shop_.replicas);
    torch::manual_seed(shop_.config.seed + 1);
    encoder_ = model::EarsNetwork(shop_.config.ears);
    encoder_->to(shop_.device);
    encoder_->eval();
    for (int r = 0; r <= shop_.replicas; ++r) {  // the last one holds the averages
      auto decoder = model::Decoder::Random(shape, at::make_generator<at::CPUGeneratorImpl>(shop_.config.seed + 2));
      if (!decoder.ok()) return decoder.status();
      for (auto& [key, tensor] : decoder->NamedParameters()) {
        if (!shop_.device.is_cpu()) torch::Tensor(tensor).set_data(tensor.detach().to(shop_.device));
      }
      decoders_.push_back(std::make_unique<model::Decoder>(*std::move(decoder)));
      torch::manual_seed(shop_.config.seed + 3);
      projectors_.emplace_back(shop_.config.ears, shop_.config.projector);
      projectors_.back()->to(shop_.device);
      decoders_.back()->SetRequiresGrad(config_.train_decoder && r < shop_.replicas);
      for (torch::Tensor& tensor : projectors_.back()->parameters()) {
        tensor.set_requires_grad(config_.train_projector && r < shop_.replicas);
      }
      if (r == shop_.replicas) break;
      std::vector<train::Parameter> mine;
      if (config_.train_decoder) mine = DecoderParameters(*decoders_.back());
      if (config_.train_projector) {
        for (auto& parameter : train::ModuleParameters(*projectors_.back(), "projector.")) mine.push_back(parameter);
      }
      parameters.push_back(std::move(mine));
    }
    learner_ = std::make_unique<train::Learner>(config_.budget.optimizer, config_.budget.ema, parameters, buffers,
                                                shop_.replicas);
    return absl::OkStatus();
  }

  absl::Status Inherit(const TensorMap& weights) override {
    if (absl::Status status = Build(); !status.ok()) return status;
    return CopyIn(weights, "");
  }

  TensorMap State() const override {
    TensorMap state = learner_->State();
    for (const auto& [name, tensor] : Frozen()) state["frozen." + name] = tensor;
    return state;
  }

  absl::Status LoadState(const TensorMap& state) override {
    if (absl::Status status = Build(); !status.ok()) return status;
    if (absl::Status status = CopyIn(state, "frozen."); !status.ok()) return status;
    return learner_->LoadState(state);
  }

  TensorMap Weights() const override {
    TensorMap weights = Frozen();
    for (const auto& [name, tensor] : learner_->Averages()) weights[name] = tensor;
    return weights;
  }

  absl::Status Start(int64_t step, double done) override {
    if (absl::Status status =
            window_.Create(shop_, config_, "train", sim::Random(shop_.config.seed, 0, name_ + "/scenes").Bits());
        !status.ok()) {
      return status;
    }
    if (absl::Status status = window_.Fill(shop_, maker_, encoder_, window_.Begin(step), window_.End(step));
        !status.ok())
      return status;
    DecoderStageConfig held = config_;
    held.window.scenes = config_.validation_scenes;
    if (absl::Status status = validation_.Create(shop_, held, "validation", 2); !status.ok()) return status;
    if (absl::Status status = validation_.Fill(shop_, maker_, encoder_, 0, config_.validation_scenes); !status.ok())
      return status;
    next_ = Plan(step, done);
    for (size_t i = 0; i < next_.places.size(); ++i) {
      if (absl::Status status = Compose(next_, i); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Row> Step(int64_t step, double rate, double done) override {
    const auto start = Clock::now();
    const Draft now = std::move(next_);
    next_ = Plan(step + 1, done);
    std::atomic<int64_t> next_scene{0};
    std::atomic<size_t> next_row{0};
    const bool apart = !shop_.device.is_cpu() && shop_.team.size() > shop_.replicas;
    std::vector<train::AnswerLoss> losses(shop_.replicas);
    std::vector<absl::Status> statuses(shop_.team.size());
    std::vector<double> render(shop_.team.size(), 0), ask(shop_.team.size(), 0), learn(shop_.replicas, 0);
    std::vector<int64_t> tokens(shop_.replicas, 0);
    const int64_t fresh = config_.window.new_per_step;
    shop_.team.Run([&](int t) {
      try {
        if (!apart || t >= shop_.replicas) {
          auto begun = Clock::now();
          for (int64_t i = next_scene++; i < fresh; i = next_scene++) {
            statuses[t].Update(window_.Stage(shop_, maker_, encoder_, window_.End(step) + i, i));
          }
          render[t] = Since(begun);
          begun = Clock::now();
          for (size_t i = next_row++; i < next_.places.size(); i = next_row++) statuses[t].Update(Compose(next_, i));
          ask[t] = Since(begun);
        }
        if (t < shop_.replicas) {
          const auto begun = Clock::now();
          const size_t share = now.rows.size() / shop_.replicas;
          const std::vector<train::AnswerRow> rows(now.rows.begin() + static_cast<int64_t>(share) * t,
                                                   now.rows.begin() + static_cast<int64_t>(share) * (t + 1));
          const std::vector<int64_t> places(now.places.begin() + static_cast<int64_t>(share) * t,
                                            now.places.begin() + static_cast<int64_t>(share) * (t + 1));
          const train::AnswerBatch batch = train::PackAnswers(rows, questions_->chat().padding()).To(shop_.device);
          tokens[t] = batch.segment.ge(0).sum().item<int64_t>();
          const bool audio = config_.evidence == "audio";
          model::EarsOutput heard;
          if (audio) {
            sim::Random seed(shop_.config.seed, static_cast<uint64_t>(step), name_ + "/noise");
            heard = train::AddHearingNoise(window_.Heard(places), config_.hearing_noise,
                                           at::make_generator<at::CPUGeneratorImpl>(seed.Fork(t).Bits()));
          }
          losses[t] = train::DecoderForwardBackward(*decoders_[t], audio ? &projectors_[t] : nullptr,
                                                    audio ? &heard : nullptr, batch, shop_.config.bf16);
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
    if (fresh > 0) window_.Commit(shop_, encoder_, window_.End(step), fresh);

    Row row;
    std::vector<torch::Tensor> values;
    int64_t all_tokens = 0;
    for (int r = 0; r < shop_.replicas; ++r) {
      values.push_back(torch::stack({losses[r].total.detach(), losses[r].by_kind[0], losses[r].by_kind[1],
                                     losses[r].by_kind[2], losses[r].choice, losses[r].choice_right}));
      all_tokens += tokens[r];
    }
    const torch::Tensor mean = torch::stack(values).nanmean(0).to(torch::kCPU, torch::kDouble);
    const char* names[] = {"loss", "open", "caption", "option", "choice", "choice_right"};
    for (int i = 0; i < 6; ++i) row.emplace_back(names[i], mean[i].item<double>());
    auto sum = [](const std::vector<double>& v) {
      double s = 0;
      for (double x : v) s += x;
      return s;
    };
    row.emplace_back("gradient_norm", norm);
    row.emplace_back("rate", rate);
    row.emplace_back("tokens", static_cast<double>(all_tokens));
    row.emplace_back("time_render", sum(render));
    row.emplace_back("time_ask", sum(ask));
    row.emplace_back("time_learn", sum(learn));
    row.emplace_back("time_update", update);
    row.emplace_back("time_step", Since(start));
    return row;
  }

  absl::StatusOr<Row> Evaluate() override {
    const torch::NoGradGuard no_grad;
    try {
      // The averages into the last pair of networks.
      const TensorMap weights = Weights();
      for (const auto& parameter : EvaluationParameters()) {
        const auto found = weights.find(parameter.name);  // no projector where nothing is heard
        if (found != weights.end()) torch::Tensor(parameter.value).copy_(found->second);
      }
      DecoderExam exam(shop_, config_, *questions_, validation_, *decoders_.back(), projectors_.back());
      return exam.Score();
    } catch (const c10::Error& error) {
      return absl::InternalError(error.what_without_backtrace());
    }
  }

  std::vector<Panel> Panels() const override {
    return {{"training loss", {"loss"}, true, 25},
            {"cross-entropy by kind of answer", {"open", "caption", "option", "choice"}, true, 25},
            {"multiple choice right in training (chance 0.25)", {"choice_right"}, false, 25}};
  }
  std::vector<Panel> ValidationPanels() const override {
    return {
        {"held-out: multiple choice right (chance 0.25)", {"choice", "choice_l1", "choice_l2", "choice_l3"}, false, 0},
        {"held-out: open answers right", {"open"}, false, 0}};
  }

 private:
  // One step's rows: which scenes, which random streams, and, once composed, their words.
  struct Draft {
    int64_t step = 0;
    double done = 0;
    std::vector<int64_t> places;  // rows of the window
    std::vector<train::AnswerRow> rows;
  };

  // Scenes of step s are those that were in the window one step before: so their words can be written while the step
  // before it computes.
  Draft Plan(int64_t step, double done) {
    sim::Random draw(shop_.config.seed, static_cast<uint64_t>(step), name_ + "/batch");
    Draft draft{step, done, {}, {}};
    const int64_t begin = window_.Begin(step), end = window_.End(std::max<int64_t>(0, step - 1));
    const int64_t rows = std::max<int64_t>(shop_.replicas, config_.window.batch / shop_.replicas * shop_.replicas);
    for (int64_t i = 0; i < rows; ++i) draft.places.push_back(draw.Int(begin, end - 1) % config_.window.scenes);
    draft.rows.resize(draft.places.size());
    return draft;
  }

  absl::Status Compose(Draft& draft, size_t i) {
    sim::Random random(shop_.config.seed, static_cast<uint64_t>(draft.step), name_ + "/row");
    random = random.Fork(i);
    const int64_t place = draft.places[i];
    const CurriculumPhase* phase = &config_.curriculum.front();
    for (const CurriculumPhase& candidate : config_.curriculum) {
      if (draft.done >= candidate.from) phase = &candidate;
    }
    auto row = questions_->Row(window_.truth(place), config_, *phase, random);
    if (!row.ok()) return row.status();
    draft.rows[i] = *std::move(row);
    draft.rows[i].audio_tokens =
        config_.evidence == "audio"
            ? model::ProjectorImpl::TokenCount(shop_.config.ears, shop_.config.projector, window_.tokens(place))
            : 0;
    return absl::OkStatus();
  }

  std::vector<train::Parameter> EvaluationParameters() const {
    auto all = DecoderParameters(*decoders_.back());
    for (const auto& item : projectors_.back()->named_parameters())
      all.push_back({"projector." + item.key(), item.value()});
    return all;
  }

  // Weights that this stage holds but does not learn, by plain names. A stage that hears nothing has no ears and no
  // projector to hand on: its own are random, and would replace learned ones.
  TensorMap Frozen() const {
    TensorMap frozen;
    if (!config_.train_decoder) {
      for (const auto& parameter : DecoderParameters(*decoders_.front()))
        frozen[parameter.name] = parameter.value.detach();
    }
    if (config_.evidence != "audio") return frozen;
    for (const auto& item : encoder_->named_parameters()) frozen["ears." + item.key()] = item.value().detach();
    for (const auto& item : encoder_->named_buffers()) frozen["ears." + item.key()] = item.value();
    if (!config_.train_projector) {
      for (const auto& item : projectors_.front()->named_parameters())
        frozen["projector." + item.key()] = item.value().detach();
    }
    return frozen;
  }

  // Copies whatever `weights` has for the encoder, decoder and projector into every network of this stage. The encoder
  // must be there for audio; a decoder or projector that is not there starts from its random weights.
  absl::Status CopyIn(const TensorMap& weights, const std::string& prefix) {
    const torch::NoGradGuard no_grad;
    auto copy = [&](const std::string& name, torch::Tensor to, bool needed) {
      const auto found = weights.find(prefix + name);
      if (found == weights.end()) {
        return needed ? absl::FailedPreconditionError(absl::StrCat("stage ", name_, " needs a learned encoder (", name,
                                                                   "): run --stage encoder first, or give --init"))
                      : absl::OkStatus();
      }
      if (found->second.sizes() != to.sizes()) {
        return absl::InvalidArgumentError(absl::StrCat(name, " has another shape than the configuration says"));
      }
      to.copy_(found->second);
      return absl::OkStatus();
    };
    const bool audio = config_.evidence == "audio";
    for (const auto& item : encoder_->named_parameters()) {
      if (absl::Status status = copy("ears." + item.key(), item.value(), audio); !status.ok()) return status;
    }
    for (const auto& item : encoder_->named_buffers()) {
      // Model folders do not keep the counters of batch norm, which frozen ears do not use.
      const bool needed = audio && item.value().is_floating_point();
      if (absl::Status status = copy("ears." + item.key(), item.value(), needed); !status.ok()) return status;
    }
    for (size_t r = 0; r < decoders_.size(); ++r) {
      for (const auto& parameter : DecoderParameters(*decoders_[r])) {
        if (absl::Status status = copy(parameter.name, parameter.value, false); !status.ok()) return status;
      }
      for (const auto& item : projectors_[r]->named_parameters()) {
        if (absl::Status status = copy("projector." + item.key(), item.value(), false); !status.ok()) return status;
      }
    }
    learner_->RestartAverages();
    return absl::OkStatus();
  }

  const Workshop& shop_;
  const std::string name_;
  const DecoderStageConfig& config_;
  SceneMaker maker_;
  std::unique_ptr<QuestionMaker> questions_;
  model::EarsNetwork encoder_{nullptr};
  std::vector<std::unique_ptr<model::Decoder>> decoders_;  // [replicas + 1]
  std::vector<model::Projector> projectors_;               // [replicas + 1]
  std::unique_ptr<train::Learner> learner_;
  HeardWindow window_, validation_;
  Draft next_;
};

}  // namespace

std::unique_ptr<Stage> MakeDecoderStage(const Workshop& workshop, const std::string& name) {
  return std::make_unique<DecoderStage>(workshop, name);
}

}  // namespace auricle::training
