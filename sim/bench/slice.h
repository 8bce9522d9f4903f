// A few questions of a benchmark with their audio, small enough and free enough to be kept in a repository.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "sim/source/source_bank.h"

namespace auricle::sim {

struct SliceOptions {
  int questions = 60;          // in both forms together
  int scenes = 12;             // at most
  double longest_seconds = 5;  // of a scene
};

// Whether a recording may be given on in a mixture for its makers' names alone: CC0, CC BY, public domain, MIT, BSD.
// Share-alike and copyleft may not.
bool MayBeGivenOn(const std::string& licence);

// Takes from the benchmark in `folder` (benchmark.h) scenes that are made of such recordings only, for as many tasks as
// they have, and writes `out`/questions.jsonl, audio/ID.flac (16 bit), audio/ID.scene.json and LICENSES.md, which names
// every recording. The same benchmark gives the same slice. `bank` is the one that the benchmark was made from.
// NOT_FOUND: no benchmark there, or no such scene. INVALID_ARGUMENT: a line of it, or an option below 1. UNAVAILABLE:
// the disk.
absl::Status WriteSlice(const std::string& folder, const SourceBank& bank, const SliceOptions& options,
                        const std::string& out);

}  // namespace auricle::sim
