#include "model/checkpoint/folder_lock.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include "tests/checkpoint/temporary_folder.h"

namespace auricle::model {
namespace {

TEST(FolderLockTest, IsHeldByOneAtATime) {
  const TemporaryFolder folder;
  auto first = FolderLock::Take(folder.path());
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(FolderLock::Take(folder.path()).status().code(), absl::StatusCode::kFailedPrecondition);
  // A lock that was moved is still one lock.
  std::optional<FolderLock> moved(*std::move(first));
  EXPECT_EQ(FolderLock::Take(folder.path()).status().code(), absl::StatusCode::kFailedPrecondition);
  moved.reset();
  EXPECT_TRUE(FolderLock::Take(folder.path()).ok());
}

TEST(FolderLockTest, EndsWithTheProcessHoweverThatEnds) {
  const TemporaryFolder folder;
  const pid_t child = fork();
  if (child == 0) {
    const auto lock = FolderLock::Take(folder.path());
    if (!lock.ok()) _exit(1);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(FolderLock::Take(folder.path()).ok());
}

TEST(FolderLockTest, NamesAFolderThatIsNotThere) {
  const auto lock = FolderLock::Take("/nowhere/at/all");
  EXPECT_EQ(lock.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(lock.status().message().find("/nowhere/at/all"), absl::string_view::npos);
}

}  // namespace
}  // namespace auricle::model
