// The fixed benchmark (asa-bench, README.md): scenes of test recordings and test rooms, questions over all
// tasks in both forms with wordings that training never used, and the controls.
//
// A folder:
//   audio/<scene>.flac, audio/<scene>.scene.json   four-channel AmbiX, and its truth
//   questions.jsonl                                 what to ask (benchmark_rows.h)
//   benchmark.json                                  what it was made from, and its stamps
//   audio-<control>/<scene>.flac, questions-<control>.jsonl   the same with something taken away
#ifndef SIM_BENCH_BENCHMARK_H_
#define SIM_BENCH_BENCHMARK_H_

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "auricle/v1/scene.pb.h"
#include "sim/bench/benchmark_rows.h"
#include "sim/bench/controls.h"
#include "sim/source/source_bank.h"

namespace auricle::sim {

struct BenchmarkSpec {
  uint64_t seed = 1;
  // [1, 100000]
  int scenes = 200;
  // Of each form, spread evenly over the tasks that the scenes allow; [1, 1000000]. Fewer come out where scenes run
  // dry.
  int questions = 624;
  // Share of the questions of each form that levels 1, 2 and 3 get; all zero: the same number for every task.
  std::array<double, 3> level_shares = {0, 0, 0};
  // Split "test" and name "bench" where not set.
  v1::SceneSpec scene_spec;
  // What questions.jsonl must come out as (BenchmarkStamp::questions_hash); empty: anything. Another bank of recordings
  // gives other questions, and scores on them cannot be compared.
  std::string questions_hash;
};

// {"seed", "scenes", "questions", "level_shares"?: [3], "scene_spec"?: SceneSpec in proto-JSON, "questions_hash"?}.
// INVALID_ARGUMENT names the field.
absl::StatusOr<BenchmarkSpec> ParseBenchmarkSpec(const std::string& json);

// asa-bench, the fixed benchmark of this version (sim/bench/asa.json, compiled in).
BenchmarkSpec AsaBenchmark();

struct BenchmarkStamp {
  int scenes = 0;
  int multiple_choice = 0;
  int open = 0;
  std::string questions_hash;  // FNV-1a of ids, words, options and answers, 16 hex digits
  std::string audio_hash;      // of the FLAC files in the order of the scenes
};

// Called after each step; total is known from the start.
using BenchmarkProgress = std::function<void(size_t done, size_t total)>;

// Makes the benchmark in `folder` (created). Where benchmark.json already names the same spec, seed and bank and its
// stamps still hold, nothing is done. Files are overwritten otherwise.
// INVALID_ARGUMENT: a field of the spec. UNAVAILABLE: the disk refused. DATA_LOSS: the questions are not those of
// questions_hash. Errors of planning and rendering are passed on.
absl::StatusOr<BenchmarkStamp> GenerateBenchmark(const BenchmarkSpec& spec, const SourceBank& bank,
                                                 const std::string& folder, const BenchmarkProgress& progress = {});

// Reads the stamps of benchmark.json and holds them against the files. DATA_LOSS where they differ.
absl::StatusOr<BenchmarkStamp> CheckBenchmark(const std::string& folder);

// Writes the audio of one control and questions-<control>.jsonl beside an existing benchmark.
absl::Status WriteControl(const std::string& folder, Control control, const BenchmarkProgress& progress = {});

// Chooses `each_form` questions of each form from all that could be asked (in the order of scenes), so that tasks get
// equal shares (within their level, where levels have shares of their own), no scene is asked much more than the
// others, closed answers (yes and no, counts, sides) come out even and every letter is right equally often in a task:
// options change places for that. Deterministic, in the order of scenes.
std::vector<v1::Question> SelectQuestions(const std::vector<std::vector<v1::Question>>& by_scene, int each_form,
                                          uint64_t seed, const std::array<double, 3>& level_shares = {0, 0, 0});

}  // namespace auricle::sim

#endif  // SIM_BENCH_BENCHMARK_H_
