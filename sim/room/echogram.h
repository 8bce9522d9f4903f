// How the energy of a room's images arrives over time, all images taken incoherently: what late_field.h shapes its
// noise by.
//
// The first images are counted one by one for this source and this listener: near axes with hard walls flutter echoes
// stand out of any average, and in a dead room the decay is over before an average holds. Once kCountedImages have
// arrived the room's mean over all places (EnergyEnvelope) goes on.
#pragma once

#include <cstddef>
#include <vector>

#include "sim/room/bands.h"
#include "sim/room/shoebox.h"

namespace auricle::sim {

// Incoherent energy per second of W at times (seconds) 0, step, 2 step, ... of images taken on average over all places
// of source and listener: [count]. Images fill space with density 1 / V, so that it is
//   E(t) = c / (4 pi V) * < prod over walls (1 - a_w)^(hits a second * t) >
// averaged over all directions u of departure, where a path along u hits each wall of axis i  c |u_i| / (2 L_i) times a
// second: the average that Lehmann and Johansson 2010, "Diffuse reverberation model for efficient image-source
// simulation of room impulse responses", IEEE TASLP 18(6), evaluate. It knows that a shoebox decays more slowly than
// Sabine and Eyring say, because grazing paths live longest. A point source of unit amplitude at 1 m has
// 1 / (4 pi)^2 of energy there. `room` must be valid.
std::vector<double> EnergyEnvelope(const Shoebox& room, double step, size_t count);

// Time by which `count` images have arrived on average: when ((4/3) pi (c t)^3) / V = count.
double TimeOfImages(const Shoebox& room, double count);

// Images counted one by one: half a millisecond or so.
inline constexpr double kCountedImages = 100000.0;

// Energies of W per second, for the first `bands` bands, at the times 0, step, 2 step, ...: [bands][count]. They are
// made to be crossed over along Hann windows two steps long: so interpolated they hold as much energy still to come at
// every one of these times as the echogram does, however fast it decays. Walls and air are in it, the source is
// omnidirectional. Room and places must be valid, bands in [1, kBands], step > 0.
std::vector<std::vector<double>> CrossOverEnergies(const BandedRoom& room, Vec3 source_m, Vec3 listener_m, int bands,
                                                   double step, size_t count);

}  // namespace auricle::sim
