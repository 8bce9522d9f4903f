// A file's bytes as read-only memory.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace auricle::model {

// Immutable; unmapped when the last holder lets go. The file must not be truncated by others meanwhile (writers here
// replace files, they never rewrite them).
class MappedFile {
 public:
  // NOT_FOUND, PERMISSION_DENIED or another code of the system's where it cannot be opened; FAILED_PRECONDITION where
  // it is no regular file; DATA_LOSS where it is shorter than `least_bytes` (at least 1).
  static absl::StatusOr<std::shared_ptr<const MappedFile>> Open(const std::string& path, size_t least_bytes);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(address_), length_}; }

 private:
  MappedFile(void* address, size_t length) : address_(address), length_(length) {}
  void* address_;
  size_t length_;
};

// Text from a file that may be hostile or broken, for messages: at most 120 characters, unprintable ones as '?'.
std::string Printable(std::string_view text);

}  // namespace auricle::model
