#include "server/training/rollout_source.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/render/simulation_task.h"

namespace auricle::server {
namespace {

// Scenes in one unit of simulation: a few seconds of work, so that a lost one costs little.
constexpr uint32_t kScenesAUnit = 8;
// A spec of which so many scenes allow no question of the wanted tasks is a mistake in the request.
constexpr uint32_t kScenesTried = 64;

class SceneRolloutSource final : public RolloutSource {
 public:
  explicit SceneRolloutSource(const v1::StartRunRequest& request) {
    *tasks_.mutable_spec() = request.spec();
    tasks_.set_seed(request.seed());
    tasks_.set_questions_per_scene(1);
    tasks_.set_form(request.form() == v1::QUESTION_FORM_OPEN ? v1::QUESTION_FORM_OPEN
                                                             : v1::QUESTION_FORM_MULTIPLE_CHOICE);
    *tasks_.mutable_tasks() = request.tasks();
  }

  v1::SimulationTask Range(uint64_t first, uint32_t count) const {
    v1::SimulationTask task = tasks_;
    task.set_first_index(first);
    task.set_count(count);
    return task;
  }

  std::optional<v1::SimulationTask> Scenes(uint64_t number) const override {
    return Range(number * kScenesAUnit, kScenesAUnit);
  }

  std::vector<v1::RolloutTask> Questions(uint64_t /*number*/, const v1::SimulationResult* scenes) const override {
    std::vector<v1::RolloutTask> questions;
    for (const v1::SimulatedScene& scene : scenes->scenes()) {
      if (scene.questions().empty()) continue;
      v1::RolloutTask& task = questions.emplace_back();
      *task.mutable_question() = scene.questions(0);
      if (scene.flac().empty()) {
        *task.mutable_scene()->mutable_spec() = tasks_.spec();
        task.mutable_scene()->set_seed(scene.truth().seed());
        task.mutable_scene()->set_index(scene.truth().index());
      } else {
        task.mutable_clip()->set_format(v1::FOA_FORMAT_AMBIX);
        task.mutable_clip()->set_encoding(v1::AUDIO_ENCODING_FILE);
        task.mutable_clip()->set_data(scene.flac());
      }
    }
    return questions;
  }

 private:
  v1::SimulationTask tasks_;  // but for the range
};

}  // namespace

absl::StatusOr<std::unique_ptr<RolloutSource>> MakeSceneRolloutSource(const v1::StartRunRequest& request,
                                                                      const sim::SourceBank& bank) {
  auto source = std::make_unique<SceneRolloutSource>(request);
  bool found = false;
  const absl::Status status = sim::RunSimulationTask(
      source->Range(0, kScenesTried), bank,
      [&](const sim::RenderedScene&, const v1::SimulatedScene& scene) {
        found = !scene.questions().empty();
        return absl::OkStatus();
      },
      [&] { return found; });
  if (found) return source;
  if (!status.ok()) return status;
  return absl::InvalidArgumentError(
      absl::StrCat("tasks: ", kScenesTried, " scenes of the spec allow no question of these tasks"));
}

}  // namespace auricle::server
