// A seed and an index give the same bytes, whoever renders them and in whatever order.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "sim/render/scene_renderer.h"
#include "sim/scene/random.h"
#include "sim/scene/scene_spec.h"
#include "tests/sim/scene/small_bank.h"

namespace auricle::sim {
namespace {

constexpr size_t kScenes = 200;

// FNV-1a, 64 bit.
uint64_t Stamp(std::string_view bytes, uint64_t hash = 0xcbf29ce484222325ull) {
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return hash;
}

uint64_t StampOf(const v1::SceneSpec& spec, size_t index) {
  const auto plan = PlanScene(spec, *SmallBank(), 41, index);
  EXPECT_TRUE(plan.ok()) << plan.status();
  const auto scene = RenderScene(*plan, *SmallBank());
  EXPECT_TRUE(scene.ok()) << scene.status();
  const std::string_view samples(reinterpret_cast<const char*>(scene->audio.samples.data()),
                                 scene->audio.samples.size() * sizeof(float));
  return Stamp(scene->truth.SerializeAsString(), Stamp(samples));
}

std::vector<uint64_t> Stamps(const v1::SceneSpec& spec, std::vector<size_t> order, size_t threads) {
  std::vector<uint64_t> stamps(order.size());
  std::atomic<size_t> next{0};
  std::vector<std::thread> workers;
  for (size_t t = 0; t < threads; ++t) {
    workers.emplace_back([&] {
      for (size_t i = next++; i < order.size(); i = next++) stamps[order[i]] = StampOf(spec, order[i]);
    });
  }
  for (std::thread& worker : workers) worker.join();
  return stamps;
}

TEST(Determinism, TwoHundredScenesHaveTheSameBytesForAnyNumberOfThreadsInAnyOrder) {
  v1::SceneSpec spec = FullSceneSpec();
  spec.clear_durations_seconds();
  spec.add_durations_seconds(1.0);
  spec.mutable_reverberation_seconds()->set_max(0.5);  // of all kinds, but cheap
  std::vector<size_t> order(kScenes);
  std::iota(order.begin(), order.end(), size_t{0});
  const std::vector<uint64_t> one = Stamps(spec, order, 1);
  std::vector<uint64_t> distinct = one;
  std::ranges::sort(distinct);
  EXPECT_EQ(std::ranges::unique(distinct).size(), 0u) << "two scenes are the same";
  Random random(1, 2, "order");
  for (const size_t threads : {size_t{2}, size_t{4}}) {
    random.Shuffle(order);
    const std::vector<uint64_t> other = Stamps(spec, order, threads);
    for (size_t i = 0; i < kScenes; ++i) EXPECT_EQ(other[i], one[i]) << "scene " << i << ", " << threads << " threads";
  }
}

}  // namespace
}  // namespace auricle::sim
