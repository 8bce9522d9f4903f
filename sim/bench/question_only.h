// A learner without ears: what the words of a question and its options give away on their own.
//
// Logistic regression over the four options (softmax of their scores), trained by AdaGrad (Duchi, Hazan and Singer
// 2011) on bags of words, a model for each task: the words of an option and their pairs with the question's words, the
// option as a whole, and how it stands among the four (rank of its number, words shared with the others, length). A
// fair set of questions leaves it at chance.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "auricle/v1/question.pb.h"

namespace auricle::sim {

struct QuestionOnlyScore {
  std::string task;
  int trained = 0;  // questions
  int tested = 0;
  double accuracy = 0;        // share of `tested` right; 0.25 is chance
  double standard_error = 0;  // sqrt(p (1 - p) / tested) at chance
};

// Learns from `train` and answers `test`; only multiple choice with four options counts. By task, in the order of
// tasks.h; tasks without questions in both are left out. The same questions give the same scores.
std::vector<QuestionOnlyScore> LearnFromQuestionsAlone(std::span<const v1::Question> train,
                                                       std::span<const v1::Question> test);

// "task  trained  tested  right": one line a task, for people; those further from chance than `allowed` are marked.
std::string QuestionOnlyTable(const std::vector<QuestionOnlyScore>& scores, double allowed);

}  // namespace auricle::sim
