#include "sim/render/scene_renderer.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/render/activity.h"
#include "sim/render/ambience.h"
#include "sim/render/convolution.h"
#include "sim/render/dry_event.h"
#include "sim/render/microphone.h"
#include "sim/render/motion_truth.h"
#include "sim/render/moving_path.h"
#include "sim/render/moving_source.h"
#include "sim/render/noise_floor.h"
#include "sim/render/scene_truth.h"
#include "sim/render/stage.h"
#include "sim/room/directivity.h"
#include "sim/room/materials.h"
#include "sim/room/response.h"
#include "sim/scene/trajectory.h"
#include "sim/source/dry_signal.h"

namespace auricle::sim {
namespace {

// Where responses end: below every noise floor, and far enough under -35 dB for T30.
constexpr double kResponseFloorDb = 50.0;

absl::StatusOr<HybridOptions> RoomOptions(const ScenePlan& plan, const PlannedSource& source) {
  absl::StatusOr<Directivity> directivity = FindDirectivity(source.directivity);
  if (!directivity.ok()) return directivity.status();
  return HybridOptions{.sample_rate = plan.sample_rate,
                       .floor_db = kResponseFloorDb,
                       .directivity = *directivity,
                       .facing = source.facing,
                       .key = source.key};
}

// Of a plan that has ground.
absl::StatusOr<GroundOptions> OutdoorOptions(const ScenePlan& plan, const PlannedSource& source) {
  absl::StatusOr<Directivity> directivity = FindDirectivity(source.directivity);
  if (!directivity.ok()) return directivity.status();
  absl::StatusOr<const Material*> ground = FindMaterial(plan.ground);
  if (!ground.ok()) return ground.status();
  return GroundOptions{.sample_rate = plan.sample_rate,
                       .absorption = (*ground)->absorption,
                       .directivity = *directivity,
                       .facing = source.facing};
}

absl::StatusOr<RoomResponse> RespondTo(const ScenePlan& plan, const PlannedSource& source, Vec3 source_m,
                                       Vec3 listener_m) {
  if (plan.free_field && plan.ground.empty()) {
    if (absl::Status s = FindDirectivity(source.directivity).status(); !s.ok()) return s;
    return RenderFreeField(source_m, listener_m, plan.sample_rate);
  }
  if (plan.free_field) {
    absl::StatusOr<GroundOptions> options = OutdoorOptions(plan, source);
    if (!options.ok()) return options.status();
    return RenderOverGround(source_m, listener_m, *options);
  }
  absl::StatusOr<HybridOptions> options = RoomOptions(plan, source);
  if (!options.ok()) return options.status();
  return RenderRoom(plan.room, source_m, listener_m, *options);
}

// The same for a source whose way to the listener changes.
absl::StatusOr<audio::FoaClip> RenderMoving(const ScenePlan& plan, const PlannedSource& source, const Path& path,
                                            const Path& listener, std::span<const float> emitted) {
  if (plan.free_field && plan.ground.empty()) return RenderMovingInFreeField(emitted, path, listener, plan.sample_rate);
  if (plan.free_field) {
    absl::StatusOr<GroundOptions> options = OutdoorOptions(plan, source);
    if (!options.ok()) return options.status();
    return RenderMovingOverGround(emitted, path, listener, *options);
  }
  absl::StatusOr<HybridOptions> options = RoomOptions(plan, source);
  if (!options.ok()) return options.status();
  return RenderMovingInRoom(emitted, plan.room, path, listener, *options);
}

// What the source emits each time it sounds, at its level.
absl::StatusOr<std::vector<float>> EventOf(const ScenePlan& plan, const PlannedSource& source, const SourceBank& bank) {
  absl::StatusOr<std::shared_ptr<const std::vector<float>>> dry = bank.LoadDry(source.recording, plan.sample_rate);
  if (!dry.ok()) return dry.status();
  absl::StatusOr<std::vector<float>> event = MakeEvent(
      **dry, plan.sample_rate,
      {.speed = source.speed, .tilt_db = source.tilt_db, .max_seconds = source.max_seconds, .excerpt = source.excerpt});
  if (!event.ok()) return event.status();
  const float level = static_cast<float>(std::pow(10.0, source.level_offset_db / 20.0));
  for (float& sample : *event) sample *= level;
  return event;
}

// Adds a source at rest, heard by a listener at rest, to `mix`.
absl::Status AddStill(const ScenePlan& plan, const PlannedSource& source, std::span<const float> event,
                      audio::FoaClip& mix, RenderedSource& heard) {
  // One convolution, however often it sounds: playings differ by a whole number of samples.
  const size_t first = static_cast<size_t>(std::lround(source.onsets.front() * plan.sample_rate));
  const size_t wet_frames = std::min(event.size() + heard.response.foa.frames() - 1, mix.frames() - first);
  absl::StatusOr<std::vector<float>> wet = ConvolveFoa(event, heard.response.foa, wet_frames);
  if (!wet.ok()) return wet.status();
  const std::vector<Span> sounding = SoundingSpans(event, plan.sample_rate);
  for (double onset : source.onsets) {
    const size_t at = static_cast<size_t>(std::lround(onset * plan.sample_rate));
    if (at >= mix.frames()) continue;
    const size_t n = std::min(wet_frames, mix.frames() - at);
    for (int c = 0; c < audio::kFoaChannels; ++c) {
      const float* in = wet->data() + static_cast<size_t>(c) * wet_frames;
      float* out = mix.channel(c).data() + at;
      for (size_t i = 0; i < n; ++i) out[i] += in[i];
    }
    for (size_t i = 0; i < n; ++i) heard.w[at + i] += (*wet)[i];
    const double arrival = static_cast<double>(at) / plan.sample_rate + heard.response.direct_seconds;
    for (const Span& s : sounding) heard.active.push_back({arrival + s.start, arrival + s.end});
  }
  return absl::OkStatus();
}

// Adds a source whose way to the listener changes.
absl::Status AddMoving(const ScenePlan& plan, const PlannedSource& source, const Path& path, const Path& listener,
                       std::span<const float> event, audio::FoaClip& mix, RenderedSource& heard) {
  // Each playing is heard from elsewhere: all of them are one signal.
  std::vector<float> emitted(mix.frames(), 0.0f);
  const std::vector<Span> sounding = SoundingSpans(event, plan.sample_rate);
  for (double onset : source.onsets) {
    const size_t at = static_cast<size_t>(std::lround(onset * plan.sample_rate));
    if (at >= emitted.size()) continue;
    for (size_t i = 0; i < std::min(event.size(), emitted.size() - at); ++i) emitted[at + i] += event[i];
    const double start = static_cast<double>(at) / plan.sample_rate;
    for (const Span& s : sounding) {
      heard.active.push_back(
          {ArrivalSeconds(path, listener, start + s.start), ArrivalSeconds(path, listener, start + s.end)});
    }
  }
  absl::StatusOr<audio::FoaClip> wet = RenderMoving(plan, source, path, listener, emitted);
  if (!wet.ok()) return wet.status();
  for (size_t i = 0; i < mix.samples.size(); ++i) mix.samples[i] += wet->samples[i];
  std::ranges::copy(wet->channel(audio::kW), heard.w.begin());
  return absl::OkStatus();
}

// Adds source `index` to `mix`, in the axes of the room, and returns its own share and times.
absl::StatusOr<RenderedSource> Hear(const ScenePlan& plan, const Stage& stage, size_t index, const SourceBank& bank,
                                    audio::FoaClip& mix) {
  const PlannedSource& source = plan.sources[index];
  absl::StatusOr<std::vector<float>> event = EventOf(plan, source, bank);
  if (!event.ok()) return event.status();
  const double onset = source.onsets.front();
  if (static_cast<size_t>(std::lround(onset * plan.sample_rate)) >= mix.frames()) {
    return absl::InvalidArgumentError(
        absl::StrCat("sources[", index, "].onsets: a source that begins after the end of the scene"));
  }
  RenderedSource heard = {.response = {},
                          .w = std::vector<float>(mix.frames(), 0.0f),
                          .active = {},
                          .place_m = stage.sources[index].At(onset).place_m,
                          .to_source = {}};
  absl::StatusOr<RoomResponse> response = RespondTo(plan, source, heard.place_m, stage.listener.At(onset).place_m);
  if (!response.ok()) {
    return absl::Status(response.status().code(),
                        absl::StrCat("sources[", index, "]: ", std::string(response.status().message())));
  }
  heard.response = *std::move(response);
  absl::Status added = stage.Moves(index)
                           ? AddMoving(plan, source, stage.sources[index], stage.listener, *event, mix, heard)
                           : AddStill(plan, source, *event, mix, heard);
  if (!added.ok()) return added;
  heard.active = MergeSpans(std::move(heard.active), plan.duration_seconds);
  if (stage.Wanders(index)) {
    heard.to_source = ArrivalGeometry(stage.sources[index], stage.listener, stage.turn,
                                      ActiveRows(heard.active, plan.duration_seconds).size());
  }
  return heard;
}

}  // namespace

absl::StatusOr<RenderedScene> RenderScene(const ScenePlan& plan, const SourceBank& bank) {
  if (absl::Status s = Validate(plan); !s.ok()) return s;
  RenderedScene scene;
  scene.audio = audio::MakeSilentClip(static_cast<size_t>(std::lround(plan.duration_seconds * plan.sample_rate)),
                                      plan.sample_rate);
  const absl::StatusOr<Stage> stage = SetStage(plan);
  if (!stage.ok()) return stage.status();
  std::vector<RenderedSource> heard;
  for (size_t i = 0; i < plan.sources.size(); ++i) {
    absl::StatusOr<RenderedSource> h = Hear(plan, *stage, i, bank, scene.audio);
    if (!h.ok()) return h.status();
    heard.push_back(*std::move(h));
  }
  // The noise comes from everywhere: it needs no turning.
  if (Turns(stage->turn)) TurnWithListener(stage->turn, scene.audio);
  std::vector<float> background(scene.audio.channel(audio::kW).begin(), scene.audio.channel(audio::kW).end());
  AddNoiseFloor(plan.noise_floor_dbfs, plan.noise_slope_db, plan.noise_key, scene.audio);
  if (plan.ambience) {
    if (absl::Status s = AddAmbience(*plan.ambience, bank, scene.audio); !s.ok()) return s;
    DescribeAmbience(*plan.ambience, bank, scene.truth.mutable_ambience());
  }
  // What there is beside the sources, before any microphone.
  for (size_t i = 0; i < background.size(); ++i) background[i] = scene.audio.channel(audio::kW)[i] - background[i];
  const std::vector<double> noise =
      RowEnergies(background, plan.sample_rate, ActiveRows({}, plan.duration_seconds).size());
  // The microphone comes last. What it makes of a source's own sound does not count against that source; what it adds
  // does.
  std::vector<float> mix_w;
  if (plan.microphone) {
    const std::span<const float> w = std::as_const(scene.audio).channel(audio::kW);
    mix_w.assign(w.begin(), w.end());
    const absl::StatusOr<MicrophoneEffect> effect = ApplyMicrophone(*plan.microphone, scene.audio);
    if (!effect.ok()) return effect.status();
    for (size_t i = 0; i < effect->noise_w.size(); ++i) mix_w[i] += effect->noise_w[i];
    DescribeMicrophone(*plan.microphone, *effect, scene.truth.mutable_microphone());
  }
  const std::span<const float> left_w = std::as_const(scene.audio).channel(audio::kW);
  const WholeScene whole = {
      .mix_w = plan.microphone ? std::span<const float>(mix_w) : left_w, .left_w = left_w, .noise = noise};

  std::vector<size_t> by_onset(heard.size());
  std::iota(by_onset.begin(), by_onset.end(), size_t{0});
  const auto onset = [&](size_t i) {
    return heard[i].active.empty() ? plan.duration_seconds : heard[i].active[0].start;
  };
  std::ranges::stable_sort(by_onset, {}, onset);

  v1::Scene& truth = scene.truth;
  truth.set_id(plan.id);
  truth.set_duration_seconds(plan.duration_seconds);
  truth.set_noise_floor_dbfs(plan.noise_floor_dbfs);
  truth.set_seed(plan.seed);
  truth.set_index(plan.index);
  truth.set_split(plan.split);
  for (size_t i : by_onset) {
    v1::Source* source = truth.add_sources();
    source->set_id(absl::StrCat("s", truth.sources_size()));
    DescribeSource(plan, plan.sources[i], heard[i], bank, whole, source);
  }
  DescribeListener(plan, *stage, truth);
  if (absl::Status s =
          DescribeRoom(plan, stage->listener.At(0.0).place_m, heard[by_onset[0]].response.foa, truth.mutable_room());
      !s.ok())
    return s;
  return scene;
}

absl::StatusOr<RenderedScene> RenderScene(const v1::SceneSpec& spec, const SourceBank& bank, uint64_t seed,
                                          uint64_t index) {
  const absl::StatusOr<ScenePlan> plan = PlanScene(spec, bank, seed, index);
  if (!plan.ok()) return plan.status();
  return RenderScene(*plan, bank);
}

}  // namespace auricle::sim
