// Scenes with their audio as files: a truth beside its FLAC, or both in shards.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "auricle/v1/scene.pb.h"

namespace auricle::client {

struct StoredScene {
  std::string key;  // stem of its files
  v1::Scene truth;
  std::string audio;  // bytes of the file, AmbiX
};

// One scene, and how many the folder has: what its manifest says where it holds shards, else its truths.
using SceneVisitor = std::function<absl::Status(StoredScene scene, uint64_t total)>;

// Calls visit for every scene of a folder of shards, in their order, or of KEY.scene.json beside KEY.flac, by name; one
// in memory at a time. Shards are held against their manifest before they are read. NOT_FOUND: neither is there. Ends
// with the first error, of visit too: INVALID_ARGUMENT or DATA_LOSS naming the file and the scene: a truth that is not
// a Scene, audio or truth missing, a shard that is not as its manifest says or holds another number of scenes.
absl::Status ForEachScene(const std::string& folder, const SceneVisitor& visit);

}  // namespace auricle::client
