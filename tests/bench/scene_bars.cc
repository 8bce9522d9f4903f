#include <google/protobuf/util/field_comparator.h>
#include <google/protobuf/util/message_differencer.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>
#include <functional>
#include <mutex>
#include <numeric>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hwy/targets.h"
#include "sim/render/scene_renderer.h"
#include "sim/scene/random.h"
#include "sim/scene/scene_sampler.h"
#include "tests/bench/sim_bars.h"

namespace auricle::bench {
namespace {

using Clock = std::chrono::steady_clock;

double Since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// work(0) ... work(count - 1), shared among threads; the first error ends it.
absl::Status Spread(int threads, size_t count, const std::function<absl::Status(size_t)>& work) {
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  absl::Status status;
  const auto run = [&] {
    for (size_t i; (i = next.fetch_add(1)) < count;) {
      absl::Status s = work(i);
      if (s.ok()) continue;
      const std::lock_guard<std::mutex> lock(mutex);
      status.Update(s);
      next = count;
    }
  };
  std::vector<std::thread> workers;
  for (int t = 1; t < threads; ++t) workers.emplace_back(run);
  run();
  for (std::thread& worker : workers) worker.join();
  return status;
}

uint64_t Fnv(uint64_t hash, const void* bytes, size_t size) {
  for (size_t i = 0; i < size; ++i) hash = (hash ^ static_cast<const unsigned char*>(bytes)[i]) * 1099511628211u;
  return hash;
}
constexpr uint64_t kFnvStart = 14695981039346656037u;

uint64_t HashOf(const sim::RenderedScene& scene) {
  const uint64_t hash = Fnv(kFnvStart, scene.audio.samples.data(), scene.audio.samples.size() * sizeof(float));
  const std::string truth = scene.truth.SerializeAsString();  // no maps in it: one spelling
  return Fnv(hash, truth.data(), truth.size());
}

// Ten seconds in rooms, four sources.
v1::SceneSpec FourSources(double motion_probability) {
  v1::SceneSpec spec;
  spec.set_split("train");
  spec.add_durations_seconds(10.0);
  spec.set_min_sources(4);
  spec.set_max_sources(4);
  spec.set_free_field_probability(0.0);
  spec.set_motion_probability(motion_probability);
  return spec;
}

// Scenes as training draws them, and some of everything that can move.
v1::SceneSpec Mixed() {
  v1::SceneSpec spec;
  spec.set_split("train");
  spec.set_motion_probability(0.25);
  spec.set_listener_motion_probability(0.2);
  return spec;
}

// The first `count` indices whose plans have `moving` sources that move. Planning also decodes what they play.
absl::StatusOr<std::vector<uint64_t>> ScenesWithMoving(const v1::SceneSpec& spec, const sim::SourceBank& bank,
                                                       uint64_t seed, int moving, size_t count) {
  std::vector<uint64_t> indices;
  for (uint64_t index = 0; indices.size() < count && index < 100 * count; ++index) {
    const absl::StatusOr<sim::ScenePlan> plan = sim::PlanScene(spec, bank, seed, index);
    if (!plan.ok()) return plan.status();
    if (std::ranges::count_if(plan->sources, [](const auto& s) { return s.trajectory.has_value(); }) == moving)
      indices.push_back(index);
  }
  if (indices.size() < count) return absl::FailedPreconditionError("too few scenes with as many moving sources");
  return indices;
}

// Megabytes of resident memory now, from /proc.
double ResidentMb() {
  std::ifstream file("/proc/self/statm");
  double pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

}  // namespace

absl::Status MeasureSceneSpeed(const sim::SourceBank& bank, int threads, Report& report) {
  constexpr uint64_t kSeed = 4;
  constexpr size_t kScenes = 48;
  constexpr int kPasses = 5;
  struct Kind {
    const char* name;
    int moving;
    double probability, floor;
  };
  for (const Kind kind : {Kind{"static", 0, 0.0, 500.0}, Kind{"two moving", 2, 0.5, 100.0}}) {
    const v1::SceneSpec spec = FourSources(kind.probability);
    const absl::StatusOr<std::vector<uint64_t>> indices = ScenesWithMoving(spec, bank, kSeed, kind.moving, kScenes);
    if (!indices.ok()) return indices.status();
    std::vector<double> times_real;
    const std::clock_t cpu = std::clock();  // of all threads: what a quiet machine would need
    for (int pass = 0; pass < kPasses; ++pass) {
      Say(absl::StrFormat("whole scenes, %s, pass %d of %d", kind.name, pass + 1, kPasses));
      const auto start = Clock::now();
      std::atomic<size_t> frames = 0;
      const absl::Status status = Spread(threads, kScenes, [&](size_t i) -> absl::Status {
        const auto scene = sim::RenderScene(spec, bank, kSeed, (*indices)[i]);
        if (!scene.ok()) return scene.status();
        frames += scene->audio.frames();
        return absl::OkStatus();
      });
      if (!status.ok()) return status;
      times_real.push_back(static_cast<double>(frames) / 16000.0 / Since(start));
    }
    const auto [least, most] = std::ranges::minmax(times_real);
    report.bars.push_back(
        {.name = absl::StrCat("whole scenes, 10 s, 4 sources, 16 kHz: ", kind.name),
         .value = Median(times_real),
         .unit = "x real time",
         .floor = Bar::Floor{kind.floor, true},
         .note = absl::StrFormat(
             "%d threads; median of %d passes over %d scenes in rooms, %.0f to %.0f; %.1f ms of CPU a scene", threads,
             kPasses, kScenes, least, most,
             1e3 * static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC / static_cast<double>(kPasses * kScenes))});
  }
  return absl::OkStatus();
}

absl::Status MeasureDeterminism(const sim::SourceBank& bank, int scenes, Report& report) {
  constexpr uint64_t kSeed = 5;
  const v1::SceneSpec spec = Mixed();
  std::vector<std::vector<uint64_t>> hashes;
  for (const int threads : {1, 2, 4}) {
    Say(absl::StrFormat("%d scenes on %d threads", scenes, threads));
    std::vector<uint64_t> order(static_cast<size_t>(scenes));
    std::iota(order.begin(), order.end(), uint64_t{0});
    sim::Random random(static_cast<uint64_t>(threads));
    if (threads > 1) random.Shuffle(order);
    std::vector<uint64_t>& hash = hashes.emplace_back(order.size());
    const absl::Status status = Spread(threads, order.size(), [&](size_t i) -> absl::Status {
      const auto scene = sim::RenderScene(spec, bank, kSeed, order[i]);
      if (!scene.ok()) return scene.status();
      hash[order[i]] = HashOf(*scene);
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
  }
  double differ = 0;
  for (size_t i = 0; i < hashes[0].size(); ++i) differ += hashes[1][i] != hashes[0][i] || hashes[2][i] != hashes[0][i];
  const uint64_t all = Fnv(kFnvStart, hashes[0].data(), hashes[0].size() * sizeof(uint64_t));
  report.bars.push_back({.name = "scenes that differ with 1, 2 or 4 threads",
                         .value = differ,
                         .unit = "",
                         .floor = Bar::Floor{0.0},
                         .note = absl::StrFormat(
                             "of %d, in shuffled order; hash %016x, to be held against another build's", scenes, all)});

  // The slower sets take ten times as long: a few short scenes.
  constexpr uint64_t kFew = 12;
  v1::SceneSpec brief = spec;
  brief.add_durations_seconds(2.0);
  std::vector<sim::RenderedScene> first;
  std::vector<std::string> names;
  double worst_steps = 0.0, truths = 0.0;
  google::protobuf::util::DefaultFieldComparator close;
  close.set_float_comparison(google::protobuf::util::DefaultFieldComparator::APPROXIMATE);
  close.SetDefaultFractionAndMargin(1e-3, 1e-3);
  google::protobuf::util::MessageDifferencer differencer;
  differencer.set_field_comparator(&close);
  absl::Status status;
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    names.push_back(hwy::TargetName(target));
    Say(absl::StrCat("scenes under ", names.back()));
    hwy::GetChosenTarget().Update(target);
    for (uint64_t index = 0; index < kFew && status.ok(); ++index) {
      auto scene = sim::RenderScene(brief, bank, kSeed, index);
      status = scene.status();
      if (!status.ok()) break;
      if (names.size() == 1) {
        first.push_back(*std::move(scene));
        continue;
      }
      const std::vector<float>&a = first[index].audio.samples, &b = scene->audio.samples;
      if (a.size() != b.size()) status = absl::InternalError("a scene has another length under another target");
      for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
        worst_steps = std::max(worst_steps, 32768.0 * std::abs(static_cast<double>(a[i]) - b[i]));
      truths += !differencer.Compare(first[index].truth, scene->truth);
    }
    if (!status.ok()) break;
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  if (!status.ok()) return status;
  std::string list;
  for (const std::string& name : names) absl::StrAppend(&list, list.empty() ? "" : ", ", name);
  if (names.size() < 2) {
    report.skipped.push_back({"other instruction sets", absl::StrCat("this processor has ", list, " alone")});
    return absl::OkStatus();
  }
  const std::string note = absl::StrFormat("%d scenes of 2 s or more under %s", kFew, list);
  report.bars.push_back({.name = "samples under other instruction sets",
                         .value = worst_steps,
                         .unit = "16-bit steps",
                         .floor = Bar::Floor{1.0},
                         .note = note});
  report.bars.push_back({.name = "truths that differ under other instruction sets",
                         .value = truths,
                         .unit = "",
                         .floor = Bar::Floor{0.0},
                         .note = "the same; measured numbers to a thousandth"});
  return absl::OkStatus();
}

absl::Status MeasureMemory(const sim::SourceBank& bank, int scenes, int seconds, int threads, Report& report) {
  constexpr uint64_t kSeed = 6;
  constexpr size_t kWarmUp = 300;
  v1::SceneSpec spec = Mixed();
  if (seconds > 0) spec.add_durations_seconds(seconds);
  Say("memory: loading every recording of the split");
  std::vector<int> recordings;
  for (size_t r = 0; r < bank.recordings().size(); ++r) {
    if (bank.recordings()[r].split == sim::Split::kTrain) recordings.push_back(static_cast<int>(r));
  }
  absl::Status status =
      Spread(threads, recordings.size(), [&](size_t i) { return bank.LoadDry(recordings[i], 16000).status(); });
  if (!status.ok()) return status;

  const size_t total = kWarmUp + static_cast<size_t>(scenes), each = std::max<size_t>(1, scenes / 100);
  std::mutex mutex;
  std::vector<double> resident;  // after the warm-up, every `each` scenes
  double peak = 0.0;
  size_t done = 0;
  auto shown = Clock::now();
  status = Spread(threads, total, [&](size_t i) -> absl::Status {
    const auto scene = sim::RenderScene(spec, bank, kSeed, i);
    if (!scene.ok()) return scene.status();
    const std::lock_guard<std::mutex> lock(mutex);
    ++done;
    peak = std::max(peak, ResidentMb());
    if (done > kWarmUp && (done - kWarmUp) % each == 0) resident.push_back(ResidentMb());
    if (Since(shown) > 5.0) {
      Say(absl::StrFormat("memory: %d of %d scenes, %.0f MB", done, total, ResidentMb()));
      shown = Clock::now();
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  // Scenes differ in length: the mean of a stretch tells what a single look does not.
  const size_t stretch = std::max<size_t>(1, resident.size() / 5);
  const auto mean = [&](size_t first) {
    return std::accumulate(resident.begin() + static_cast<std::ptrdiff_t>(first),
                           resident.begin() + static_cast<std::ptrdiff_t>(first + stretch), 0.0) /
           static_cast<double>(stretch);
  };
  const double before = mean(0), after = mean(resident.size() - stretch);
  report.bars.push_back(
      {.name = "memory, most",
       .value = peak,
       .unit = "MB",
       .floor = Bar::Floor{1024.0},
       .note = absl::StrFormat("resident, %d scenes on %d threads, all recordings of a split loaded", total, threads)});
  report.bars.push_back(
      {.name = "memory, growth",
       .value = 100.0 * (after / before - 1.0),
       .unit = "%",
       .floor = Bar::Floor{5.0},
       .note = absl::StrFormat("last fifth of %d scenes (%.0f MB) over the first after a warm-up of %d "
                               "(%.0f MB)",
                               scenes, after, kWarmUp, before)});
  return absl::OkStatus();
}

}  // namespace auricle::bench
