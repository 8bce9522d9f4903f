// Scene after scene holds no more memory: what a run of a million needs is that nothing outlives its scene but the
// bank's cache, which has a bound (source_bank_test.cc).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include "sim/render/scene_renderer.h"
#include "sim/scene/scene_spec.h"
#include "tests/sim/scene/small_bank.h"

namespace auricle::sim {
namespace {

// AURICLE_MEMORY_SCENES=20000 and AURICLE_MEMORY_BANK=FOLDER for a long run on real recordings.
uint64_t SceneCount() {
  const char* asked = std::getenv("AURICLE_MEMORY_SCENES");
  return asked != nullptr ? std::strtoull(asked, nullptr, 10) : 200;
}

std::shared_ptr<const SourceBank> Bank() {
  const char* folder = std::getenv("AURICLE_MEMORY_BANK");
  if (folder == nullptr) return SmallBank();
  auto bank = SourceBank::Open(folder);
  EXPECT_TRUE(bank.ok()) << bank.status();
  return *std::move(bank);
}

// Bytes of this process in memory, /proc/self/status; 0 where there is no such file.
size_t ResidentBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::strtoull(line.c_str() + 6, nullptr, 10) * 1024;
  }
  return 0;
}

TEST(Memory, StaysFlatFromSceneToScene) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers keep what is freed";
#endif
  if (ResidentBytes() == 0) GTEST_SKIP() << "no /proc/self/status";
  const std::shared_ptr<const SourceBank> bank = Bank();
  v1::SceneSpec spec = FullSceneSpec();
  if (std::getenv("AURICLE_MEMORY_BANK") == nullptr) {
    spec.clear_durations_seconds();
    spec.add_durations_seconds(2.0);
    spec.mutable_reverberation_seconds()->set_max(0.8);
  }
  // Past the first half, allocators and transforms have what they want.
  const uint64_t scenes = SceneCount();
  size_t after_half = 0, most = 0;
  for (uint64_t index = 0; index < scenes; ++index) {
    const auto plan = PlanScene(spec, *bank, 61, index);
    ASSERT_TRUE(plan.ok()) << plan.status();
    ASSERT_TRUE(RenderScene(*plan, *bank).ok());
    if (index == scenes / 2) after_half = ResidentBytes();
    if (index % 64 == 0) most = std::max(most, ResidentBytes());
    if ((index + 1) % 1000 == 0)
      std::printf("%d scenes, %.0f MiB, of which %.0f of recordings\n", static_cast<int>(index + 1),
                  static_cast<double>(ResidentBytes()) / (1 << 20),
                  static_cast<double>(bank->cached_bytes()) / (1 << 20));
  }
  EXPECT_LT(ResidentBytes(), after_half + (size_t{64} << 20));
  EXPECT_LT(most, size_t{1} << 30);
}

}  // namespace
}  // namespace auricle::sim
