#include "sim/bench/html_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace auricle::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

SourceOutcome Found(const std::string& class_name, const std::string& as, double azimuth, double perceived,
                    double metres) {
  return {.class_name = class_name,
          .azimuth_deg = azimuth,
          .distance_m = metres,
          .t30_seconds = 0.5,
          .sources = 2,
          .found = true,
          .perceived_class = as,
          .perceived_azimuth_deg = perceived};
}

BenchmarkReport SmallReport() {
  BenchmarkReport report;
  GroupScore all;
  all.name = "all";
  all.form = v1::QUESTION_FORM_MULTIPLE_CHOICE;
  all.count = 40;
  all.accuracy = 0.625;
  all.low = 0.5;
  all.high = 0.75;
  all.controls["zero-spatial"] = 0.3;
  report.groups.push_back(all);
  // Errors of 4, 6 and 10 degrees at 170: across the back, so that -170 against 170 is 20.
  report.sources = {Found("dog", "dog", 170, 174, 1.5), Found("dog", "cat", 170, 176, 1.5),
                    Found("dog", "dog", 170, -180, 1.5), Found("bell", "bell", 0, 2, 4.0)};
  SourceOutcome missed = Found("bell", "", 90, 0, 4.0);
  missed.found = false;
  report.sources.push_back(missed);
  return report;
}

TEST(HtmlReportTest, ShowsScoresWithTheirControls) {
  const std::string page = HtmlReport(SmallReport(), "nano <1> on asa-bench");
  EXPECT_THAT(page, HasSubstr("<title>nano &lt;1&gt; on asa-bench</title>"));
  EXPECT_THAT(page, HasSubstr("62.5&nbsp;%"));
  EXPECT_THAT(page, HasSubstr("50.0&nbsp;% to 75.0&nbsp;%"));
  EXPECT_THAT(page, HasSubstr("<th>zero-spatial</th>"));
  EXPECT_THAT(page, Not(HasSubstr("Open answers"))) << "no such questions";
}

TEST(HtmlReportTest, ErrorsAreThoseOfTheSourcesThatWereFound) {
  const std::string page = HtmlReport(SmallReport(), "t");
  EXPECT_THAT(page, HasSubstr("-180°: median 6.0° of 3")) << "170 degrees is within 15 of straight behind";
  EXPECT_THAT(page, HasSubstr("0°: median 2.0° of 1"));
  EXPECT_THAT(page, HasSubstr("median 6.0°, quartiles 4.0° and 10.0°, 3 sources")) << "distance of 1 to 2 m";
  EXPECT_THAT(page, HasSubstr("dog taken for cat: 1 of 3"));
  EXPECT_THAT(page, HasSubstr("bell taken for bell: 1 of 1"));
  EXPECT_THAT(page, Not(HasSubstr("90°: median 9")));
}

TEST(HtmlReportTest, ARunWithoutEvidenceIsAPageToo) { EXPECT_THAT(HtmlReport({}, "t"), HasSubstr("</html>")); }

}  // namespace
}  // namespace auricle::sim
