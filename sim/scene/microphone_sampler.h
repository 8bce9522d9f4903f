// Draws what is wrong with the microphone of a scene. Every fault has a stream of its own: one that is switched on
// changes nothing of the others.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "auricle/v1/scene.pb.h"
#include "sim/scene/random.h"

namespace auricle::sim {

// A tetrahedron: front left up, front right down, back left down, back right up.
inline constexpr int kCapsules = 4;

// How far a capsule's axis leans, and in which direction about its nominal axis; degrees.
struct CapsuleTilt {
  double angle_deg = 0.0;
  double towards_deg = 0.0;
};

// How samples are stored: mu-law has 8 bits.
struct SampleCoding {
  v1::SampleLaw law = v1::SAMPLE_LAW_LINEAR;
  int bits = 16;
};

// What is not set is not wrong. Ranges as in MicrophoneSpec.
struct PlannedMicrophone {
  // Over the nominal gain, decibels.
  std::optional<std::array<double, kCapsules>> gain_db = std::nullopt;
  std::optional<std::array<CapsuleTilt, kCapsules>> tilts = std::nullopt;
  // Of each capsule, RMS over full scale.
  std::optional<double> self_noise_dbfs = std::nullopt;
  std::optional<double> array_radius_m = std::nullopt;
  // The loudest sample of a capsule over the level at which they clip.
  std::optional<double> overload_db = std::nullopt;
  std::optional<SampleCoding> coding = std::nullopt;
  // Names the streams of noise and of aliasing.
  uint64_t key = 0;
};

// INVALID_ARGUMENT naming the field (microphone.overload_db) and its range: MicrophoneSpec's, but 60 dB of gain either
// way, a tilt of 180 degrees, and self-noise from -200 dB to full scale.
absl::Status Validate(const PlannedMicrophone& microphone);

// Draws every fault with its own probability; empty where none was drawn. `spec` has its defaults.
std::optional<PlannedMicrophone> DrawMicrophone(const v1::MicrophoneSpec& spec, const Random& random);

}  // namespace auricle::sim
