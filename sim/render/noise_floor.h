// The diffuse noise floor: wind, ventilation, microphones. Four channels drawn jointly with the variances of a diffuse
// field, 1 : 1/3 : 1/3 : 1/3, and one spectrum.
#pragma once

#include <cstdint>

#include "model/audio/foa.h"

namespace auricle::sim {

// Adds noise with an expected RMS of `level_dbfs` in W and a spectrum that falls by `slope_db` an octave, [0, 6], from
// 100 Hz to 8 kHz.
void AddNoiseFloor(double level_dbfs, double slope_db, uint64_t key, audio::FoaClip& clip);

}  // namespace auricle::sim
