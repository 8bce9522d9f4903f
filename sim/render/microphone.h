// What a real microphone does to a scene: a tetrahedron of four cardioid capsules (Craven and Gerzon 1977, US patent
// 4042779; Gerzon 1975, "The design of precisely coincident microphone arrays for stereo and surround sound", 50th AES
// Convention) behind an encoder that takes it for a perfect one.
//
// A rendered scene is what a perfect microphone would give. What follows is done in this order, each only where the
// plan has it; where nothing is wrong nothing changes.
//
// Aliasing. The capsules sit `array_radius_m` from the middle; from f_a = c / (pi radius) on (after Gerzon 1975)
// what they hear differs by more than their patterns. Which direction suffers how cannot be known once sources are
// mixed, so this is a model of what such arrays lose on average, not of one array: W stays; Y, Z and X fall off as 1 /
// sqrt(1 + (f / f_a)^4), 3 dB at f_a and then 12 dB an octave, and each gets back what it loses, in a diffuse field,
// from the other three channels, in shares and with delays (up to the array's width) that are drawn once for a scene.
// (That orders suffer differently, and why: Moreau, Daniel, Bertet 2006, "3D sound field recording with higher order
// ambisonics", 120th AES Convention.)
//
// Capsules. The sound is taken to four capsules whose axes and gains are not what they should be, and back by the
// nominal matrix.
//
// Self-noise. Every capsule adds its own white noise; an RMS of n in each is n in W and sqrt(3) n in Y, Z and X.
//
// Clipping. Capsule signals end at one level, that of their converters.
//
// Coding. The four channels are stored with few bits, not dithered: linear, or by mu-law of 8 bits (the curve of ITU-T
// G.711, mu = 255, not its straight segments). Where a sample lies half-way between two steps, what instruction sets
// leave open is a whole step.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "model/audio/foa.h"
#include "sim/room/geometry.h"
#include "sim/scene/microphone_sampler.h"

namespace auricle::sim {

// Where the capsules face: unit vectors.
std::array<Vec3, kCapsules> CapsuleAxes();

// The axis turned by the tilt: towards 0 is towards the pole (elevation rises), +90 to the left of that seen from the
// middle of the array.
Vec3 Tilted(Vec3 axis, const CapsuleTilt& tilt);

// Rows times columns; channels in ACN order.
using Matrix4 = std::array<std::array<double, 4>, 4>;

// [capsule][channel]: capsule i hears (W + axis_i . (X, Y, Z)) / 2, a cardioid.
Matrix4 CapsulesFromChannels(const std::array<Vec3, kCapsules>& axes);
// [channel][capsule]: the inverse for the nominal axes, W = sum / 2 and (X, Y, Z) = 3 / 2 of the sum of axis_i times
// capsule i.
Matrix4 ChannelsFromCapsules();

// Hz, from which first-order channels of an array of this radius lose their patterns.
double AliasingHz(double array_radius_m);

struct MicrophoneEffect {
  // What the microphone adds to W that is no sound of the scene, [frames]: its own noise and the error of its coding.
  // Empty where it adds nothing.
  std::vector<float> noise_w;
  // Where capsule signals end, decibels relative to full scale; set where the plan lets them clip and there is a
  // signal.
  std::optional<double> clipping_dbfs;
};

// Errors of Validate (microphone_sampler.h); INTERNAL when a transform fails. Thread-safe.
absl::StatusOr<MicrophoneEffect> ApplyMicrophone(const PlannedMicrophone& microphone, audio::FoaClip& clip);

}  // namespace auricle::sim
