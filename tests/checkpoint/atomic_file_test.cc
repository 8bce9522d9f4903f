#include "model/checkpoint/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "tests/checkpoint/temporary_folder.h"

namespace auricle::model {
namespace {

size_t FilesIn(const std::string& folder) {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

TEST(AtomicFileTest, ReplacesTheWholeFile) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a");
  const std::string_view first[] = {"one ", "", "two"}, second[] = {"3"};
  ASSERT_TRUE(WriteFileAtomically(path, first).ok());
  EXPECT_EQ(*ReadWholeFile(path, 100), "one two");
  ASSERT_TRUE(WriteFileAtomically(path, second).ok());
  EXPECT_EQ(*ReadWholeFile(path, 100), "3");
  EXPECT_EQ(FilesIn(folder.path()), 1u);
}

TEST(AtomicFileTest, LeavesTheOldFileAndNothingElseWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  const std::string path = folder.File("a");
  const std::string_view old_content[] = {"old"};
  ASSERT_TRUE(WriteFileAtomically(path, old_content).ok());
  const std::string large(1 << 16, 'x');
  const std::string_view pieces[] = {large, large};

  // A file-size limit stands for the full disk: write() fails half-way in both.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 100000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = WriteFileAtomically(path, pieces);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);

  EXPECT_FALSE(status.ok());
  EXPECT_EQ(*ReadWholeFile(path, 100), "old");
  EXPECT_EQ(FilesIn(folder.path()), 1u);
}

TEST(AtomicFileTest, NamesThePathThatCannotBeWrittenOrRead) {
  const std::string_view pieces[] = {"x"};
  const absl::Status status = WriteFileAtomically("/nonexistent/folder/file", pieces);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("/nonexistent/folder/file"), absl::string_view::npos);
  EXPECT_EQ(ReadWholeFile("/nonexistent/file", 10).status().code(), absl::StatusCode::kNotFound);
}

TEST(AtomicFileTest, RefusesToReadMoreThanAllowed) {
  const TemporaryFolder folder;
  const std::string_view pieces[] = {"12345"};
  ASSERT_TRUE(WriteFileAtomically(folder.File("a"), pieces).ok());
  EXPECT_TRUE(ReadWholeFile(folder.File("a"), 5).ok());
  EXPECT_EQ(ReadWholeFile(folder.File("a"), 4).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(ReadWholeFile(folder.path(), 1000).ok());
}

}  // namespace
}  // namespace auricle::model
