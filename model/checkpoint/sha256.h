// SHA-256 of files: what names a version of weights and proves that a fetched file is whole.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace auricle::model {

// Lower-case hex, 64 digits, of the file's bytes, read in pieces. NOT_FOUND, or UNAVAILABLE when reading fails.
absl::StatusOr<std::string> Sha256OfFile(const std::string& path);

}  // namespace auricle::model
