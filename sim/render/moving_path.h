// One path of sound whose ends move: a dry signal read through a delay line whose length is the travel time.
//
// At every moment t of the listener the signal is read at the time of emission e(t), e + |p(e) - q(t)| / c = t, and
// weighted by 1 / (4 pi d) and the direction of p(e) - q(t): Doppler shift, level and direction follow from that and
// nothing is added. e(t) and the gains are found about once a millisecond and continued by cubics between, with the
// derivative of e known in closed form,
//   de/dt = (1 + u . v_q / c) / (1 + u . v_p / c),  u the unit vector from listener to source
// (Strauss 1998, "Implementing Doppler shifts for virtual auditory environments", AES 104, has the delay line).
// Straight lines between would be 42 dB down on a sine of 4 kHz that passes at 1 m and 30 m/s; cubics are below -100
// dB.
//
// What colours a path, its reflection, air and the source's pattern, weighs the bands of the signal (band_signals.h) at
// the time of emission, before it is read.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "model/audio/foa.h"
#include "sim/render/band_signals.h"
#include "sim/room/bands.h"
#include "sim/room/directivity.h"
#include "sim/scene/trajectory.h"

namespace auricle::sim {

// A path read off at regular times, and cubics between: ten times as fast to ask as the path, and as exact as sound can
// tell (1 um at the bends of a spline, less elsewhere). Outside of [first, last] it rests. Immutable.
class SampledPath {
 public:
  SampledPath(const Path& path, double first_seconds, double last_seconds);

  Motion At(double seconds) const;
  // What a mirror at `wall_m` across the axis (0 x, 1 y, 2 z) makes of it.
  SampledPath Mirrored(int axis, double wall_m) const;

 private:
  double first_seconds_;
  std::vector<Motion> knots_;
};

// Where an image gives way to the late field that counts its energy, as the early images of response.h do: its weight
// falls from 1 to 0 as a quarter of a cosine between these distances.
struct DistanceFade {
  double from_m = 1e9;
  double to_m = 2e9;
};

// Adds what arrives of `signal` to the four channels of `out`, in the axes of the room: turn it by the listener's yaw
// with TurnWithListener. signal [frames of out] is what the source emits, at out's rate, sample 0 at 0 s, silence
// before and after. The places must be known on [0, duration of out]; the time that sound travels before 0 s needs
// none. Source and listener never meet (ValidateApart). Where nothing sounds nothing is computed.
void AddMovingPath(std::span<const float> signal, const SampledPath& source, const SampledPath& listener,
                   const DistanceFade& fade, audio::FoaClip& out);

// What a path takes from each band on its way.
struct PathColour {
  // Amplitude that the wall or the ground leaves, and what air takes in decibels a metre.
  std::array<double, kBands> reflection = {1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0};
  std::array<double, kBands> air_db_per_m = {};
  // How the source radiates; the unit vector along which it does so most, room axes, as this path's mirror shows it.
  Directivity directivity = {};
  Vec3 facing = {1.0, 0.0, 0.0};
};

// As AddMovingPath, of the signal whose bands these are at out's rate, each weighed by the colour for the distance and
// the direction at the time. From one control time to the next these weights
// are straight lines: 67 dB down for a figure of eight that passes at 1 m and 30 m/s, far less at a walk.
void AddColouredPath(const BandSignals& bands, const PathColour& colour, const SampledPath& source,
                     const SampledPath& listener, const DistanceFade& fade, audio::FoaClip& out);

// Turns the field against the listener's yaw: X and Y of a listener that faces YawDeg(turn, t) at t seconds. W and Z
// stay.
void TurnWithListener(const Turn& turn, audio::FoaClip& clip);

}  // namespace auricle::sim
