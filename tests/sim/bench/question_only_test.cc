// The learner without ears finds what is there to be found, and nothing else.
#include "sim/bench/question_only.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "sim/scene/random.h"

namespace auricle::sim {
namespace {

constexpr const char* kNouns[] = {"dog", "bell", "car", "rain", "door", "cat", "clock", "bird"};

// Questions of one task with the right option at random places; `word` gives option `place`'s text, the right one's
// too.
std::vector<v1::Question> Draw(const std::string& task, int count,
                               const std::function<std::string(bool right, Random& random)>& word) {
  std::vector<v1::Question> questions;
  for (int i = 0; i < count; ++i) {
    Random random(5, static_cast<uint64_t>(i), task);
    v1::Question question;
    question.set_task(task);
    question.set_text("Where is the dog?");
    const int right = static_cast<int>(random.Index(4));
    for (int place = 0; place < 4; ++place) question.add_options(word(place == right, random));
    question.mutable_key()->set_letter(std::string(1, static_cast<char>('A' + right)));
    questions.push_back(std::move(question));
  }
  return questions;
}

// Learned from the first half, answered in the second.
QuestionOnlyScore ScoreOf(const std::vector<v1::Question>& questions) {
  const std::span<const v1::Question> all = questions;
  const auto scores = LearnFromQuestionsAlone(all.first(all.size() / 2), all.subspan(all.size() / 2));
  EXPECT_EQ(scores.size(), 1u);
  return scores.empty() ? QuestionOnlyScore{} : scores[0];
}

std::string Noun(Random& random) { return kNouns[random.Index(8)]; }
std::string Metres(double metres) { return std::to_string(metres).substr(0, 4) + " m"; }

TEST(QuestionOnlyTest, FairOptionsLeaveItAtChance) {
  const QuestionOnlyScore score =
      ScoreOf(Draw("multi_hop", 4000, [](bool, Random& random) { return Noun(random) + " " + Noun(random); }));
  EXPECT_EQ(score.tested, 2000);
  EXPECT_NEAR(score.standard_error, 0.0097, 1e-4);  // sqrt(0.1875 / 2000)
  EXPECT_NEAR(score.accuracy, 0.25, 4 * score.standard_error);
}

TEST(QuestionOnlyTest, AWordThatOftenIsRightIsFound) {
  const QuestionOnlyScore score = ScoreOf(Draw("multi_hop", 2000, [](bool right, Random& random) {
    return right && random.Chance(0.5) ? std::string("dog") : Noun(random);
  }));
  EXPECT_GT(score.accuracy, 0.45);
}

TEST(QuestionOnlyTest, ARankOfTheNumberIsFound) {
  // Each value is fresh, so only its place among the four can tell: the right one is drawn from the upper half.
  const QuestionOnlyScore score = ScoreOf(Draw("estimate_distance", 2000, [](bool right, Random& random) {
    return Metres(right ? random.Uniform(4.0, 8.0) : random.Uniform(1.0, 8.0));
  }));
  EXPECT_GT(score.accuracy, 0.33);
}

TEST(QuestionOnlyTest, OnlyFourOptionsWithALetterCount) {
  std::vector<v1::Question> questions = Draw("multi_hop", 10, [](bool, Random& random) { return Noun(random); });
  questions[0].clear_options();
  questions[1].mutable_key()->set_letter("E");
  questions[2].clear_key();
  const auto scores = LearnFromQuestionsAlone(questions, questions);
  ASSERT_EQ(scores.size(), 1u);
  EXPECT_EQ(scores[0].trained, 7);
  EXPECT_EQ(scores[0].tested, 7);
  EXPECT_TRUE(LearnFromQuestionsAlone(questions, {}).empty());
}

}  // namespace
}  // namespace auricle::sim
