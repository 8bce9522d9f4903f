// Files that are either whole or as they were before, also after a crash or a full disk.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace auricle::model {

// Writes the pieces one after another into a temporary file beside `path`, flushes it to the disk and renames it over
// `path`; then flushes the folder. On error the temporary file is gone and `path` is as it was.
absl::Status WriteFileAtomically(const std::string& path, std::span<const std::string_view> pieces);

// The whole file. NOT_FOUND, PERMISSION_DENIED, or RESOURCE_EXHAUSTED where it is longer than `max_bytes`.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path, size_t max_bytes);

}  // namespace auricle::model
