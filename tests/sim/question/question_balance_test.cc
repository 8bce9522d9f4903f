// Words and options alone must not give the answer away: what a listener without ears can learn stays near chance.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
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
    ASSERT_GT(total, 300) << task;
    for (int rank = 0; rank < 4; ++rank) {
      EXPECT_NEAR(count[rank] / total, 0.25, 0.10) << task << " rank " << rank;
    }
  }
}

// A learner that has seen how often each option's text was right when it was shown, and picks the best: trained on one
// half of the scenes and scored on the other.
TEST(QuestionBalanceTest, ThePriorOfAnswersIsNearChance) {
  for (const auto& [task, questions] : QuestionsByTask()) {
    std::map<std::string, std::pair<double, double>> shown_right;
    const size_t half = questions.size() / 2;
    for (size_t i = 0; i < half; ++i) {
      for (int option = 0; option < 4; ++option) {
        auto& [shown, right] = shown_right[questions[i].options(option)];
        ++shown;
        right += option == RightOption(questions[i]) ? 1 : 0;
      }
    }
    double correct = 0;
    for (size_t i = half; i < questions.size(); ++i) {
      int best = 0;
      double best_rate = -1;
      for (int option = 0; option < 4; ++option) {
        const auto& [shown, right] = shown_right[questions[i].options(option)];
        const double rate = (right + 1.0) / (shown + 4.0);
        if (rate > best_rate) best_rate = rate, best = option;
      }
      correct += best == RightOption(questions[i]) ? 1 : 0;
    }
    const double accuracy = correct / static_cast<double>(questions.size() - half);
    // Counting is bounded by the number of sources in a scene: three at most, so a third is what guessing gives.
    const double most = task == "count_sources" ? 0.42 : 0.36;
    EXPECT_LT(accuracy, most) << task;
    RecordProperty(task, std::to_string(accuracy));
    if (getenv("AURICLE_SHOW_PRIORS") != nullptr)
      printf("%-40s %.3f of %zu\n", task.c_str(), accuracy, questions.size());
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
    for (const auto& [value, count] : values[form]) {
      EXPECT_NEAR(count / totals[form], 0.5, 0.06) << form << ": " << value;
    }
  }
}

}  // namespace
}  // namespace auricle::sim
