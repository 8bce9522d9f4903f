#include "server/training/rollout_source.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/question/questions.h"
#include "sim/render/scene_renderer.h"
#include "sim/scene/random.h"
#include "sim/scene/scene_sampler.h"

namespace auricle::server {
namespace {

// Scenes that allow no question of the wanted tasks are passed over; so many in a row are a mistake in the request.
constexpr uint64_t kMaxScenesATask = 64;

class SceneRolloutSource final : public RolloutSource {
 public:
  SceneRolloutSource(const v1::StartRunRequest& request, std::shared_ptr<const sim::SourceBank> bank)
      : spec_(request.spec()), seed_(request.seed()), bank_(std::move(bank)) {
    options_.form = request.form() == v1::QUESTION_FORM_OPEN ? sim::AskForm::kOpen : sim::AskForm::kMultipleChoice;
    options_.tasks.assign(request.tasks().begin(), request.tasks().end());
    options_.per_scene = 1;
  }

  absl::StatusOr<v1::RolloutTask> Make(uint64_t number) override {
    for (uint64_t i = 0; i < kMaxScenesATask; ++i) {
      const uint64_t index = number * kMaxScenesATask + i;
      const absl::StatusOr<sim::ScenePlan> plan = sim::PlanScene(spec_, *bank_, seed_, index);
      if (!plan.ok()) return plan.status();
      const absl::StatusOr<sim::RenderedScene> scene = sim::RenderScene(*plan, *bank_);
      if (!scene.ok()) return scene.status();
      sim::Random random(seed_, index, "rollout/question");
      const std::vector<v1::Question> questions = sim::AskAbout(scene->truth, options_, random);
      if (questions.empty()) continue;
      v1::RolloutTask task;
      *task.mutable_scene()->mutable_spec() = spec_;
      task.mutable_scene()->set_seed(seed_);
      task.mutable_scene()->set_index(index);
      *task.mutable_question() = questions.front();
      return task;
    }
    return absl::InvalidArgumentError(
        absl::StrCat("tasks: ", kMaxScenesATask, " scenes of the spec allow no question of these tasks"));
  }

 private:
  const v1::SceneSpec spec_;
  const uint64_t seed_;
  const std::shared_ptr<const sim::SourceBank> bank_;
  sim::QuestionOptions options_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RolloutSource>> MakeSceneRolloutSource(const v1::StartRunRequest& request,
                                                                      std::shared_ptr<const sim::SourceBank> bank) {
  auto source = std::make_unique<SceneRolloutSource>(request, std::move(bank));
  // The first task shows whether the bank can serve the spec at all.
  if (const auto first = source->Make(0); !first.ok()) return first.status();
  return source;
}

}  // namespace auricle::server
