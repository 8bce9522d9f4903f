#include "model/generate/sampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

namespace auricle::model {
namespace {

using nlohmann::json;

// Reference distributions by transformers' rules in float64, tolerance 1e-6.
class GoldenSamplingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string path = std::string(AURICLE_SHARED_DIR) + "/reference/golden/sampling/cases.json";
    if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is absent";
    file_ = json::parse(std::ifstream(path));
  }

  static std::vector<float> Logits(const json& c) {
    std::vector<float> logits;
    for (const json& value : c["logits"]) {
      logits.push_back(value.is_null() ? -std::numeric_limits<float>::infinity() : value.get<float>());
    }
    return logits;
  }
  static SamplingOptions Options(const json& c) { return {c["temperature"], c["top_k"], c["top_p"], c["min_p"]}; }
  static void ExpectNear(const std::vector<double>& got, const std::vector<double>& want, const std::string& name) {
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-6) << name << " token " << i;
  }

  json file_;
};

TEST_F(GoldenSamplingTest, GivesTheReferenceDistribution) {
  ASSERT_EQ(file_["cases"].size() + file_["ties"].size(), 127u + file_["ties"].size());
  for (const json& c : file_["cases"]) {
    const std::vector<double> got = SamplingProbabilities(Logits(c), Options(c));
    ExpectNear(got, c["probs"], c["name"]);
    EXPECT_EQ(std::count_if(got.begin(), got.end(), [](double p) { return p > 0; }), c["kept"].get<int64_t>())
        << c["name"];
  }
}

TEST_F(GoldenSamplingTest, BreaksTiesAsTheReference) {
  for (const json& c : file_["ties"]) {
    std::vector<double> got = SamplingProbabilities(Logits(c), Options(c)), want = c["probs"];
    if (c.contains("only_count_and_sorted_probs_are_fixed")) {
      std::sort(got.begin(), got.end());
      std::sort(want.begin(), want.end());
    }
    ExpectNear(got, want, c["name"]);
  }
}

TEST(SamplingTest, GreedyTakesTheLowestIdOfTheLargest) {
  SamplingRandom random(1);
  const SamplingRandom before = random;
  EXPECT_EQ(SampleToken(std::vector<float>{1, 3, 2, 3}, {}, random), 1);
  EXPECT_EQ(random, before);  // and spends no random number
}

TEST(SamplingTest, DrawsEachTokenAsOftenAsItsProbability) {
  const std::vector<float> logits = {0.0f, std::log(2.0f), std::log(5.0f), -std::numeric_limits<float>::infinity()};
  const double expected[] = {1 / 8.0, 2 / 8.0, 5 / 8.0, 0};
  SamplingOptions options;
  options.temperature = 1;
  SamplingRandom random(5);
  constexpr int kDraws = 80000;
  int counts[4] = {};
  for (int i = 0; i < kDraws; ++i) ++counts[SampleToken(logits, options, random)];
  for (int i = 0; i < 4; ++i) {
    // Five standard deviations of a binomial share.
    EXPECT_NEAR(counts[i] / double{kDraws}, expected[i], 5 * std::sqrt(expected[i] * (1 - expected[i]) / kDraws)) << i;
  }
  EXPECT_EQ(counts[3], 0);
}

TEST(SamplingTest, SpendsOneRandomNumberATokenWhateverTheFilters) {
  SamplingRandom a(9), b(9);
  SamplingOptions options{0.7, 2, 0.9, 0.1};
  SampleToken(std::vector<float>{1, 2, 3}, options, a);
  b();
  EXPECT_EQ(a, b);
}

TEST(SamplingTest, KnowsTheLogProbabilityOfAToken) {
  EXPECT_NEAR(LogProbability(std::vector<float>{0.0f, std::log(3.0f)}, 0), std::log(0.25), 1e-7);
  EXPECT_NEAR(LogProbability(std::vector<float>{1000.0f, 1000.0f}, 1), std::log(0.5), 1e-7);
}

TEST(SamplingTest, NamesTheOptionThatIsOutOfRange) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::pair<SamplingOptions, const char*> wrong[] = {
      {{-0.1, 0, 1, 0}, "temperature"}, {{nan, 0, 1, 0}, "temperature"}, {{101, 0, 1, 0}, "temperature"},
      {{1, -1, 1, 0}, "top_k"},         {{1, 0, 0, 0}, "top_p"},         {{1, 0, 1.1, 0}, "top_p"},
      {{1, 0, nan, 0}, "top_p"},        {{1, 0, 1, -0.1}, "min_p"},      {{1, 0, 1, 1.1}, "min_p"}};
  for (const auto& [options, field] : wrong) {
    const absl::Status status = options.Validate();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << field;
    EXPECT_EQ(status.message().find(field), 0u) << status;
  }
  EXPECT_TRUE(SamplingOptions{}.Validate().ok());
}

}  // namespace
}  // namespace auricle::model
