#include "sim/dataset/shard.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"

namespace auricle::sim {
namespace {

// What a ustar header holds without a prefix.
constexpr size_t kLongestName = 100;
// Two blocks of zeros end a tar file.
constexpr size_t kEndMark = 1024;

std::string PartOf(const std::string& path) { return path + ".part"; }

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

absl::Status CheckName(const std::string& key, const std::string& extension) {
  const bool key_good = !key.empty() && std::ranges::all_of(key, IsPlain);
  const bool extension_good =
      !extension.empty() && std::ranges::all_of(extension, [](char c) { return IsPlain(c) || c == '.'; });
  if (!key_good) {
    return absl::InvalidArgumentError(
        absl::StrCat("key: is \"", key, "\", must be of letters, digits, _ and -, at least one"));
  }
  if (!extension_good) {
    return absl::InvalidArgumentError(
        absl::StrCat("extension: of ", key, " is \"", extension, "\", must be of letters, digits, _, - and dots"));
  }
  if (key.size() + 1 + extension.size() > kLongestName) {
    return absl::InvalidArgumentError(
        absl::StrCat("key: ", key, ".", extension, " is longer than ", kLongestName, " characters"));
  }
  return absl::OkStatus();
}

absl::Status WriteError(const std::string& path, int error) {
  return absl::ErrnoToStatus(error != 0 ? error : EIO, absl::StrCat(path, ": cannot be written"));
}

absl::Status WriteMember(archive* tar, const std::string& name, const std::string& bytes, const std::string& path) {
  const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(), archive_entry_free);
  archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_size(entry.get(), static_cast<int64_t>(bytes.size()));
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_mtime(entry.get(), 0, 0);
  if (archive_write_header(tar, entry.get()) != ARCHIVE_OK) return WriteError(path, archive_errno(tar));
  size_t written = 0;
  while (written < bytes.size()) {
    const la_ssize_t n = archive_write_data(tar, bytes.data() + written, bytes.size() - written);
    if (n <= 0) return WriteError(path, archive_errno(tar));
    written += static_cast<size_t>(n);
  }
  return absl::OkStatus();
}

// "folder/key.a.b" -> "folder/key", "a.b".
std::pair<std::string, std::string> SplitName(const std::string& name) {
  const size_t slash = name.rfind('/');
  const size_t dot = name.find('.', slash == std::string::npos ? 0 : slash + 1);
  if (dot == std::string::npos) return {name, ""};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

absl::StatusOr<std::string> ReadMember(archive* tar, const std::string& where, const ShardLimits& limits) {
  std::string bytes;
  for (;;) {
    const void* block = nullptr;
    size_t size = 0;
    la_int64_t offset = 0;
    const int result = archive_read_data_block(tar, &block, &size, &offset);
    if (result == ARCHIVE_EOF) return bytes;
    if (result != ARCHIVE_OK) return absl::DataLossError(absl::StrCat(where, ": ", archive_error_string(tar)));
    if (offset < 0 || static_cast<size_t>(offset) + size > limits.max_file_bytes) {
      return absl::InvalidArgumentError(absl::StrCat(where, ": is longer than ", limits.max_file_bytes, " bytes"));
    }
    bytes.resize(static_cast<size_t>(offset));  // sparse files leave gaps
    bytes.append(static_cast<const char*>(block), size);
  }
}

// A tar file whose last member is whole may still have been cut before the next one.
absl::Status CheckEndMark(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  char tail[kEndMark];
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool read = !error && file >= 0 && size >= kEndMark &&
                    pread(file, tail, kEndMark, static_cast<off_t>(size - kEndMark)) == static_cast<ssize_t>(kEndMark);
  if (file >= 0) close(file);
  if (!read || std::ranges::any_of(tail, [](char c) { return c != 0; })) {
    return absl::DataLossError(absl::StrCat(path, ": ends without the mark of a whole archive"));
  }
  return absl::OkStatus();
}

}  // namespace

const std::string* Sample::Find(std::string_view extension) const {
  const auto file = std::ranges::find(files, extension, &SampleFile::extension);
  return file == files.end() ? nullptr : &file->bytes;
}

absl::StatusOr<ShardWriter> ShardWriter::Create(std::string path) {
  const int file = open(PartOf(path).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return WriteError(path, errno);
  archive* tar = archive_write_new();
  archive_write_set_format_ustar(tar);
  archive_write_set_bytes_in_last_block(tar, 1);  // no padding to whole tapes
  if (archive_write_open_fd(tar, file) != ARCHIVE_OK) {
    const absl::Status status = WriteError(path, archive_errno(tar));
    archive_write_free(tar);
    close(file);
    std::remove(PartOf(path).c_str());
    return status;
  }
  return ShardWriter(std::move(path), file, tar);
}

ShardWriter::ShardWriter(std::string path, int file, archive* tar) : path_(std::move(path)), file_(file), tar_(tar) {}

ShardWriter::ShardWriter(ShardWriter&& other) noexcept
    : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)), tar_(std::exchange(other.tar_, nullptr)) {}

ShardWriter::~ShardWriter() {
  if (file_ < 0) return;
  // Freeing writes the end mark, after which nobody could tell the part from a whole shard: its name goes first.
  // (Marked as failed it would write none, but libarchive then forgets its own buffer.)
  std::remove(PartOf(path_).c_str());
  if (tar_ != nullptr) archive_write_free(tar_);
  close(file_);
}

absl::Status ShardWriter::Add(const Sample& sample) {
  for (const SampleFile& file : sample.files) {
    if (absl::Status s = CheckName(sample.key, file.extension); !s.ok()) return s;
  }
  for (const SampleFile& file : sample.files) {
    const std::string name = absl::StrCat(sample.key, ".", file.extension);
    if (absl::Status s = WriteMember(tar_, name, file.bytes, path_); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status ShardWriter::Finish() {
  if (archive_write_close(tar_) != ARCHIVE_OK) return WriteError(path_, archive_errno(tar_));
  archive_write_free(std::exchange(tar_, nullptr));
  if (fsync(file_) != 0) return WriteError(path_, errno);
  // From here on the destructor has nothing to undo but the part's name.
  if (std::rename(PartOf(path_).c_str(), path_.c_str()) != 0) return WriteError(path_, errno);
  close(std::exchange(file_, -1));
  return absl::OkStatus();
}

absl::Status ReadShard(const std::string& path, const ShardLimits& limits,
                       const std::function<absl::Status(Sample sample)>& visit) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return absl::NotFoundError(absl::StrCat(path, ": no such file"));
  const std::unique_ptr<archive, int (*)(archive*)> tar(archive_read_new(), archive_read_free);
  archive_read_support_format_tar(tar.get());
  constexpr size_t kBlock = 1 << 16;
  if (archive_read_open_filename(tar.get(), path.c_str(), kBlock) != ARCHIVE_OK) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is not a tar file: ", archive_error_string(tar.get())));
  }
  Sample sample;
  for (;;) {
    archive_entry* entry = nullptr;
    const int result = archive_read_next_header(tar.get(), &entry);
    if (result == ARCHIVE_EOF) break;
    if (result != ARCHIVE_OK) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": ", archive_error_string(tar.get())));
    }
    if (archive_entry_filetype(entry) == AE_IFDIR) continue;
    const char* name = archive_entry_pathname(entry);
    const std::string where = absl::StrCat(path, ": member ", name == nullptr ? "?" : name);
    if (name == nullptr || archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(where, ": is not a plain file"));
    }
    auto [key, extension] = SplitName(name);
    if (extension.empty()) return absl::InvalidArgumentError(absl::StrCat(where, ": has no extension"));
    if (key != sample.key && !sample.files.empty()) {
      if (absl::Status s = visit(std::exchange(sample, {})); !s.ok()) return s;
    }
    if (sample.files.size() >= limits.max_files_per_sample) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, ": is one of more than ", limits.max_files_per_sample, " files of one sample"));
    }
    absl::StatusOr<std::string> bytes = ReadMember(tar.get(), where, limits);
    if (!bytes.ok()) return bytes.status();
    sample.key = std::move(key);
    sample.files.push_back({std::move(extension), *std::move(bytes)});
  }
  if (absl::Status s = CheckEndMark(path); !s.ok()) return s;
  if (sample.files.empty()) return absl::OkStatus();
  return visit(std::move(sample));
}

}  // namespace auricle::sim
