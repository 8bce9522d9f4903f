#include "model/tiny_model.h"

#include <vector>

#include "model/model_folder.h"
#include "model/text/bpe_trainer.h"
#include "model/text/chat_template.h"

namespace auricle::model {
namespace {

// Enough English for a small vocabulary of the words that questions use.
const std::vector<std::string>& Corpus() {
  static const std::vector<std::string> lines = [] {
    std::vector<std::string> made;
    for (const char* sound : {"a dog barking", "a bell ringing", "rain falling"}) {
      for (const char* place : {"in front", "on the left", "on the right", "behind", "above", "below"}) {
        made.push_back(std::string("Where is ") + sound + "? It is " + place + ".");
        made.push_back(std::string("Is ") + sound + " " + place +
                       "? Answer with the letter.\nA. yes\nB. no\nC. both\nD. neither");
        made.push_back(std::string("How many sounds are ") + place + "? At what azimuth, in degrees, is " + sound +
                       "?");
      }
    }
    made.push_back("user\nassistant\nuser\nassistant\n");
    return made;
  }();
  return lines;
}

ModelConfig TinyConfig() {
  ModelConfig config;
  config.description = "tiny: random weights, for tests";
  config.classes = {{"dog_bark", "a dog barking"}, {"bell", "a bell ringing"}, {"rain", "rain falling"}};
  config.ears = EarsConfig::Tiny();
  config.ears.classes = static_cast<int>(config.classes.size());
  config.projector.expert_width = 16;
  config.projector.expert_hidden = 32;
  config.projector.bottleneck = 32;
  config.projector.slot_hidden = 32;
  config.projector.decoder_width = 32;
  config.decoder.hidden_size = 32;
  config.decoder.num_hidden_layers = 2;
  config.decoder.num_attention_heads = 4;
  config.decoder.num_key_value_heads = 2;
  config.decoder.head_dim = 8;
  config.decoder.intermediate_size = 64;
  config.decoder.max_position_embeddings = 1024;
  config.decoder.tie_word_embeddings = true;
  return config;
}

}  // namespace

absl::StatusOr<ModelParts> MakeTinyParts(uint64_t seed) {
  const std::vector<std::string_view> special = {kEndOfText, kImStart, kImEnd, kAudioToken};
  absl::StatusOr<std::string> tokenizer_json = TrainBpe(Corpus(), 512, special);
  if (!tokenizer_json.ok()) return tokenizer_json.status();
  return MakeRandomParts(TinyConfig(), *tokenizer_json, seed);
}

absl::Status WriteTinyModel(const std::string& folder, uint64_t seed) {
  absl::StatusOr<ModelParts> parts = MakeTinyParts(seed);
  return parts.ok() ? WriteModelFolder(folder, *parts) : parts.status();
}

}  // namespace auricle::model
