// Questions about a scene whose truth is known: for training, for the benchmark and for rollouts.
//
// Only audible things are asked about, only with margins that leave one right answer, and so that words and options
// alone do not give it away: see docs of each generator (atomic.cc, relational.cc, cognitive.cc) and option_drawing.h.
#ifndef SIM_QUESTION_QUESTIONS_H_
#define SIM_QUESTION_QUESTIONS_H_

#include <string>
#include <vector>

#include "auricle/v1/question.pb.h"
#include "auricle/v1/scene.pb.h"
#include "sim/question/priors.h"
#include "sim/scene/random.h"

namespace auricle::sim {

enum class AskForm { kMultipleChoice, kOpen, kBoth };

struct QuestionOptions {
  // kBoth: half of the questions each.
  AskForm form = AskForm::kBoth;
  // Which levels and tasks to draw from; empty means all. Unknown task names are ignored.
  std::vector<v1::QuestionLevel> levels;
  std::vector<std::string> tasks;
  // At most so many; fewer where the scene has no more to ask. 0: every task once in every form that the scene allows.
  int per_scene = 8;
  // False: all wordings of a task but its last two (training). True: only the last two (test).
  bool held_out_wordings = false;
  // Share of direction, distance and detection questions that name a sound which is not there.
  double absent_share = 0.08;
  // For measuring priors.h: notes every number that was asked for. Not owned.
  TruthLog* truths = nullptr;
};

// Questions about `truth`, in random order, no two with the same text and options. The same truth, options and
// generator state give the same questions on every machine. Empty where nothing is audible. Question.id is
// "<scene id>/<task>/<number>". Thread-safe (no shared state).
std::vector<v1::Question> AskAbout(const v1::Scene& truth, const QuestionOptions& options, Random& random);

// The question with its options, as people read it: for multiple choice then "A. ..." to "D. ...", a line each (any
// number up to 26). The model reads `text` alone and weighs each option as its answer.
std::string PromptText(const v1::Question& question);

// The right answer as the verifier takes it: the name of the option ("B"), or the reference in words. Empty
// when the question has no key.
std::string AnswerText(const v1::Question& question);

}  // namespace auricle::sim

#endif  // SIM_QUESTION_QUESTIONS_H_
