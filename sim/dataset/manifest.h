// The list of a data set's shards: what they were made from, and the checksum of each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace auricle::sim {

inline constexpr char kManifestName[] = "manifest.json";

struct ShardEntry {
  std::string file;  // beside the manifest
  uint64_t first_index = 0;
  int64_t scenes = 0;
  uint64_t bytes = 0;
  std::string sha256;  // lower-case hex
};

struct Manifest {
  // What decides the content of a shard, as JSON text in one spelling: two data sets with the same text agree wherever
  // both have a shard.
  std::string made_from;
  std::vector<ShardEntry> shards;  // by first_index

  // nullptr where there is none.
  const ShardEntry* Find(const std::string& file) const;
  // Adds the entry or replaces the one of the same file.
  void Put(ShardEntry entry);
};

// FOLDER/manifest.json. NOT_FOUND; INVALID_ARGUMENT naming the field where it is not a manifest: a shard's file with a
// slash, no sha256, counts below zero.
absl::StatusOr<Manifest> ReadManifest(const std::string& folder);
// Whole or not at all (atomic_file.h).
absl::Status WriteManifest(const std::string& folder, const Manifest& manifest);

// Size and checksum of a shard that is there, as its entry. Errors of the file.
absl::StatusOr<ShardEntry> DescribeShard(const std::string& folder, const std::string& file, uint64_t first_index,
                                         int64_t scenes);

// OK where the file is as the entry says. NOT_FOUND; DATA_LOSS: another length or checksum.
absl::Status CheckShard(const std::string& folder, const ShardEntry& entry);

}  // namespace auricle::sim
