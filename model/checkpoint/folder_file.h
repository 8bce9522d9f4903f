// A file of a model folder, found without leaving the folder.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace auricle::model {

// The path of `folder`/`name`. A folder from elsewhere must not make a program read what the folder does not hold:
// FAILED_PRECONDITION where the name is no plain file name (empty, "..", with a slash) or the file is a link that leads
// out of the folder. One layout of links is known and allowed: that of Hugging Face's cache, whose
// snapshots/REVISION/NAME leads to ../../blobs/HASH. A file that is not there is no error here; opening it is.
absl::StatusOr<std::string> FileInFolder(const std::string& folder, const std::string& name);

}  // namespace auricle::model
