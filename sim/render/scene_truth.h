// What is true about a scene, from its plan and from what was rendered: the "truth" fields of scene.proto.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "auricle/v1/scene.pb.h"
#include "model/audio/foa.h"
#include "sim/render/activity.h"
#include "sim/render/microphone.h"
#include "sim/render/stage.h"
#include "sim/room/response.h"
#include "sim/scene/scene_sampler.h"
#include "sim/source/source_bank.h"

namespace auricle::sim {

// One source at the listener.
struct RenderedSource {
  RoomResponse response;  // of a moving source, where it is when it first sounds
  std::vector<float> w;   // its share of W, [frames]
  std::vector<Span> active;
  Vec3 place_m;                 // at the first onset
  std::vector<Vec3> to_source;  // row by row in the listener's axes; empty where nothing moves
};

// The whole scene in W: with everything that can hide a source; and as the microphone leaves it.
struct WholeScene {
  std::span<const float> mix_w;
  std::span<const float> left_w;
  std::span<const double> noise;  // energy in W of what there is beside the sources before any microphone, row by row
};

// Energy of a signal in each of `rows` rows of the label grid (kRowSeconds).
std::vector<double> RowEnergies(std::span<const float> signal, int sample_rate, size_t rows);

// Where and when a source is heard, how it moves, and row by row how far it stands out of the rest.
void DescribeSource(const ScenePlan& plan, const PlannedSource& planned, const RenderedSource& heard,
                    const SourceBank& bank, const WholeScene& scene, v1::Source* truth);

void DescribeAmbience(const PlannedAmbience& ambience, const SourceBank& bank, v1::Ambience* truth);

void DescribeMicrophone(const PlannedMicrophone& microphone, const MicrophoneEffect& effect,
                        v1::MicrophoneFaults* truth);

// Row by row where the listener is and faces; nothing where the listener rests.
void DescribeListener(const ScenePlan& plan, const Stage& stage, v1::Scene& truth);

// The room, its walls, and T30 in octaves measured on `response`. Errors are those of OctaveT30 and FindMaterial.
absl::Status DescribeRoom(const ScenePlan& plan, Vec3 listener_m, const audio::FoaClip& response, v1::Room* truth);

}  // namespace auricle::sim
