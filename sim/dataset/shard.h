// Shards: tar files of scenes as WebDataset lays them out, so that training programs of other people read them.
//
// A sample is the run of members whose names are the same up to the first dot of the last component: its key; what
// follows is the extension ("scene-7-12.flac" is "flac" of "scene-7-12"). Members are plain files in ustar with no
// times and no owners: the same samples give the same bytes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct archive;

namespace auricle::sim {

struct SampleFile {
  std::string extension;  // "flac", "scene.json"
  std::string bytes;
};

struct Sample {
  std::string key;
  std::vector<SampleFile> files;

  // nullptr where the sample lacks it.
  const std::string* Find(std::string_view extension) const;
};

// Writes one shard. It has its name only once Finish has succeeded: before that, and after any error, there is only
// PATH.part, which the destructor removes and the next writer of that path replaces. Not thread-safe.
class ShardWriter {
 public:
  // Why the file cannot be made: NOT_FOUND, PERMISSION_DENIED, RESOURCE_EXHAUSTED where the disk is full, ...
  static absl::StatusOr<ShardWriter> Create(std::string path);

  ShardWriter(ShardWriter&& other) noexcept;
  ShardWriter& operator=(ShardWriter&&) = delete;
  ~ShardWriter();

  // INVALID_ARGUMENT: a key or extension that no reader would read back the same: empty, a dot or a slash in the key,
  // letters other than A-Z a-z 0-9 _ - . or a name above 100 characters. RESOURCE_EXHAUSTED: the disk is full, or what
  // else it says.
  absl::Status Add(const Sample& sample);

  // Flushes to the disk and gives the file its name. Errors of the disk as above. Nothing may be added afterwards.
  absl::Status Finish();

 private:
  ShardWriter(std::string path, int file, archive* tar);

  std::string path_;
  int file_ = -1;
  archive* tar_ = nullptr;
};

struct ShardLimits {
  size_t max_file_bytes = size_t{256} << 20;
  size_t max_files_per_sample = 64;
};

// Calls visit for every sample, in the file's order, one in memory at a time. Ends with visit's error where it has one.
// NOT_FOUND; INVALID_ARGUMENT naming file and member: not a tar file, a member that is no plain file or has no
// extension, or a sample past a limit; DATA_LOSS: the archive ends in the middle of a member or without its end mark.
absl::Status ReadShard(const std::string& path, const ShardLimits& limits,
                       const std::function<absl::Status(Sample sample)>& visit);

}  // namespace auricle::sim
