// Scenes with their audio as files: a truth beside its FLAC, or both in shards.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "auricle/v1/scene.pb.h"

namespace auricle::client {

struct StoredScene {
  std::string key;  // stem of its files
  v1::Scene truth;
  std::string audio;  // bytes of the file, AmbiX
};

// Scenes in a folder, as far as is known before reading them: of its manifest where it holds shards, else
// KEY.scene.json beside KEY.flac. NOT_FOUND: neither.
absl::StatusOr<uint64_t> CountScenes(const std::string& folder);

// Calls visit for every scene of the folder, by name or in the order of the shards; one in memory at a time. Shards are
// held against their manifest before they are read. Ends with the first error, of visit too: INVALID_ARGUMENT or
// DATA_LOSS naming the file and the scene: a truth that is not a Scene, audio or truth missing, a shard that is not as
// its manifest says or holds another number of scenes.
absl::Status ForEachScene(const std::string& folder, const std::function<absl::Status(StoredScene)>& visit);

}  // namespace auricle::client
