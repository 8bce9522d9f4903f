#include "sim/render/scene_truth.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "sim/render/motion_truth.h"
#include "sim/room/bands.h"
#include "sim/room/decay.h"
#include "sim/room/materials.h"
#include "sim/scene/audibility.h"

namespace auricle::sim {
namespace {

// signal_to_rest_db is kept within these, signal_to_noise_db within these.
constexpr double kMostRatioDb = 60.0, kMostNoiseRatioDb = 120.0;

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

void AddBandAbsorption(size_t band, std::span<const double> walls, v1::Room* truth) {
  v1::BandAbsorption* row = truth->add_band_absorption();
  row->set_centre_hz(kBandCentreHz[band]);
  for (double a : walls) row->add_walls(a);
}

}  // namespace

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

void DescribeSource(const ScenePlan& plan, const PlannedSource& planned, const RenderedSource& heard,
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

}  // namespace auricle::sim
