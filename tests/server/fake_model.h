// A model without weights: what it hears and says follows from the audio and the question by arithmetic, and tests can
// hold it still at any point of its work.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/inference/engine_model.h"
#include "server/runtime/mutex.h"

namespace auricle::server {

// A place where the model stops while the gate is closed, and where a test can wait until it has come.
class Gate {
 public:
  void Close() {
    MutexLock lock(mutex_);
    open_ = false;
  }
  void Open() {
    MutexLock lock(mutex_);
    open_ = true;
    changed_.NotifyAll();
  }
  void Pass() {
    MutexLock lock(mutex_);
    ++arrived_;
    changed_.NotifyAll();
    while (!open_) changed_.WaitFor(mutex_, absl::Seconds(1));
    ++passed_;
  }
  void WaitForArrivals(int count) {
    MutexLock lock(mutex_);
    while (arrived_ < count) changed_.WaitFor(mutex_, absl::Seconds(1));
  }
  int arrived() {
    MutexLock lock(mutex_);
    return arrived_;
  }

 private:
  Mutex mutex_;
  ConditionVariable changed_;
  bool open_ ABSL_GUARDED_BY(mutex_) = true;
  int arrived_ ABSL_GUARDED_BY(mutex_) = 0;
  int passed_ ABSL_GUARDED_BY(mutex_) = 0;
};

class FakeEncodedAudio final : public EncodedAudio {
 public:
  FakeEncodedAudio(v1::Scene scene, uint32_t tokens) : scene_(std::move(scene)), tokens_(tokens) {}
  const v1::Scene& scene() const override { return scene_; }
  uint32_t audio_tokens() const override { return tokens_; }

 private:
  const v1::Scene scene_;
  const uint32_t tokens_;
};

class FakeGeneration final : public Generation {
 public:
  FakeGeneration(std::vector<std::string> words, size_t limit, std::vector<v1::OptionProbability> probabilities,
                 std::string letter, uint32_t prompt_tokens)
      : words_(std::move(words)),
        limit_(limit),
        probabilities_(std::move(probabilities)),
        letter_(std::move(letter)),
        prompt_tokens_(prompt_tokens) {}

  uint32_t prompt_tokens() const override { return prompt_tokens_; }
  uint32_t cached_tokens() const override { return 0; }
  std::string letter() const override { return letter_; }
  std::vector<v1::OptionProbability> probabilities() const override { return probabilities_; }

  TokenStep Next() {
    TokenStep step;
    step.text = words_[next_++];
    if (next_ == words_.size()) {
      step.finish = v1::FINISH_REASON_STOP;
    } else if (next_ == limit_) {
      step.finish = v1::FINISH_REASON_LENGTH;
    }
    return step;
  }

 private:
  const std::vector<std::string> words_;
  const size_t limit_;
  const std::vector<v1::OptionProbability> probabilities_;
  const std::string letter_;
  const uint32_t prompt_tokens_;
  size_t next_ = 0;
};

// Open questions: "azimuth A degrees, level L" of what was heard, a word a token; "count to N": N words; "fail":
// INTERNAL. Multiple choice: the option whose number is the question's length modulo their count, in one token.
class FakeModel final : public InferenceModel {
 public:
  explicit FakeModel(std::string name = "fake") {
    info_.set_name(std::move(name));
    info_.set_version("0123456789ab");
    info_.set_sample_rate_hz(16000);
    info_.set_compute_type("f32");
    auto* sound = info_.add_classes();
    sound->set_name("tone");
    sound->set_label("a tone");
  }

  const v1::ModelInfo& Info() const override { return info_; }

  absl::StatusOr<std::shared_ptr<const EncodedAudio>> Encode(const audio::FoaClip& clip) override {
    encode_gate.Pass();
    if (encode_failures > 0) {
      --encode_failures;
      return absl::InternalError("asked to fail at hearing");
    }
    // The mean intensity vector points to the source (Gerzon 1973).
    double x = 0, y = 0, z = 0, energy = 0;
    for (size_t i = 0; i < clip.frames(); ++i) {
      const double w = clip.channel(audio::kW)[i];
      x += w * clip.channel(audio::kX)[i];
      y += w * clip.channel(audio::kY)[i];
      z += w * clip.channel(audio::kZ)[i];
      energy += w * w;
    }
    v1::Scene scene;
    scene.set_id("heard");
    scene.set_duration_seconds(clip.seconds());
    if (energy > 0) {
      v1::Source& source = *scene.add_sources();
      source.set_id("s0");
      source.set_class_name("tone");
      source.set_class_label("a tone");
      source.set_confidence(1);
      source.set_distance_m(std::sqrt(static_cast<double>(clip.frames()) / energy));
      source.mutable_direction()->set_azimuth_deg(std::atan2(y, x) * 180 / std::numbers::pi);
      source.mutable_direction()->set_elevation_deg(std::atan2(z, std::hypot(x, y)) * 180 / std::numbers::pi);
      v1::TimeSpan& active = *source.add_active();
      active.set_start_seconds(0);
      active.set_end_seconds(clip.seconds());
      for (uint32_t row = 0; row < static_cast<uint32_t>(clip.seconds() * 10); ++row)
        source.add_frames()->set_frame(row);
    }
    return std::make_shared<FakeEncodedAudio>(std::move(scene), static_cast<uint32_t>(std::ceil(clip.seconds() * 2.5)));
  }

  absl::StatusOr<std::unique_ptr<Generation>> StartGeneration(std::shared_ptr<const EncodedAudio> audio,
                                                              const std::string& question,
                                                              const std::vector<std::string>& options,
                                                              const v1::SamplingParams& sampling) override {
    prefill_gate.Pass();
    if (absl::StartsWith(question, "fail")) return absl::InternalError("asked to fail");
    std::vector<std::string> words;
    std::vector<v1::OptionProbability> probabilities;
    std::string letter;
    int count = 0;
    if (!options.empty()) {
      const size_t chosen = question.size() % options.size();
      for (size_t i = 0; i < options.size(); ++i) {
        v1::OptionProbability& option = probabilities.emplace_back();
        option.set_letter(std::string(1, static_cast<char>('A' + i)));
        option.set_option(options[i]);
        option.set_probability(i == chosen ? 0.7f : 0.3f / static_cast<float>(options.size() - 1));
      }
      letter = probabilities[chosen].letter();
      words.push_back(absl::StrCat(letter, ". ", options[chosen]));
    } else if (absl::StartsWith(question, "count to ") && absl::SimpleAtoi(question.substr(9), &count)) {
      for (int i = 0; i < count; ++i) words.push_back(absl::StrCat(i == 0 ? "" : " ", i));
    } else {
      const v1::Scene& scene = audio->scene();
      words = {
          "azimuth ",
          scene.sources().empty() ? "unknown" : absl::StrFormat("%.1f", scene.sources(0).direction().azimuth_deg()),
          " degrees"};
    }
    const uint32_t prompt = audio->audio_tokens() + static_cast<uint32_t>(question.size());
    return std::make_unique<FakeGeneration>(std::move(words), sampling.max_new_tokens(), std::move(probabilities),
                                            std::move(letter), prompt);
  }

  std::vector<absl::StatusOr<TokenStep>> Step(std::span<Generation* const> batch) override {
    step_gate.Pass();
    if (token_time > absl::ZeroDuration()) absl::SleepFor(token_time);
    std::vector<absl::StatusOr<TokenStep>> steps;
    for (Generation* generation : batch) steps.push_back(static_cast<FakeGeneration*>(generation)->Next());
    return steps;
  }

  Gate encode_gate, prefill_gate, step_gate;
  absl::Duration token_time;            // how long a step takes; set before serving
  std::atomic<int> encode_failures{0};  // so many clips are not heard

 private:
  v1::ModelInfo info_;
};

}  // namespace auricle::server
