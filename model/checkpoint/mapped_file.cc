#include "model/checkpoint/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace auricle::model {

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::Open(const std::string& path, size_t least_bytes) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot open"));
  struct stat info;
  absl::Status status;
  void* address = MAP_FAILED;
  if (fstat(fd, &info) != 0) {
    status = absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot read"));
  } else if (!S_ISREG(info.st_mode)) {
    status = absl::FailedPreconditionError(absl::StrCat(path, ": not a regular file"));
  } else if (static_cast<size_t>(info.st_size) < least_bytes) {
    status = absl::DataLossError(
        absl::StrCat(path, ": ", info.st_size, " bytes; the smallest file of this kind has ", least_bytes));
  } else {
    address = mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
    if (address == MAP_FAILED) status = absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot map"));
  }
  close(fd);
  if (!status.ok()) return status;
  return std::shared_ptr<const MappedFile>(new MappedFile(address, static_cast<size_t>(info.st_size)));
}

MappedFile::~MappedFile() { munmap(address_, length_); }

std::string Printable(std::string_view text) {
  std::string shown;
  for (char c : text.substr(0, 120)) shown += (c >= 0x20 && c < 0x7f) ? c : '?';
  return shown;
}

}  // namespace auricle::model
