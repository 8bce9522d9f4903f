// A folder for the files that targets read, one for each program.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace auricle::test {

inline std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

class FuzzFolder : public ::testing::Test {
 protected:
  static std::filesystem::path Folder() {
    const std::filesystem::path folder =
        std::filesystem::path(::testing::TempDir()) / ("auricle_fuzz_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    return folder;
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(Folder()); }

  // `bytes` as a file; the same name each time.
  static std::string AsFile(const std::string& bytes, const std::string& name = "damaged") {
    const std::filesystem::path path = Folder() / name;
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    return path.string();
  }
};

}  // namespace auricle::test
