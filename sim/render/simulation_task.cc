#include "sim/render/simulation_task.h"

#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/question/questions.h"
#include "sim/question/tasks.h"
#include "sim/scene/random.h"
#include "sim/scene/scene_sampler.h"
#include "sim/scene/scene_spec.h"

namespace auricle::sim {
namespace {

absl::Status Check(const v1::SimulationTask& task) {
  if (task.count() < 1 || task.count() > 1024) {
    return absl::InvalidArgumentError(absl::StrCat("count: is ", task.count(), ", must be in [1, 1024]"));
  }
  constexpr uint64_t kLast = std::numeric_limits<uint64_t>::max();
  if (task.first_index() > kLast - task.count()) {
    return absl::InvalidArgumentError(
        absl::StrCat("first_index: is ", task.first_index(), ", must be in [0, ", kLast - task.count(), "]"));
  }
  if (task.questions_per_scene() > 64) {
    return absl::InvalidArgumentError(
        absl::StrCat("questions_per_scene: is ", task.questions_per_scene(), ", must be in [0, 64]"));
  }
  if (!v1::QuestionForm_IsValid(task.form()))
    return absl::InvalidArgumentError(absl::StrCat("form: is ", static_cast<int>(task.form()), ", which is no form"));
  for (const std::string& name : task.tasks()) {
    if (FindTask(name) == nullptr)
      return absl::InvalidArgumentError(absl::StrCat("tasks: names \"", name, "\", which is no task"));
  }
  if (absl::Status s = Validate(WithDefaults(task.spec())); !s.ok())
    return absl::InvalidArgumentError(absl::StrCat("spec: ", std::string(s.message())));
  return absl::OkStatus();
}

}  // namespace

absl::Status RunSimulationTask(
    const v1::SimulationTask& task, const SourceBank& bank,
    const std::function<absl::Status(RenderedScene scene, v1::SimulatedScene message)>& on_scene,
    const std::function<bool()>& cancelled) {
  if (absl::Status checked = Check(task); !checked.ok()) return checked;
  QuestionOptions options;
  if (task.form() == v1::QUESTION_FORM_MULTIPLE_CHOICE) options.form = AskForm::kMultipleChoice;
  if (task.form() == v1::QUESTION_FORM_OPEN) options.form = AskForm::kOpen;
  options.tasks.assign(task.tasks().begin(), task.tasks().end());
  options.per_scene = static_cast<int>(task.questions_per_scene());
  for (uint64_t index = task.first_index(); index < task.first_index() + task.count(); ++index) {
    if (cancelled && cancelled()) return absl::CancelledError("the task was cancelled between two scenes");
    absl::StatusOr<RenderedScene> scene = RenderScene(task.spec(), bank, task.seed(), index);
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
