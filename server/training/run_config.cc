#include "server/training/run_config.h"

#include <google/protobuf/util/json_util.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "server/training/fields.h"

namespace auricle::training {
namespace {

absl::Status ReadBudget(Fields& fields, StageBudget& budget) {
  fields.Integer("steps", budget.steps, 0, 100'000'000);
  fields.Number("minutes", budget.minutes, 0.01, 100'000);
  fields.Number("rate", budget.rate, 1e-7, 1);
  fields.Integer("warmup_steps", budget.warmup_steps, 1, 1'000'000);
  fields.Number("final_rate", budget.final_rate, 0, 1);
  fields.Number("ema", budget.ema, 0, 0.99999);
  fields.Number("checkpoint_minutes", budget.checkpoint_minutes, 0, 1440);
  fields.Number("evaluate_minutes", budget.evaluate_minutes, 0.01, 1440);
  fields.Integer("evaluate_steps", budget.evaluate_steps, 0, 100'000'000);
  Fields inner(fields.Object("optimizer"), fields.Path("optimizer"), fields.Effective("optimizer"));
  inner.Flag("muon", budget.optimizer.muon);
  inner.Number("beta1", budget.optimizer.beta1, 0, 0.9999);
  inner.Number("beta2", budget.optimizer.beta2, 0, 0.99999);
  inner.Number("momentum", budget.optimizer.momentum, 0, 0.9999);
  inner.Number("weight_decay", budget.optimizer.weight_decay, 0, 0.99);
  inner.Number("max_grad_norm", budget.optimizer.max_grad_norm, 0, 1e6);
  inner.Number("adamw_rate_scale", budget.optimizer.adamw_rate_scale, 1e-6, 100);
  return inner.Finish();
}

absl::Status ReadWindow(Fields& fields, WindowConfig& window) {
  fields.Number("seconds", window.seconds, 0.5, 60);
  fields.Integer("scenes", window.scenes, 1, 10'000'000);
  fields.Integer("initial", window.initial, 1, 10'000'000);
  fields.Integer("new_per_step", window.new_per_step, 0, 100'000);
  fields.Integer("batch", window.batch, 1, 100'000);
  fields.Number("weight", window.weight, 0, 1e6);
  if (window.initial > window.scenes)
    fields.Fail("initial", absl::StrCat("must be at most scenes (", window.scenes, ")"));
  // A step draws among scenes that were there one step before.
  if (window.new_per_step >= window.scenes)
    fields.Fail("new_per_step", absl::StrCat("must be below scenes (", window.scenes, ")"));
  return absl::OkStatus();
}

absl::Status ReadEncoder(const nlohmann::json& json, EncoderStageConfig& config, nlohmann::json& effective) {
  Fields fields(json, "encoder", effective);
  fields.Take(ReadBudget(fields, config.budget));
  fields.Integer("validation_scenes", config.validation_scenes, 1, 100'000);
  const nlohmann::json& list = fields.List("windows");
  if (!list.empty()) config.windows.assign(list.size(), WindowConfig{});
  nlohmann::json& shown = fields.Effective("windows");
  for (size_t i = 0; i < config.windows.size(); ++i) {
    static const nlohmann::json kDefault = nlohmann::json::object();
    Fields inner(list.empty() ? kDefault : list[i], fields.Path(absl::StrCat("windows[", i, "]")), shown[i]);
    fields.Take(ReadWindow(inner, config.windows[i]));
    fields.Take(inner.Finish());
  }
  {
    Fields inner(fields.Object("augment"), fields.Path("augment"), fields.Effective("augment"));
    train::AugmentOptions& a = config.augment;
    int64_t time_masks = a.time_masks, time_frames = a.max_time_frames, mel_masks = a.mel_masks,
            mel_bands = a.max_mel_bands;
    inner.Flag("rotate", a.rotate);
    inner.Number("gain_db", a.gain_db, 0, 12);
    inner.Number("mask_probability", a.mask_probability, 0, 1);
    inner.Integer("time_masks", time_masks, 0, 8);
    inner.Integer("max_time_frames", time_frames, 0, 500);
    inner.Integer("mel_masks", mel_masks, 0, 8);
    inner.Integer("max_mel_bands", mel_bands, 0, 64);
    a.time_masks = static_cast<int>(time_masks);
    a.max_time_frames = static_cast<int>(time_frames);
    a.mel_masks = static_cast<int>(mel_masks);
    a.max_mel_bands = static_cast<int>(mel_bands);
    fields.Take(inner.Finish());
  }
  {
    Fields inner(fields.Object("loss"), fields.Path("loss"), fields.Effective("loss"));
    train::EncoderLossWeights& w = config.loss;
    inner.Number("direction", w.direction, 0, 100);
    inner.Number("frame_direction", w.frame_direction, 0, 100);
    inner.Number("class_name", w.class_name, 0, 100);
    inner.Number("class_smoothing", w.class_smoothing, 0, 0.9);
    inner.Number("distance", w.distance, 0, 100);
    inner.Number("frame_distance", w.frame_distance, 0, 100);
    inner.Number("activity", w.activity, 0, 100);
    inner.Number("exist", w.exist, 0, 100);
    inner.Number("tags", w.tags, 0, 100);
    inner.Number("motion", w.motion, 0, 100);
    inner.Number("t30", w.t30, 0, 100);
    inner.Number("volume", w.volume, 0, 100);
    inner.Number("free_field", w.free_field, 0, 100);
    fields.Take(inner.Finish());
  }
  return fields.Finish();
}

absl::Status ReadDecoderStage(const nlohmann::json& json, const std::string& path, DecoderStageConfig& config,
                              nlohmann::json& effective) {
  Fields fields(json, path, effective);
  fields.Take(ReadBudget(fields, config.budget));
  {
    Fields inner(fields.Object("window"), fields.Path("window"), fields.Effective("window"));
    fields.Take(ReadWindow(inner, config.window));
    fields.Take(inner.Finish());
  }
  const nlohmann::json& seconds = fields.List("seconds");
  if (!seconds.empty()) config.seconds.clear();
  for (const nlohmann::json& value : seconds) {
    if (!value.is_number() || value.get<double>() < 1 || value.get<double>() > 60) {
      fields.Fail("seconds", "must hold numbers in [1, 60]");
    } else {
      config.seconds.push_back(value.get<double>());
    }
  }
  fields.Effective("seconds") = config.seconds;
  fields.Integer("questions_per_scene", config.questions_per_scene, 1, 64);
  {
    Fields inner(fields.Object("hearing_noise"), fields.Path("hearing_noise"), fields.Effective("hearing_noise"));
    inner.Number("class_logits", config.hearing_noise.class_logits, 0, 20);
    inner.Number("embeddings", config.hearing_noise.embeddings, 0, 5);
    fields.Take(inner.Finish());
  }
  fields.Flag("train_decoder", config.train_decoder);
  fields.Flag("train_projector", config.train_projector);
  fields.Text("evidence", config.evidence);
  if (config.evidence != "audio" && config.evidence != "text") fields.Fail("evidence", "must be \"audio\" or \"text\"");
  fields.Integer("validation_scenes", config.validation_scenes, 1, 100'000);
  fields.Integer("validation_answers", config.validation_answers, 0, 100'000);
  const nlohmann::json& phases = fields.List("curriculum");
  if (!phases.empty()) config.curriculum = std::vector<CurriculumPhase>(phases.size(), config.curriculum.front());
  nlohmann::json& shown = fields.Effective("curriculum");
  for (size_t i = 0; i < config.curriculum.size(); ++i) {
    static const nlohmann::json kDefault = nlohmann::json::object();
    CurriculumPhase& phase = config.curriculum[i];
    Fields inner(phases.empty() ? kDefault : phases[i], fields.Path(absl::StrCat("curriculum[", i, "]")), shown[i]);
    inner.Number("from", phase.from, 0, 1);
    const nlohmann::json& levels = inner.List("levels");
    if (!levels.empty()) phase.levels.clear();
    for (const nlohmann::json& level : levels) {
      if (!level.is_number_integer() || level.get<int64_t>() < 1 || level.get<int64_t>() > 3) {
        inner.Fail("levels", "must hold 1, 2 or 3");
      } else {
        phase.levels.push_back(level.get<int64_t>());
      }
    }
    inner.Effective("levels") = phase.levels;
    inner.Number("caption_share", phase.caption_share, 0, 1);
    inner.Number("multiple_choice_share", phase.multiple_choice_share, 0, 1);
    fields.Take(inner.Finish());
  }
  return fields.Finish();
}

}  // namespace

absl::StatusOr<RunConfig> ParseRunConfig(const nlohmann::json& json) {
  RunConfig config;
  config.language.evidence = "text";
  config.language.train_projector = false;
  config.alignment.train_decoder = false;
  config.alignment.curriculum.front().caption_share = 1;
  Fields fields(json, "", config.effective);
  fields.Text("name", config.name);
  fields.Integer("seed", config.seed, 0, INT64_MAX);
  fields.Flag("bf16", config.bf16);
  fields.Integer("vocabulary", config.vocabulary, 300, 1'000'000);
  auto ears = model::EarsConfig::FromJson(fields.Object("ears"));
  if (!ears.ok()) return ears.status();
  config.ears = *ears;
  fields.Effective("ears") = config.ears.ToJson();
  auto projector = model::ProjectorConfig::FromJson(fields.Object("projector"));
  if (!projector.ok()) return projector.status();
  config.projector = *projector;
  fields.Effective("projector") = config.projector.ToJson();
  nlohmann::json decoder = fields.Object("decoder");
  if (!decoder.empty()) {
    if (!decoder.contains("vocab_size")) decoder["vocab_size"] = config.vocabulary;
    auto parsed = model::ParseDecoderConfig(decoder, "decoder");
    if (!parsed.ok()) return parsed.status();
    config.decoder = *parsed;
    fields.Effective("decoder") = model::DecoderConfigToJson(config.decoder);
  }
  const nlohmann::json& scenes = fields.Object("scenes");
  const auto read = google::protobuf::util::JsonStringToMessage(scenes.dump(), &config.scenes);
  if (!read.ok()) return absl::InvalidArgumentError(absl::StrCat("scenes: ", std::string(read.message())));
  if (config.scenes.sample_rate_hz() != 0 && config.scenes.sample_rate_hz() != 16000)
    fields.Fail("scenes.sample_rate_hz", "must be 16000: the ears hear no other rate");
  fields.Effective("scenes") = scenes;
  fields.Take(ReadEncoder(fields.Object("encoder"), config.encoder, fields.Effective("encoder")));
  fields.Take(ReadDecoderStage(fields.Object("language"), "language", config.language, fields.Effective("language")));
  fields.Take(
      ReadDecoderStage(fields.Object("alignment"), "alignment", config.alignment, fields.Effective("alignment")));
  fields.Take(ReadDecoderStage(fields.Object("sft"), "sft", config.sft, fields.Effective("sft")));
  if (absl::Status status = fields.Finish(); !status.ok()) return status;
  return config;
}

absl::StatusOr<RunConfig> ReadRunConfig(const std::string& path) {
  std::ifstream in(path);
  if (!in) return absl::NotFoundError(absl::StrCat("no configuration at ", path));
  const auto json = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false, /*ignore_comments=*/true);
  if (json.is_discarded()) return absl::InvalidArgumentError(absl::StrCat(path, " is not JSON"));
  auto config = ParseRunConfig(json);
  if (!config.ok()) {
    return absl::Status(config.status().code(), absl::StrCat(path, ": ", std::string(config.status().message())));
  }
  return config;
}

}  // namespace auricle::training
