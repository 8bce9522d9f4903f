// What a shoebox sounds like after its echoes have become too dense to tell apart: Gaussian noise in four channels
// under the energy envelope of the room's own images.
//
// Envelope: images fill space with density 1 / V, so the energy that arrives t seconds after emission, of images taken
// incoherently, is  E(t) = c / (4 pi V) * < prod over walls (1 - a_w)^(hits a second * t) >  averaged over all
// directions u of departure, where a path along u hits each wall of axis i  c |u_i| / (2 L_i) times a second. This is
// the average that Lehmann and Johansson 2010, "Diffuse reverberation model for efficient image-source simulation of
// room impulse responses", IEEE TASLP 18(6), evaluate; it knows that a shoebox decays more slowly than Sabine and
// Eyring say, because grazing paths live longest. Source and listener do not enter.
//
// Channels: a field with equal energy from everywhere has covariance diag(1, 1/3, 1/3, 1/3) in W, Y, Z, X (SN3D), and
// all four are drawn jointly: giving each its own decay or copying one to all would be a direction that is not there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/room/bands.h"
#include "sim/room/shoebox.h"

namespace auricle::sim {

// Incoherent energy per second of W at `times` (seconds, ascending, equally spaced from 0 by `step`): [count].
// A point source of unit amplitude at 1 m has 1 / (4 pi)^2 of energy there. room must be valid.
std::vector<double> EnergyEnvelope(const Shoebox& room, double step, size_t count);

// Time by which `count` images have arrived on average: when ((4/3) pi (c t)^3) / V = count.
double TimeOfImages(const Shoebox& room, double count);

// Unit white noise of the four channels with variances 1 : 1/3 : 1/3 : 1/3: [4, frames]; the stream is named by `key`.
std::vector<float> DiffuseNoise(uint64_t key, size_t frames);

}  // namespace auricle::sim
