#include "model/checkpoint/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"

namespace auricle::model {
namespace {

absl::Status SystemError(int error, const std::string& path, const std::string& what) {
  return absl::ErrnoToStatus(error, absl::StrCat(path, ": cannot ", what));
}

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  // Closing can be what reports a failed write (NFS): 0 or errno.
  int Close() {
    const int result = close(fd_) == 0 ? 0 : errno;
    fd_ = -1;
    return result;
  }

 private:
  int fd_;
};

absl::Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), std::min<size_t>(bytes.size(), 1 << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError(errno, path, "write");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

// `path` ends in XXXXXX, which becomes a name that no other writer has.
absl::Status WriteAndSync(std::string& path, std::span<const std::string_view> pieces) {
  Descriptor file(mkostemp(path.data(), O_CLOEXEC));
  if (file.get() < 0) return SystemError(errno, path, "create");
  if (fchmod(file.get(), 0644) != 0) return SystemError(errno, path, "set the mode");  // mkostemp makes it private
  for (std::string_view piece : pieces) {
    if (absl::Status status = WriteAll(file.get(), piece, path); !status.ok()) return status;
  }
  if (fsync(file.get()) != 0) return SystemError(errno, path, "flush to disk");
  if (const int error = file.Close(); error != 0) return SystemError(error, path, "close");
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteFileAtomically(const std::string& path, std::span<const std::string_view> pieces) {
  std::string temporary = absl::StrCat(path, ".tmp.XXXXXX");
  absl::Status status = WriteAndSync(temporary, pieces);
  if (status.ok() && rename(temporary.c_str(), path.c_str()) != 0) status = SystemError(errno, path, "replace");
  if (!status.ok()) {
    unlink(temporary.c_str());
    return status;
  }
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const std::string folder = parent.empty() ? std::string(1, '.') : parent;
  Descriptor directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0) return SystemError(errno, folder, "open");
  // Some file systems cannot flush a folder and say EINVAL; the file itself is safe by then.
  if (fsync(directory.get()) != 0 && errno != EINVAL) return SystemError(errno, folder, "flush to disk");
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadWholeFile(const std::string& path, size_t max_bytes) {
  // O_NONBLOCK: opening a named pipe must not wait for a writer.
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return SystemError(errno, path, "open");
  struct stat info;
  if (fstat(file.get(), &info) != 0) return SystemError(errno, path, "read");
  if (!S_ISREG(info.st_mode)) return absl::FailedPreconditionError(absl::StrCat(path, ": not a regular file"));
  if (static_cast<uint64_t>(info.st_size) > max_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat(path, ": ", info.st_size, " bytes, more than the ", max_bytes, " allowed"));
  }
  std::string content;
  content.reserve(static_cast<size_t>(info.st_size));
  char buffer[1 << 16];
  while (true) {
    const ssize_t got = read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError(errno, path, "read");
    if (got == 0) break;
    content.append(buffer, static_cast<size_t>(got));
    if (content.size() > max_bytes) return absl::ResourceExhaustedError(absl::StrCat(path, ": grew while it was read"));
  }
  return content;
}

}  // namespace auricle::model
