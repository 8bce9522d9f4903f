// The spatial large audio-language model: hears a clip, says what sounds where, and answers questions about it.
//
//   auto model = SpatialLalm::Load("model/nano").value();
//   EncodedAudio heard = model->Encode(clip).value();            // heard.evidence: the scene as a message
//   auto answer = model->Ask(heard, "Where is the dog?", {}).value();
//   while (!answer->finished()) std::cout << answer->Step()->text;
//
// No LibTorch in this header, no threads and no sockets behind it. LibTorch's own threads are the caller's to set
// (SetComputeThreads).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "auricle/v1/model.pb.h"
#include "auricle/v1/scene.pb.h"
#include "model/audio/foa.h"

namespace auricle::model {

// Threads that one operation of LibTorch may use, for the whole process; [1, 1024]. Call once at the start: the
// libraries' own default is one thread.
void SetComputeThreads(int threads);

// The decoder's precision. bf16 halves the memory and is faster on CPUs with AVX512-BF16 or AMX only.
enum class ComputeType { kFloat32, kBf16 };

struct EncodeOptions {
  bool include_tracks = false;  // fill Source.frames of the evidence
};

// What the ears made of one clip. Cheap to copy (the large parts are shared and immutable); keep it as long as there
// may be further questions about the same audio: it also holds the decoder's keys and values for the audio, so a
// further question costs only its own words.
struct EncodedAudio {
  v1::Scene evidence;  // `heard` and `duration_seconds` set; id empty
  double duration_seconds = 0;
  int audio_tokens = 0;  // what the decoder reads for this clip
  class Prefix;
  std::shared_ptr<const Prefix> prefix;
};

struct AnswerOptions {
  double temperature = 0;    // [0, 100]; 0 is greedy
  int top_k = 0;             // 0: off
  double top_p = 1;          // (0, 1]; 1: off
  double min_p = 0;          // [0, 1]; 0: off
  int max_new_tokens = 128;  // [1, 65536]
  uint64_t seed = 0;         // same seed, model, audio and question: same answer
};

enum class AnswerEnd {
  kRunning,
  kStop,    // the model ended its answer
  kLength,  // max_new_tokens, or the context is full
};

struct AnswerStep {
  std::string text;            // new text, valid UTF-8; may be empty
  int64_t token = -1;          // the token behind it
  double log_probability = 0;  // under the model, temperature 1, no filters
  AnswerEnd end = AnswerEnd::kRunning;
};

struct OptionScores {
  std::vector<double> probabilities;  // one for each option, summing to 1
  int64_t prompt_tokens = 0;          // template, audio and question
  int64_t cached_tokens = 0;          // of these, read when the audio was encoded
};

// Index of an option: the most probable (the first of equals) at temperature 0, else drawn from
// probability^(1 / temperature). Same seed, same option.
size_t DrawOption(const OptionScores& scores, double temperature, uint64_t seed);

// An answer being generated, one token a step. Destroying it cancels it. Not thread-safe; different answers may be
// stepped from different threads. Keeps its model alive.
class Answer {
 public:
  virtual ~Answer() = default;
  // The first call also reads the question (prefill). FAILED_PRECONDITION after the end; RESOURCE_EXHAUSTED: no memory.
  virtual absl::StatusOr<AnswerStep> Step() = 0;
  virtual bool finished() const = 0;
  virtual int64_t prompt_tokens() const = 0;  // template, audio and question
  virtual int64_t cached_tokens() const = 0;  // of these, read when the audio was encoded
  virtual int64_t new_tokens() const = 0;     // the end token included
};

// Live audio: fed in pieces of any size, and at any moment what has been heard so far. Each chunk of 0.4 s is encoded
// once; a snapshot adds the newest chunk, the slots and the decoder's pass over all audio tokens, and equals Encode of
// the same samples to float rounding. Memory grows with what was fed (tens of kB a second). One thread at a time; keeps
// its model alive.
class AudioStream {
 public:
  virtual ~AudioStream() = default;
  // Appends a piece at the model's rate; an empty one changes nothing. INVALID_ARGUMENT: rate, NaN or infinity; nothing
  // is taken then.
  virtual absl::Status Feed(const audio::FoaClip& piece) = 0;
  // What was heard from `from_seconds` on (rounded down to a whole chunk); times in the evidence stay on the stream's
  // clock. FAILED_PRECONDITION: less than 0.1 s is there, or from_seconds lies behind it; RESOURCE_EXHAUSTED: the
  // context cannot hold so much.
  virtual absl::StatusOr<EncodedAudio> Snapshot(double from_seconds = 0, const EncodeOptions& options = {}) const = 0;
  virtual double seconds() const = 0;  // fed so far
};

// Immutable: every method may be called from several threads at once.
class SpatialLalm {
 public:
  // Errors: as ReadModelFolder (model_folder.h). Reads the whole folder into memory; nothing stays open.
  static absl::StatusOr<std::shared_ptr<const SpatialLalm>> Load(const std::string& folder,
                                                                 ComputeType compute = ComputeType::kFloat32);
  virtual ~SpatialLalm() = default;

  // Hears a clip at the model's rate (16 kHz), 0.1 s or longer. INVALID_ARGUMENT: rate, length, NaN or infinity;
  // RESOURCE_EXHAUSTED: longer than the decoder's context holds.
  virtual absl::StatusOr<EncodedAudio> Encode(const audio::FoaClip& clip, const EncodeOptions& options = {}) const = 0;

  // Begins to hear live audio.
  virtual std::unique_ptr<AudioStream> Listen() const = 0;

  // Begins an answer; computes nothing yet. `question` is the prompt text; special tokens in it are ordinary text.
  // INVALID_ARGUMENT: not UTF-8, empty, an option out of range; RESOURCE_EXHAUSTED: audio and question exceed the
  // context.
  virtual absl::StatusOr<std::unique_ptr<Answer>> Ask(const EncodedAudio& heard, std::string_view question,
                                                      const AnswerOptions& options) const = 0;

  // One step of each answer, all of this model, run through the decoder together: the cost for one token of eight
  // answers is well below eight times that of one. An error in one does not touch the others.
  virtual std::vector<absl::StatusOr<AnswerStep>> StepTogether(std::span<Answer* const> answers) const = 0;

  // How probable the model finds each of `options` as its whole answer to `question`, whose text need not name them.
  // Any number from 1 on, of any length. INVALID_ARGUMENT: as Ask; no options, or one that is not UTF-8.
  virtual absl::StatusOr<OptionScores> ScoreOptions(const EncodedAudio& heard, std::string_view question,
                                                    std::span<const std::string> options) const = 0;

  // version, parameters, compute_type, sample_rate_hz, classes, audio_tokens_per_second, context_tokens, description.
  // The rest (name, state, limits) is the server's to fill.
  virtual const v1::ModelInfo& info() const = 0;
};

}  // namespace auricle::model
