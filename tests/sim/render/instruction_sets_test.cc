// Samples may differ between instruction sets (fused or separate multiply-add) by one step of 16 bits at most.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "hwy/targets.h"
#include "sim/render/scene_renderer.h"
#include "sim/scene/scene_sampler.h"
#include "tests/sim/scene/small_bank.h"

namespace auricle::sim {
namespace {

class InstructionSets : public ::testing::Test {
 protected:
  void TearDown() override { hwy::GetChosenTarget().Update(hwy::SupportedTargets()); }
};

TEST_F(InstructionSets, ScenesDifferByLessThanOneStepOfSixteenBits) {
  v1::SceneSpec spec;
  spec.set_split("train");
  spec.add_durations_seconds(2.0);
  v1::SceneSpec moving = spec;
  moving.set_motion_probability(1.0);
  moving.set_listener_motion_probability(0.5);
  std::vector<float> first;
  int compared = 0;
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::GetChosenTarget().Update(target);
    std::vector<float> samples;
    for (uint64_t index = 0; index < 10; ++index) {
      const auto plan = PlanScene(index < 5 ? spec : moving, *SmallBank(), 77, index);
      ASSERT_TRUE(plan.ok());
      const auto scene = RenderScene(*plan, *SmallBank());
      ASSERT_TRUE(scene.ok());
      samples.insert(samples.end(), scene->audio.samples.begin(), scene->audio.samples.end());
    }
    if (first.empty()) {
      first = samples;
      continue;
    }
    ASSERT_EQ(samples.size(), first.size());
    float worst = 0.0f;
    for (size_t i = 0; i < first.size(); ++i) worst = std::max(worst, std::abs(samples[i] - first[i]));
    EXPECT_LT(worst, 1.0f / 32768.0f) << hwy::TargetName(target);
    ++compared;
  }
  if (compared == 0) GTEST_SKIP() << "one instruction set only";
}

}  // namespace
}  // namespace auricle::sim
