#include "model/checkpoint/folder_file.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/mapped_file.h"

namespace auricle::model {

namespace fs = std::filesystem;

absl::StatusOr<std::string> FileInFolder(const std::string& folder, const std::string& name) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
      name.find('\0') != std::string::npos) {
    return absl::FailedPreconditionError(
        absl::StrCat(folder, ": \"", Printable(name), "\" is no plain name of a file in this folder"));
  }
  const fs::path path = fs::path(folder) / name;
  std::error_code error;
  if (!fs::is_symlink(fs::symlink_status(path, error))) return path.string();
  const fs::path home = fs::weakly_canonical(folder, error), target = fs::weakly_canonical(path, error).parent_path();
  const bool inside = target == home;
  const bool in_cache =
      home.parent_path().filename() == "snapshots" && target == home.parent_path().parent_path() / "blobs";
  if (error || !(inside || in_cache)) {
    return absl::FailedPreconditionError(absl::StrCat(path.string(), ": a link that leads out of the folder"));
  }
  return path.string();
}

}  // namespace auricle::model
