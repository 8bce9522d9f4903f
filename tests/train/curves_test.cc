#include "server/training/curves.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "tests/checkpoint/temporary_folder.h"

namespace auricle::training {
namespace {

std::vector<std::string> Lines(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(CurvesTest, KeepColumnsWithoutAValueOverAResume) {
  const TemporaryFolder folder;
  {
    auto curves = Curves::Open(folder.path(), "curves", 0);
    ASSERT_TRUE(curves.ok()) << curves.status();
    curves->Append(0, {{"open", std::nan("")}, {"caption", 0.5}});
    curves->Append(1, {{"open", std::nan("")}, {"caption", 0.25}});
  }
  auto curves = Curves::Open(folder.path(), "curves", 1);
  ASSERT_TRUE(curves.ok()) << curves.status();
  curves->Append(1, {{"open", 2}, {"caption", 0.125}});
  EXPECT_THAT(Lines(folder.File("curves.csv")), testing::ElementsAre("step,open,caption", "0,,0.5", "1,2,0.125"));
  ASSERT_EQ(curves->points().size(), 2u);
  EXPECT_TRUE(std::isnan(curves->points()[0].row[0].second));
}

}  // namespace
}  // namespace auricle::training
