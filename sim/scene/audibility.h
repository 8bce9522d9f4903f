// What of a source can be heard: one criterion, which the truth records row by row and questions obey.
//
// A row of the label grid is audible where the source sounds and its level in W, with its own reverberation, is at most
// 10 dB under everything else in the same tenth of a second. Masking is a matter of critical bands: noise hides what is
// more than a few decibels weaker than itself within the same third of an octave. Sounds of different classes share
// their bands in part only, and first-order directions tell some of the rest apart, so that what is 10 dB under the
// whole band still stands out somewhere; what is weaker yet is left unasked.
#pragma once

#include "auricle/v1/scene.pb.h"

namespace auricle::sim {

inline constexpr float kAudibleSignalToRestDb = -10.0f;
// A source is audible from this many audible seconds on, or from half of its sounding time if that is shorter.
inline constexpr double kAudibleSeconds = 0.3;

// The row's own word where it has one; else by its level, and where that is unknown too, by whether it sounds.
bool IsAudible(const v1::SourceFrame& frame);

}  // namespace auricle::sim
