#include "sim/render/simulation_task.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/question/questions.h"
#include "sim/scene/random.h"
#include "sim/scene/scene_sampler.h"

namespace auricle::sim {

absl::Status RunSimulationTask(
    const v1::SimulationTask& task, const SourceBank& bank,
    const std::function<absl::Status(RenderedScene scene, v1::SimulatedScene message)>& on_scene,
    const std::function<bool()>& cancelled) {
  if (task.count() < 1 || task.count() > 1024) {
    return absl::InvalidArgumentError(absl::StrCat("count: is ", task.count(), ", must be in [1, 1024]"));
  }
  if (task.questions_per_scene() > 64) {
    return absl::InvalidArgumentError(
        absl::StrCat("questions_per_scene: is ", task.questions_per_scene(), ", must be in [0, 64]"));
  }
  QuestionOptions options;
  if (task.form() == v1::QUESTION_FORM_MULTIPLE_CHOICE) options.form = AskForm::kMultipleChoice;
  if (task.form() == v1::QUESTION_FORM_OPEN) options.form = AskForm::kOpen;
  options.tasks.assign(task.tasks().begin(), task.tasks().end());
  options.per_scene = static_cast<int>(task.questions_per_scene());
  for (uint64_t index = task.first_index(); index < task.first_index() + task.count(); ++index) {
    if (cancelled()) return absl::CancelledError("the task was cancelled between two scenes");
    const absl::StatusOr<ScenePlan> plan = PlanScene(task.spec(), bank, task.seed(), index);
    if (!plan.ok()) return plan.status();
    absl::StatusOr<RenderedScene> scene = RenderScene(*plan, bank);
    if (!scene.ok()) return scene.status();
    v1::SimulatedScene message;
    *message.mutable_truth() = scene->truth;
    if (options.per_scene > 0) {
      Random random(task.seed(), index, "simulation/questions");
      for (v1::Question& question : AskAbout(scene->truth, options, random))
        *message.add_questions() = std::move(question);
    }
    if (absl::Status status = on_scene(*std::move(scene), std::move(message)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace auricle::sim
