// Words and options alone must not give the answer away: what a listener without ears can learn stays near chance.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/bench/question_only.h"
#include "sim/question/answer_parser.h"
#include "sim/question/questions.h"
#include "tests/sim/question/synthetic_scenes.h"

namespace auricle::sim {
namespace {

constexpr uint64_t kBalanceScenes = 2000;

// Multiple-choice questions about synthetic scenes, by task; drawn once.
const std::map<std::string, std::vector<v1::Question>>& QuestionsByTask() {
  static const auto* const by_task = [] {
    auto* all = new std::map<std::string, std::vector<v1::Question>>;
    QuestionOptions options;
    options.form = AskForm::kMultipleChoice;
    options.per_scene = 0;
    for (uint64_t i = 0; i < kBalanceScenes; ++i) {
      Random random(23, i, "balance");
      for (v1::Question& question : AskAbout(DrawScene(i), options, random)) {
        (*all)[question.task()].push_back(std::move(question));
      }
    }
    return all;
  }();
  return *by_task;
}

int RightOption(const v1::Question& question) { return question.key().letter()[0] - 'A'; }

TEST(QuestionBalanceTest, TheRightLetterIsUniform) {
  for (const auto& [task, questions] : QuestionsByTask()) {
    std::array<double, 4> count = {};
    for (const v1::Question& question : questions) ++count[RightOption(question)];
    const double expected = static_cast<double>(questions.size()) / 4.0;
    double chi_square = 0;
    for (double c : count) chi_square += (c - expected) * (c - expected) / expected;
    EXPECT_LT(chi_square, 21.1) << task << ": p < 0.0001 with 3 degrees of freedom";
  }
}

// Place of the right option in the order of the numbers that the options show.
TEST(QuestionBalanceTest, TheRightNumberStandsAnywhereInTheOrder) {
  for (const char* task : {"detect_time", "estimate_elevation", "estimate_distance", "estimate_reverberation",
                           "estimate_room_size", "onset_from_location", "angular_separation"}) {
    std::array<double, 4> count = {};
    double total = 0;
    for (const v1::Question& question : QuestionsByTask().at(task)) {
      std::vector<double> values;
      for (const std::string& option : question.options()) {
        const std::vector<AnswerToken> tokens = TokeniseAnswer(option);
        const std::vector<DirectionClaim> elevations = FindElevations(tokens);
        const std::vector<double> numbers = FindValues(tokens, Unit::kSeconds);
        const std::vector<double> metres = FindValues(tokens, Unit::kMetres);
        const std::vector<double> volumes = FindValues(tokens, Unit::kCubicMetres);
        if (std::string(task) == "estimate_elevation" && !elevations.empty()) {
          values.push_back(elevations[0].degrees);
        } else if (!numbers.empty() || !metres.empty() || !volumes.empty()) {
          values.push_back(!numbers.empty() ? numbers[0] : !metres.empty() ? metres[0] : volumes[0]);
        } else if (const std::vector<double> angles = FindValues(tokens, Unit::kDegrees); !angles.empty()) {
          values.push_back(angles[0]);
        }
      }
      if (values.size() != 4 || question.options(0).find("from ") == 0) continue;  // "no such sound", spans
      const double right = values[RightOption(question)];
      ++count[std::count_if(values.begin(), values.end(), [right](double value) { return value < right; })];
      ++total;
    }
    ASSERT_GT(total, 250) << task;
    for (int rank = 0; rank < 4; ++rank) {
      EXPECT_NEAR(count[rank] / total, 0.25, 0.10) << task << " rank " << rank;
    }
  }
}

// A learner of words (sim/bench/question_only.h), trained on one half of the scenes and scored on the other.
TEST(QuestionBalanceTest, WordsAloneAreNearChance) {
  std::vector<v1::Question> train, test;
  for (const auto& [task, questions] : QuestionsByTask()) {
    const auto half = questions.begin() + static_cast<ptrdiff_t>(questions.size() / 2);
    train.insert(train.end(), questions.begin(), half);
    test.insert(test.end(), half, questions.end());
  }
  const std::vector<QuestionOnlyScore> scores = LearnFromQuestionsAlone(train, test);
  EXPECT_GE(scores.size(), 24u);
  for (const QuestionOnlyScore& score : scores) {
    // Scenes here have three sources at most: counting is a choice of three.
    const double chance = score.task == "count_sources" ? 0.33 : 0.25;
    EXPECT_LT(score.accuracy, chance + 0.03 + 3 * score.standard_error) << score.task;
    RecordProperty(score.task, std::to_string(score.accuracy));
  }
}

TEST(QuestionBalanceTest, AnswersOfOpenChoicesAreBalanced) {
  // By task and the first of its two answers.
  std::map<std::string, std::map<std::string, double>> values;
  std::map<std::string, double> totals;
  QuestionOptions options;
  options.form = AskForm::kOpen;
  options.per_scene = 0;
  for (uint64_t i = 0; i < kBalanceScenes; ++i) {
    Random random(29, i, "balance");
    for (const v1::Question& question : AskAbout(DrawScene(i), options, random)) {
      const v1::Choice& choice = question.key().choice();
      if (choice.allowed_size() != 2 || choice.value() == "absent") continue;
      const std::string form = absl::StrCat(question.task(), " ", choice.allowed(0));
      ++values[form][choice.value()];
      ++totals[form];
    }
  }
  for (const std::string form : {"detect_sources yes", "relative_left_right left", "relative_left_right yes",
                                 "compare_elevation yes", "compare_distance yes", "temporal_order yes"}) {
    EXPECT_EQ(values[form].size(), 2u) << form;
    ASSERT_GT(totals[form], 100) << form;
    const double four_deviations = 4 * 0.5 / std::sqrt(totals[form]);
    for (const auto& [value, count] : values[form]) {
      EXPECT_NEAR(count / totals[form], 0.5, four_deviations) << form << ": " << value;
    }
  }
}

}  // namespace
}  // namespace auricle::sim
