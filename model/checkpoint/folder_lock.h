// One process at a time in a folder: two that train or coordinate in the same one would undo each other's work.
#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace auricle::model {

// Holds FOLDER/lock until it is destroyed or the process ends, however it ends. Move-only.
class FolderLock {
 public:
  // The folder must exist. FAILED_PRECONDITION where another holder is there, this process included; UNAVAILABLE where
  // the file cannot be made.
  static absl::StatusOr<FolderLock> Take(const std::string& folder);

  FolderLock() = default;  // holds nothing
  FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  FolderLock& operator=(FolderLock&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  ~FolderLock();

 private:
  explicit FolderLock(int file) : file_(file) {}

  int file_ = -1;
};

}  // namespace auricle::model
