#include "sim/scene/scene_sampler.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <optional>

#include "absl/strings/str_format.h"
#include "sim/scene/motion_sampler.h"
#include "sim/scene/random.h"
#include "sim/scene/room_sampler.h"
#include "sim/scene/scene_spec.h"
#include "sim/scene/timing_sampler.h"
#include "sim/source/dry_signal.h"

namespace auricle::sim {
namespace {

// Rooms and listeners drawn before the sampler says that the spec leaves no place.
constexpr int kRooms = 200;
// However silent a scene is to be, this is left to sound in.
constexpr double kLeastWindowSeconds = 0.5;
// Largest variation of recordings in training.
constexpr double kMaxSpeedChange = 0.07, kMaxTiltDb = 4.0;

Split SplitOf(const std::string& name) {
  for (Split split : {Split::kValidation, Split::kTest}) {
    if (SplitName(split) == name) return split;
  }
  return Split::kTrain;
}

// Classes of the spec that have recordings in the split, by ascending index.
absl::StatusOr<std::vector<int>> DrawableClasses(const v1::SceneSpec& spec, const SourceBank& bank, Split split) {
  std::vector<int> classes = bank.ClassesWithRecordings(split);
  if (!spec.classes().empty()) {
    std::vector<int> wanted;
    for (const std::string& name : spec.classes()) {
      const int c = FindSoundClass(name);
      if (c < 0)
        return absl::InvalidArgumentError(
            absl::StrFormat("classes names \"%s\", which is not in the vocabulary", name));
      if (std::ranges::find(classes, c) == classes.end()) {
        return absl::InvalidArgumentError(absl::StrFormat(
            "classes names \"%s\", of which the bank has no recording in split \"%s\"", name, spec.split()));
      }
      wanted.push_back(c);
    }
    std::ranges::sort(wanted);
    classes = std::move(wanted);
  }
  if (classes.size() < spec.max_sources()) {
    return absl::FailedPreconditionError(
        absl::StrFormat("max_sources = %u, but split \"%s\" has recordings of %d classes only", spec.max_sources(),
                        spec.split(), classes.size()));
  }
  return classes;
}

// Group by the weight of its best recording, then recording by weight: real ones before stylised ones.
int DrawRecording(const SourceBank& bank, int class_index, Split split, Random& random) {
  const std::span<const RecordingGroup> groups = bank.groups(class_index, split);
  std::vector<double> weights;
  for (const RecordingGroup& group : groups) weights.push_back(group.weight);
  const RecordingGroup& group = groups[random.Weighted(weights)];
  weights.clear();
  for (int r : group.recordings) weights.push_back(bank.recordings()[static_cast<size_t>(r)].weight);
  return group.recordings[random.Weighted(weights)];
}

// The part of the scene in which anything sounds.
struct Window {
  double start = 0.0;
  double seconds = 0.0;
};

Window DrawWindow(const v1::SceneSpec& spec, double duration_seconds, Random random) {
  if (!spec.has_silence_share()) return {0.0, duration_seconds};
  const double share = random.Uniform(spec.silence_share().min(), spec.silence_share().max());
  const double seconds = std::max(kLeastWindowSeconds, (1.0 - share) * duration_seconds);
  return {random.Uniform(0.0, duration_seconds - seconds), seconds};
}

// Where the spec asks for it: has the sources overlap, or follow each other. `timings` are of one window.
void Arrange(const v1::SceneSpec& spec, double window_seconds, Random random, std::span<Timing> timings) {
  if (!spec.has_overlap_probability() || timings.size() < 2) return;
  if (random.Chance(spec.overlap_probability())) {
    MakeOverlap(window_seconds, timings, random);
  } else {
    MakeSuccessive(window_seconds, timings, random);
  }
}

// Sets things in motion, from streams of their own: what is drawn here changes nothing else of the plan.
void DrawMotion(const v1::SceneSpec& spec, const Random& random, ScenePlan& plan) {
  const MotionGround ground = {.spec = spec,
                               .room_size_m = plan.free_field ? nullptr : &plan.room.size_m,
                               .duration_seconds = plan.duration_seconds};
  std::vector<Vec3> places;
  for (const PlannedSource& source : plan.sources) places.push_back(source.position_m);
  Random of_listener = random.Fork("listener");
  if (of_listener.Chance(spec.listener_motion_probability())) {
    plan.listener_track = DrawListenerMotion(ground, plan.listener_m, places, of_listener);
  }
  const Path listener(plan.listener_track ? plan.listener_track->trajectory : Trajectory{.points = {plan.listener_m}});
  for (size_t i = 0; i < plan.sources.size(); ++i) {
    PlannedSource& source = plan.sources[i];
    Random of_source = random.Fork(i);
    if (!of_source.Chance(spec.motion_probability())) continue;
    source.trajectory = DrawSourceMotion(ground, listener, source.position_m, source.onsets.front(),
                                         source.onsets.back() + source.max_seconds, of_source);
  }
}

}  // namespace

absl::StatusOr<ScenePlan> PlanScene(const v1::SceneSpec& given, const SourceBank& bank, uint64_t seed, uint64_t index) {
  const v1::SceneSpec spec = WithDefaults(given);
  if (absl::Status s = Validate(spec); !s.ok()) return s;
  const Split split = SplitOf(spec.split());
  absl::StatusOr<std::vector<int>> classes = DrawableClasses(spec, bank, split);
  if (!classes.ok()) return classes.status();

  const Random scene(seed, index, spec.split());
  ScenePlan plan;
  plan.id = absl::StrFormat("%s-%d-%d", spec.name(), seed, index);
  plan.split = spec.split();
  plan.seed = seed;
  plan.index = index;
  plan.sample_rate = static_cast<int>(spec.sample_rate_hz());

  Random whole = scene.Fork("whole");
  plan.duration_seconds =
      spec.durations_seconds(static_cast<int>(whole.Index(static_cast<size_t>(spec.durations_seconds_size()))));
  plan.free_field = whole.Chance(spec.free_field_probability());
  int count = static_cast<int>(whole.Int(spec.min_sources(), spec.max_sources()));
  if (!spec.source_count_weights().empty()) {
    const std::vector<double> weights(spec.source_count_weights().begin(), spec.source_count_weights().end());
    count = 1 + static_cast<int>(scene.Fork("count").Weighted(weights));
  }
  // The direct sound of the nominal source at 1 m.
  const double nominal_db = 20.0 * std::log10(kDryRms / (4.0 * std::numbers::pi));
  plan.noise_floor_dbfs = nominal_db - whole.Uniform(spec.noise_below_db().min(), spec.noise_below_db().max());
  plan.noise_slope_db = whole.Uniform(0.0, 6.0);
  plan.noise_key = scene.Fork("noise").Bits();

  if (plan.free_field) {
    Random ground = scene.Fork("ground");
    plan.ground = DrawGround(ground);
  }

  // Room and places together: a room too small for the places is drawn again.
  Random geometry = scene.Fork("geometry");
  std::vector<Vec3> places;
  for (int attempt = 0; attempt < kRooms && places.empty(); ++attempt) {
    if (plan.free_field) {
      plan.listener_m = {0.0, 0.0, geometry.Uniform(1.0, 2.0)};
    } else {
      absl::StatusOr<BandedRoom> room = DrawRoom(spec, geometry);
      if (!room.ok()) return room.status();
      plan.room = *std::move(room);
      plan.listener_m = DrawListener(plan.room, geometry);
    }
    places = DrawPlaces(spec, plan.free_field ? nullptr : &plan.room, plan.listener_m, count, geometry);
  }
  if (places.empty()) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "distance_m, elevation_deg, min_separation_deg and room_length_m, room_width_m, room_height_m leave no place "
        "for %d sources (scene %s)",
        count, plan.id));
  }

  Random recordings = scene.Fork("recordings");
  recordings.Shuffle(*classes);
  const Window window = DrawWindow(spec, plan.duration_seconds, scene.Fork("silence"));
  std::vector<Timing> timings;
  for (int i = 0; i < count; ++i) {
    Random random = scene.Fork("source").Fork(static_cast<uint64_t>(i));
    PlannedSource source;
    source.recording = DrawRecording(bank, (*classes)[static_cast<size_t>(i)], split, random);
    source.position_m = places[static_cast<size_t>(i)];
    Random side = random.Fork("side");
    source.directivity =
        DrawDirectivity(spec, bank.classes()[static_cast<size_t>((*classes)[static_cast<size_t>(i)])], side);
    source.facing = DrawFacing(side);
    source.level_offset_db = random.Normal(0.0, spec.level_sd_db());
    if (split == Split::kTrain) {
      source.speed = 1.0 + random.Uniform(-kMaxSpeedChange, kMaxSpeedChange);
      source.tilt_db = random.Uniform(-kMaxTiltDb, kMaxTiltDb);
    }
    source.excerpt = random.Uniform();
    absl::StatusOr<std::shared_ptr<const std::vector<float>>> dry = bank.LoadDry(source.recording, plan.sample_rate);
    if (!dry.ok()) return dry.status();
    const double seconds = static_cast<double>((*dry)->size()) / plan.sample_rate / source.speed;
    timings.push_back(DrawTiming(seconds, window.seconds, random));
    source.key = random.Bits();
    plan.sources.push_back(std::move(source));
  }
  Arrange(spec, window.seconds, scene.Fork("overlap"), timings);
  for (size_t i = 0; i < timings.size(); ++i) {
    PlannedSource& source = plan.sources[i];
    source.max_seconds = timings[i].max_seconds;
    source.onsets = std::move(timings[i].onsets);
    for (double& onset : source.onsets) onset += window.start;
  }
  DrawMotion(spec, scene.Fork("motion"), plan);
  std::vector<int> heard;
  for (const PlannedSource& source : plan.sources) {
    heard.push_back(bank.recordings()[static_cast<size_t>(source.recording)].class_index);
  }
  absl::StatusOr<std::optional<PlannedAmbience>> ambience =
      DrawAmbience(spec.ambience(), bank, split, heard, scene.Fork("ambience"));
  if (!ambience.ok()) return ambience.status();
  plan.ambience = *ambience;
  plan.microphone = DrawMicrophone(spec.microphone(), scene.Fork("microphone"));
  return plan;
}

}  // namespace auricle::sim
