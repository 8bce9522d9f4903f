#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sim/bench/question_only.h"
#include "sim/question/questions.h"
#include "sim/question/verifier.h"
#include "sim/render/in_order.h"
#include "sim/render/scene_renderer.h"
#include "sim/scene/random.h"
#include "sim/scene/scene_spec.h"
#include "tests/bench/sim_bars.h"
#include "tests/sim/measures/audible_questions.h"

namespace auricle::bench {
namespace {

// Questions that the learner without ears learns from.
constexpr size_t kLearned = 20000;
// Draws of questions about each scene that it answers: options are drawn anew, so a task that few scenes allow is still
// asked often enough to tell chance from more.
constexpr int kDraws = 4;

}  // namespace

absl::Status MeasureQuestions(const sim::SourceBank& bank, int scenes, int threads, Report& report) {
  constexpr uint64_t kSeed = 7;
  v1::SceneSpec spec = sim::FullSceneSpec();
  spec.set_split("train");
  sim::QuestionOptions options;
  options.per_scene = 0;
  std::vector<v1::Question> learned, answered;  // of different scenes
  double inaudible = 0, wrong = 0, graded = 0, hidden = 0;
  std::string first_wrong;
  const auto make = [&](uint64_t i) -> absl::StatusOr<v1::Scene> {
    absl::StatusOr<sim::RenderedScene> scene = sim::RenderScene(spec, bank, kSeed, i);
    if (!scene.ok()) return scene.status();
    return std::move(scene->truth);
  };
  const auto take = [&](uint64_t i, const v1::Scene& truth) {
    hidden +=
        static_cast<double>(std::ranges::count_if(truth.sources(), [](const auto& s) { return !sim::CanBeHeard(s); }));
    const bool learning = learned.size() < kLearned;
    for (int draw = 0; draw < (learning ? 1 : kDraws); ++draw) {
      sim::Random random = sim::Random(kSeed, i, "bench/questions").Fork(static_cast<uint64_t>(draw));
      for (v1::Question& question : sim::AskAbout(truth, options, random)) {
        const std::vector<std::string> complaints = sim::InaudibleIn(question, truth);
        inaudible += complaints.empty() ? 0 : 1;
        const bool right = sim::Verify(question, sim::AnswerText(question)).correct();
        wrong += right ? 0 : 1;
        ++graded;
        if (first_wrong.empty() && !complaints.empty()) first_wrong = complaints[0];
        if (first_wrong.empty() && !right)
          first_wrong = absl::StrCat(sim::PromptText(question), " - ", sim::AnswerText(question));
        if (question.form() != v1::QUESTION_FORM_MULTIPLE_CHOICE) continue;
        (learning ? learned : answered).push_back(std::move(question));
      }
    }
    if ((i + 1) % 500 == 0) Say(absl::StrCat("questions about ", i + 1, " of ", scenes, " scenes"));
    return absl::OkStatus();
  };
  absl::Status status =
      sim::MakeInOrder<v1::Scene>(0, static_cast<uint64_t>(scenes), threads, make, take, [] { return false; });
  if (!status.ok()) return status;
  if (!first_wrong.empty()) Say(first_wrong);
  report.bars.push_back(
      {.name = "questions about what cannot be heard",
       .value = inaudible,
       .unit = "",
       .floor = Bar::Floor{0.0},
       .note = absl::StrFormat("of %.0f about %d scenes with %.0f hidden sources, by the levels in the truth", graded,
                               scenes, hidden)});
  report.bars.push_back({.name = "one who reads the truth, in words",
                         .value = 100.0 * (1.0 - wrong / graded),
                         .unit = "% right",
                         .floor = Bar::Floor{100.0, true},
                         .note = "letters and reference answers through the verifier"});

  Say(absl::StrCat("a learner without ears: ", learned.size(), " questions"));
  const std::vector<sim::QuestionOnlyScore> scores = sim::LearnFromQuestionsAlone(learned, answered);
  if (scores.empty()) return absl::FailedPreconditionError("too few scenes for a learner without ears");
  const sim::QuestionOnlyScore& worst = *std::ranges::max_element(
      scores, {}, [](const sim::QuestionOnlyScore& score) { return std::abs(score.accuracy - 0.25); });
  report.bars.push_back({.name = "a learner without ears, furthest from chance",
                         .value = 100.0 * std::abs(worst.accuracy - 0.25),
                         .unit = "points",
                         .floor = Bar::Floor{3.0},
                         .note = absl::StrFormat(
                             "%s: %.1f %% of %d; %d tasks, %d questions to learn from, %d about other scenes to answer",
                             worst.task, 100.0 * worst.accuracy, worst.tested, static_cast<int>(scores.size()),
                             static_cast<int>(learned.size()), static_cast<int>(answered.size()))});
  return absl::OkStatus();
}

}  // namespace auricle::bench
