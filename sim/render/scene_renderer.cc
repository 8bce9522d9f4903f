#include "sim/render/scene_renderer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numbers>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
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
#include "sim/room/decay.h"
#include "sim/room/directivity.h"
#include "sim/room/materials.h"
#include "sim/room/response.h"
#include "sim/scene/audibility.h"
#include "sim/scene/trajectory.h"
#include "sim/source/dry_signal.h"

namespace auricle::sim {
namespace {

// Where responses end: below every noise floor, and far enough under -35 dB for T30.
constexpr double kResponseFloorDb = 50.0;
// signal_to_rest_db is kept within these, signal_to_noise_db within these.
constexpr double kMostRatioDb = 60.0, kMostNoiseRatioDb = 120.0;

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

// Where everybody is: the listener and, as in the plan, the sources.
struct Stage {
  Path listener;
  Turn turn;
  std::vector<Path> sources;

  // Whether the way from this source to the listener changes; a listener that only turns does not change it.
  bool Moves(size_t source) const { return sources[source].moves() || listener.moves(); }
  // Whether the source is heard from changing directions or distances.
  bool Wanders(size_t source) const { return Moves(source) || Turns(turn); }
};

absl::StatusOr<Stage> SetStage(const ScenePlan& plan) {
  const auto rest = [](Vec3 place) { return Trajectory{.shape = PathShape::kStill, .points = {place}}; };
  const auto keeps_clear = [&](const Path& path, std::string_view name) {
    if (plan.free_field && !plan.ground.empty()) {
      if (absl::Status s = ValidateAboveGround(path, 0.0, plan.duration_seconds, name); !s.ok()) return s;
    }
    const Vec3* size = plan.free_field ? nullptr : &plan.room.size_m;
    return ValidateInside(path, size, 0.0, plan.duration_seconds, name);
  };
  ListenerTrack track = {.trajectory = rest(plan.listener_m), .turn = {}};
  if (plan.listener_track) {
    track = *plan.listener_track;
    const char* name = "listener_track.trajectory";
    if (absl::Status s = Validate(track.trajectory, name); !s.ok()) return s;
    if (absl::Status s = Validate(track.turn, "listener_track.turn"); !s.ok()) return s;
    if (absl::Status s = keeps_clear(Path(track.trajectory), name); !s.ok()) return s;
  }
  Stage stage = {.listener = Path(track.trajectory), .turn = track.turn, .sources = {}};
  for (size_t i = 0; i < plan.sources.size(); ++i) {
    const PlannedSource& source = plan.sources[i];
    const Trajectory trajectory = source.trajectory.value_or(rest(source.position_m));
    if (source.trajectory) {
      const std::string name = absl::StrCat("sources[", i, "].trajectory");
      if (absl::Status s = Validate(trajectory, name); !s.ok()) return s;
      if (absl::Status s = keeps_clear(Path(trajectory), name); !s.ok()) return s;
      if (absl::Status s = ValidateApart(Path(trajectory), stage.listener, 0.0, plan.duration_seconds, name); !s.ok())
        return s;
    }
    stage.sources.push_back(Path(trajectory));
  }
  return stage;
}

// One source at the listener.
struct HeardSource {
  RoomResponse response;  // of a moving source, where it is when it first sounds
  std::vector<float> w;   // its share of W, [frames]
  std::vector<Span> active;
  Vec3 place_m;                 // at the first onset
  std::vector<Vec3> to_source;  // row by row in the listener's axes; empty where nothing moves
};

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
                      audio::FoaClip& mix, HeardSource& heard) {
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
                       std::span<const float> event, audio::FoaClip& mix, HeardSource& heard) {
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
absl::StatusOr<HeardSource> Hear(const ScenePlan& plan, const Stage& stage, size_t index, const SourceBank& bank,
                                 audio::FoaClip& mix) {
  const PlannedSource& source = plan.sources[index];
  absl::StatusOr<std::vector<float>> event = EventOf(plan, source, bank);
  if (!event.ok()) return event.status();
  const double onset = source.onsets.front();
  if (static_cast<size_t>(std::lround(onset * plan.sample_rate)) >= mix.frames()) {
    return absl::InvalidArgumentError(
        absl::StrCat("sources[", index, "].onsets: a source that begins after the end of the scene"));
  }
  HeardSource heard = {.response = {},
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

// Energy of each label row.
std::vector<double> RowEnergies(std::span<const float> signal, int sample_rate, size_t rows) {
  std::vector<double> energies(rows, 0.0);
  for (size_t row = 0; row < rows; ++row) {
    const size_t first = static_cast<size_t>(std::lround(static_cast<double>(row) * kRowSeconds * sample_rate));
    const size_t last = static_cast<size_t>(std::lround(static_cast<double>(row + 1) * kRowSeconds * sample_rate));
    for (size_t i = first; i < std::min(last, signal.size()); ++i)
      energies[row] += static_cast<double>(signal[i]) * signal[i];
  }
  return energies;
}

void SetVector(Vec3 v, v1::Vector3* out) {
  out->set_x(v.x);
  out->set_y(v.y);
  out->set_z(v.z);
}

v1::Direction DirectionOf(Vec3 to_source) {
  v1::Direction direction;
  direction.set_azimuth_deg(AzimuthDeg(to_source));
  direction.set_elevation_deg(ElevationDeg(to_source));
  return direction;
}

// Means over the active rows, over all where none is active: of the direction, of the distance.
std::pair<v1::Direction, double> MeanPlace(std::span<const Vec3> to_source, const std::vector<bool>& active) {
  const bool all = std::ranges::find(active, true) == active.end();
  Vec3 sum;
  double metres = 0.0, count = 0.0;
  for (size_t row = 0; row < to_source.size(); ++row) {
    if (!all && !active[row]) continue;
    const double distance = Norm(to_source[row]);
    sum = sum + 1.0 / distance * to_source[row];
    metres += distance;
    count += 1.0;
  }
  return {DirectionOf(sum), metres / count};
}

// The whole scene in W: with everything that can hide a source; and as the microphone leaves it.
struct WholeScene {
  std::span<const float> mix_w;
  std::span<const float> left_w;
  std::span<const double> noise;  // energy in W of what there is beside the sources before any microphone, row by row
};

void DescribeSource(const ScenePlan& plan, const PlannedSource& planned, const HeardSource& heard,
                    const SourceBank& bank, const WholeScene& scene, v1::Source* truth) {
  const Recording& recording = bank.recordings()[static_cast<size_t>(planned.recording)];
  const SoundClass& sound = bank.classes()[static_cast<size_t>(recording.class_index)];
  truth->set_class_name(sound.name);
  truth->set_class_label(sound.label);
  truth->set_confidence(1.0f);
  for (const Span& s : heard.active) {
    v1::TimeSpan* span = truth->add_active();
    span->set_start_seconds(s.start);
    span->set_end_seconds(s.end);
  }
  const std::vector<bool> rows = ActiveRows(heard.active, plan.duration_seconds);
  const Vec3 resting = planned.position_m - plan.listener_m;
  if (heard.to_source.empty()) {
    *truth->mutable_direction() = DirectionOf(resting);
    truth->set_distance_m(Norm(resting));
    truth->set_motion(v1::MOTION_KIND_STATIC);
  } else {
    const auto [direction, distance] = MeanPlace(heard.to_source, rows);
    *truth->mutable_direction() = direction;
    truth->set_distance_m(distance);
    truth->set_motion(KindOfMotion(heard.to_source, rows));
  }
  std::vector<float> rest(scene.mix_w.size());
  for (size_t i = 0; i < rest.size(); ++i) rest[i] = scene.mix_w[i] - heard.w[i];
  const std::vector<double> own = RowEnergies(heard.w, plan.sample_rate, rows.size());
  const std::vector<double> others = RowEnergies(rest, plan.sample_rate, rows.size());
  const std::vector<double> left = RowEnergies(scene.left_w, plan.sample_rate, rows.size());
  double own_sounding = 0.0, noise_meanwhile = 0.0;
  for (size_t row = 0; row < rows.size(); ++row) {
    v1::SourceFrame* frame = truth->add_frames();
    frame->set_frame(static_cast<uint32_t>(row));
    const Vec3 to_source = heard.to_source.empty() ? resting : heard.to_source[row];
    *frame->mutable_direction() = DirectionOf(to_source);
    frame->set_distance_m(Norm(to_source));
    frame->set_activity(rows[row] ? 1.0f : 0.0f);
    if (rows[row]) {
      // Samples of few bits may leave nothing at all: that is an error as large as the sound, and yet no sound.
      const double still_there = left[row] > 0.0 ? own[row] : 0.0;
      const double ratio = 10.0 * std::log10(std::max(still_there, 1e-30) / std::max(others[row], 1e-30));
      frame->set_signal_to_rest_db(static_cast<float>(std::clamp(ratio, -kMostRatioDb, kMostRatioDb)));
      own_sounding += own[row];
      noise_meanwhile += scene.noise[row];
    }
    frame->set_audible(IsAudible(*frame));
  }
  if (noise_meanwhile > 0.0) {
    const double ratio = 10.0 * std::log10(std::max(own_sounding, 1e-30) / noise_meanwhile);
    truth->set_signal_to_noise_db(std::clamp(ratio, -kMostNoiseRatioDb, kMostNoiseRatioDb));
  }
  SetVector(heard.place_m, truth->mutable_position());
  truth->set_recording_group(recording.group);
  truth->set_recording_path(recording.path);
  truth->set_level_offset_db(planned.level_offset_db);
  if (!plan.free_field) truth->set_direct_to_reverberant_db(heard.response.direct_to_reverberant_db);
  truth->set_directivity(planned.directivity);
  truth->mutable_facing()->set_azimuth_deg(AzimuthDeg(planned.facing));
  truth->mutable_facing()->set_elevation_deg(ElevationDeg(planned.facing));
}

void DescribeAmbience(const PlannedAmbience& ambience, const SourceBank& bank, v1::Ambience* truth) {
  truth->set_kind(ambience.kind);
  truth->set_level_dbfs(ambience.level_dbfs);
  if (ambience.kind == v1::AMBIENCE_KIND_NOISE) truth->set_slope_db(ambience.slope_db);
  if (ambience.kind == v1::AMBIENCE_KIND_RECORDING) {
    const Recording& recording = bank.recordings()[static_cast<size_t>(ambience.recording)];
    truth->set_class_name(bank.classes()[static_cast<size_t>(recording.class_index)].name);
    truth->set_recording_group(recording.group);
    truth->set_recording_path(recording.path);
  }
}

void DescribeMicrophone(const PlannedMicrophone& microphone, const MicrophoneEffect& effect,
                        v1::MicrophoneFaults* truth) {
  if (microphone.gain_db) {
    for (double db : *microphone.gain_db) truth->add_gain_error_db(db);
  }
  if (microphone.tilts) {
    for (const CapsuleTilt& tilt : *microphone.tilts) truth->add_axis_error_deg(tilt.angle_deg);
  }
  if (microphone.self_noise_dbfs) truth->set_self_noise_dbfs(*microphone.self_noise_dbfs);
  if (microphone.array_radius_m) {
    truth->set_array_radius_m(*microphone.array_radius_m);
    truth->set_aliasing_hz(AliasingHz(*microphone.array_radius_m));
  }
  if (microphone.overload_db) truth->set_overload_db(*microphone.overload_db);
  if (effect.clipping_dbfs) truth->set_clipping_dbfs(*effect.clipping_dbfs);
  if (microphone.coding) {
    truth->set_coding_law(microphone.coding->law);
    truth->set_coding_bits(static_cast<uint32_t>(microphone.coding->bits));
  }
}

void AddBandAbsorption(size_t band, std::span<const double> walls, v1::Room* truth) {
  v1::BandAbsorption* row = truth->add_band_absorption();
  row->set_centre_hz(kBandCentreHz[band]);
  for (double a : walls) row->add_walls(a);
}

void DescribeListener(const ScenePlan& plan, const Stage& stage, v1::Scene& truth) {
  if (!stage.listener.moves() && !Turns(stage.turn)) return;
  const size_t rows = ActiveRows({}, plan.duration_seconds).size();
  for (size_t row = 0; row < rows; ++row) {
    const double now = (static_cast<double>(row) + 0.5) * kRowSeconds;
    v1::ListenerFrame* frame = truth.add_listener_frames();
    frame->set_frame(static_cast<uint32_t>(row));
    SetVector(stage.listener.At(now).place_m, frame->mutable_position());
    const double yaw = std::remainder(YawDeg(stage.turn, now), 360.0);
    frame->set_yaw_deg(yaw <= -180.0 ? 180.0 : yaw);
  }
}

absl::Status DescribeRoom(const ScenePlan& plan, Vec3 listener_m, const audio::FoaClip& response, v1::Room* truth) {
  SetVector(listener_m, truth->mutable_listener_m());
  truth->set_free_field(plan.free_field);
  if (plan.free_field) {
    if (plan.ground.empty()) return absl::OkStatus();
    absl::StatusOr<const Material*> ground = FindMaterial(plan.ground);
    if (!ground.ok()) return ground.status();
    truth->add_wall_materials(plan.ground);
    for (size_t band = 0; band < kBands; ++band) {
      AddBandAbsorption(band, {&(*ground)->absorption[band], 1}, truth);
    }
    return absl::OkStatus();
  }
  SetVector(plan.room.size_m, truth->mutable_size_m());
  truth->set_volume_m3(Volume(plan.room.Band(0)));
  for (int wall = 0; wall < 6; ++wall) {
    double sum = 0.0;
    for (int band = 0; band < kBands; ++band) sum += plan.room.absorption[band][wall];
    truth->add_wall_absorption(sum / kBands);
    truth->add_wall_materials(std::string(plan.room.materials[wall]));
  }
  for (size_t band = 0; band < kBands; ++band) AddBandAbsorption(band, plan.room.absorption[band], truth);
  // Octaves that the sample rate holds whole.
  size_t count = kBands;
  while (kBandCentreHz[count - 1] * std::numbers::sqrt2 >= 0.5 * plan.sample_rate) --count;
  absl::StatusOr<std::vector<double>> times =
      OctaveT30(response.channel(audio::kW), plan.sample_rate, std::span<const double>(kBandCentreHz).first(count));
  if (!times.ok()) return times.status();
  for (size_t i = 0; i < count; ++i) {
    v1::BandTime* band = truth->add_t30_bands();
    band->set_centre_hz(kBandCentreHz[i]);
    band->set_seconds((*times)[i]);
  }
  truth->set_t30_seconds(0.5 * ((*times)[kMidBands[0]] + (*times)[kMidBands[1]]));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RenderedScene> RenderScene(const ScenePlan& plan, const SourceBank& bank) {
  if (absl::Status s = Validate(plan); !s.ok()) return s;
  RenderedScene scene;
  scene.audio = audio::MakeSilentClip(static_cast<size_t>(std::lround(plan.duration_seconds * plan.sample_rate)),
                                      plan.sample_rate);
  const absl::StatusOr<Stage> stage = SetStage(plan);
  if (!stage.ok()) return stage.status();
  std::vector<HeardSource> heard;
  for (size_t i = 0; i < plan.sources.size(); ++i) {
    absl::StatusOr<HeardSource> h = Hear(plan, *stage, i, bank, scene.audio);
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
