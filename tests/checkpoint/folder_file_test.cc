#include "model/checkpoint/folder_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/checkpoint/temporary_folder.h"

namespace auricle::model {
namespace {

namespace fs = std::filesystem;

TEST(FolderFileTest, FindsPlainFilesAndThoseThatAreNotThere) {
  const TemporaryFolder folder;
  EXPECT_EQ(FileInFolder(folder.path(), "config.json").value(), folder.File("config.json"));
}

TEST(FolderFileTest, RefusesNamesThatAreNoPlainNames) {
  const TemporaryFolder folder;
  for (const std::string& name : {std::string(), std::string("."), std::string(".."), std::string("../secret"),
                                  std::string("/etc/passwd"), std::string("a/b"), std::string("a\0b", 3)}) {
    EXPECT_EQ(FileInFolder(folder.path(), name).status().code(), absl::StatusCode::kFailedPrecondition) << name;
  }
}

TEST(FolderFileTest, RefusesLinksThatLeadOut) {
  const TemporaryFolder folder, elsewhere;
  std::ofstream(elsewhere.File("secret")) << "secret";
  fs::create_symlink(elsewhere.File("secret"), folder.File("model.safetensors"));
  const absl::Status status = FileInFolder(folder.path(), "model.safetensors").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("model.safetensors"), absl::string_view::npos) << status;
  // A link to a link is no way out either.
  fs::create_symlink(folder.File("model.safetensors"), folder.File("again"));
  EXPECT_FALSE(FileInFolder(folder.path(), "again").ok());
}

TEST(FolderFileTest, FollowsLinksInsideAndThoseOfTheHuggingFaceCache) {
  const TemporaryFolder folder;
  std::ofstream(folder.File("weights-3")) << "w";
  fs::create_symlink("weights-3", folder.File("model.safetensors"));
  EXPECT_TRUE(FileInFolder(folder.path(), "model.safetensors").ok());

  const fs::path cache = fs::path(folder.path()) / "models--a--b", snapshot = cache / "snapshots" / "main";
  fs::create_directories(snapshot);
  fs::create_directories(cache / "blobs");
  std::ofstream(cache / "blobs" / "c0ffee") << "{}";
  fs::create_symlink("../../blobs/c0ffee", snapshot / "config.json");
  EXPECT_TRUE(FileInFolder(snapshot.string(), "config.json").ok());
  fs::create_symlink("../../../weights-3", snapshot / "tokenizer.json");
  EXPECT_FALSE(FileInFolder(snapshot.string(), "tokenizer.json").ok());
}

}  // namespace
}  // namespace auricle::model
