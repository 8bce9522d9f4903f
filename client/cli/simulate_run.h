// What `auricle simulate` does: scenes drawn and rendered on all cores, written one file each or in shards.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "auricle/v1/scene.pb.h"
#include "sim/source/source_bank.h"

namespace auricle::client {

struct SimulateOptions {
  v1::SceneSpec spec;  // its name becomes part of file names: letters, digits, _ and -
  uint64_t seed = 0;
  uint64_t first_index = 0;
  uint64_t count = 1;
  int questions = 0;  // most a scene
  int jobs = 1;       // threads; the files are the same for any number
};

// NAME-SEED-INDEX.flac, NAME-SEED-INDEX.scene.json and, where questions are asked, questions.jsonl, which is begun anew
// at first_index 0 and otherwise added to. `on_scene` is told of every scene that is written, in order.
// INVALID_ARGUMENT: the name; errors of sampling and rendering; what the disk says (RESOURCE_EXHAUSTED: it is full).
// CANCELLED: `stop`.
absl::Status WriteSceneFiles(const SimulateOptions& options, const sim::SourceBank& bank, const std::string& folder,
                             const std::function<void(const std::string& stem, const v1::Scene& truth)>& on_scene,
                             const std::function<bool()>& stop);

struct ShardCounts {
  uint64_t scenes = 0;  // asked for
  uint64_t done = 0;    // written or kept
  uint64_t kept = 0;    // whole from an earlier run
};

// NAME-NUMBER.tar, shard n with the scenes of indices n shard_size to (n + 1) shard_size - 1 (sim/dataset/shard.h),
// each with "flac", "scene.json" and, where questions are asked, "questions.jsonl"; and their manifest. A shard that
// the manifest has and whose checksum is right is kept, so the same call goes on after an interruption, or further with
// a larger count. FAILED_PRECONDITION: the folder holds another data set, or another process writes there;
// INVALID_ARGUMENT: first_index is no multiple of shard_size; otherwise as above.
absl::Status WriteSceneShards(const SimulateOptions& options, const sim::SourceBank& bank, uint64_t shard_size,
                              const std::string& folder, const std::function<void(const ShardCounts&)>& progress,
                              const std::function<bool()>& stop);

}  // namespace auricle::client
