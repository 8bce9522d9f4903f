// Samples may differ between instruction sets (fused or separate multiply-add) by one step of 16 bits at most.
#include <google/protobuf/util/field_comparator.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "hwy/targets.h"
#include "sim/render/scene_renderer.h"
#include "sim/scene/scene_sampler.h"
#include "sim/scene/scene_spec.h"
#include "tests/sim/scene/small_bank.h"

namespace auricle::sim {
namespace {

class InstructionSets : public ::testing::Test {
 protected:
  void TearDown() override { hwy::GetChosenTarget().Update(hwy::SupportedTargets()); }
};

// All but measured numbers exactly; those to what the last bits of the samples can change.
bool SameTruth(const v1::Scene& a, const v1::Scene& b, std::string* differences) {
  google::protobuf::util::DefaultFieldComparator comparator;
  comparator.set_float_comparison(google::protobuf::util::DefaultFieldComparator::APPROXIMATE);
  comparator.SetDefaultFractionAndMargin(/*fraction=*/1e-3, /*margin=*/1e-3);
  google::protobuf::util::MessageDifferencer differencer;
  differencer.set_field_comparator(&comparator);
  differencer.ReportDifferencesToString(differences);
  return differencer.Compare(a, b);
}

std::vector<RenderedScene> RenderAll() {
  v1::SceneSpec still;
  still.set_split("train");
  still.add_durations_seconds(2.0);
  v1::SceneSpec moving = FullSceneSpec();
  moving.clear_durations_seconds();
  moving.add_durations_seconds(2.0);
  moving.set_motion_probability(1.0);
  moving.set_listener_motion_probability(0.5);
  moving.mutable_reverberation_seconds()->set_max(0.8);
  // A sample on the border of two codes moves by a whole step of a coding that may have 10 bits.
  moving.mutable_microphone()->set_coding_probability(0.0);
  std::vector<RenderedScene> scenes;
  for (uint64_t index = 0; index < 20; ++index) {
    const auto plan = PlanScene(index < 8 ? still : moving, *SmallBank(), 77, index);
    EXPECT_TRUE(plan.ok()) << plan.status();
    auto scene = RenderScene(*plan, *SmallBank());
    EXPECT_TRUE(scene.ok()) << scene.status();
    scenes.push_back(*std::move(scene));
  }
  return scenes;
}

TEST_F(InstructionSets, ScenesHaveTheSameTruthAndDifferByLessThanOneStepOfSixteenBits) {
  std::vector<RenderedScene> first;
  int compared = 0;
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::GetChosenTarget().Update(target);
    const std::vector<RenderedScene> scenes = RenderAll();
    if (first.empty()) {
      first = scenes;
      continue;
    }
    for (size_t k = 0; k < scenes.size(); ++k) {
      const std::vector<float>&a = scenes[k].audio.samples, &b = first[k].audio.samples;
      ASSERT_EQ(a.size(), b.size());
      float worst = 0.0f;
      for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
      EXPECT_LT(worst, 1.0f / 32768.0f) << hwy::TargetName(target) << ", " << scenes[k].truth.id();
      std::string differences;
      EXPECT_TRUE(SameTruth(scenes[k].truth, first[k].truth, &differences))
          << hwy::TargetName(target) << ", " << scenes[k].truth.id() << ": " << differences;
    }
    ++compared;
  }
  if (compared == 0) GTEST_SKIP() << "one instruction set only";
}

}  // namespace
}  // namespace auricle::sim
