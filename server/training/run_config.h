// Everything that decides how a run learns, read from one JSON file. What is not said there has the default below.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "auricle/v1/scene.pb.h"
#include "model/decoder/decoder_config.h"
#include "model/encoder/ears_config.h"
#include "model/projector/projector.h"
#include "model/train/augment.h"
#include "model/train/encoder_loss.h"
#include "model/train/hearing_noise.h"
#include "model/train/optimizer.h"

namespace auricle::training {

// What every stage has.
struct StageBudget {
  int64_t steps = 0;     // 0: as many as fit into `minutes`
  double minutes = 50;   // of wall time, where steps is 0
  double rate = 1.2e-3;  // peak learning rate
  int64_t warmup_steps = 200;
  double final_rate = 0.02;  // fraction of the peak at the end
  double ema = 0.998;
  train::OptimizerOptions optimizer;
  double checkpoint_minutes = 3;
  double evaluate_minutes = 5;
  int64_t evaluate_steps = 0;  // where above 0: by steps instead, also at step 0
};

// A rolling window of scenes of one length.
struct WindowConfig {
  double seconds = 5;
  int64_t scenes = 3500;     // held at once
  int64_t initial = 512;     // rendered before the first step
  int64_t new_per_step = 6;  // rendered during each step; the oldest leave
  int64_t batch = 24;        // scenes in a step of this window, over all replicas
  double weight = 1;         // chance that a step uses this window, against the others'
};

struct EncoderStageConfig {
  StageBudget budget;
  std::vector<WindowConfig> windows = {{}};
  train::AugmentOptions augment;
  train::EncoderLossWeights loss;
  int64_t validation_scenes = 120;
};

// One phase of the supervised curriculum: from which share of the budget on, which levels are asked about, and how.
struct CurriculumPhase {
  double from = 0;  // share of the stage, [0, 1]
  std::vector<int64_t> levels = {1, 2, 3};
  double caption_share = 0.1;          // of a row's blocks that ask for a description
  double multiple_choice_share = 0.3;  // of its questions
};

struct DecoderStageConfig {
  StageBudget budget;
  WindowConfig window;                    // `batch` counts rows: one scene with several questions
  std::vector<double> seconds = {5, 10};  // lengths of scenes, drawn evenly
  int64_t questions_per_scene = 10;
  train::HearingNoise hearing_noise;  // on what the ears heard
  bool train_decoder = true;
  bool train_projector = true;
  std::string evidence = "audio";  // "audio", or "text": the truth's description stands in for it
  std::vector<CurriculumPhase> curriculum = {{}};
  int64_t validation_scenes = 100;
  int64_t validation_answers = 60;  // open questions answered freely at each evaluation
};

struct RunConfig {
  std::string name = "nano";
  int64_t seed = 1;
  bool bf16 = true;
  model::EarsConfig ears;
  model::ProjectorConfig projector;
  model::DecoderConfig decoder;
  int64_t vocabulary = 1536;
  v1::SceneSpec scenes;
  EncoderStageConfig encoder;
  DecoderStageConfig language, alignment, sft;
  // The same, complete and in one order: two runs are of one configuration if these are equal.
  nlohmann::json effective;
};

// INVALID_ARGUMENT names the field and the allowed range; NOT_FOUND where there is no such file.
absl::StatusOr<RunConfig> ReadRunConfig(const std::string& path);
absl::StatusOr<RunConfig> ParseRunConfig(const nlohmann::json& json);

}  // namespace auricle::training
