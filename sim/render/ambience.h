// The diffuse bed behind the sources of a scene: sound from everywhere, which no question points at.
//
// All beds have four channels that are uncorrelated with each other and have the variances of a diffuse field, W : Y :
// Z : X = 1 : 1/3 : 1/3 : 1/3 in SN3D, in every octave: never one signal copied to all. They come from everywhere, so
// that a listener who turns changes nothing.
#pragma once

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "model/audio/foa.h"
#include "sim/scene/ambience_sampler.h"
#include "sim/source/source_bank.h"

namespace auricle::sim {

// Directions from which a recorded bed is heard: the vertices of a dodecahedron, a spherical 5-design, so that equal
// and uncorrelated plane waves from all of them have exactly the variances above.
inline constexpr int kBedDirections = 20;
// Each direction plays the recording at a speed of its own, within this of 1.
inline constexpr double kBedSpeedSpread = 0.06;
// Plans draw recordings of kLeastBedSeconds; what is left of one without its silent ends may be shorter.
inline constexpr double kLeastLoopSeconds = 0.1;

// Stationary Gaussian noise of the long-term average spectrum of speech, males and females of twelve languages (Byrne
// et al. 1994, "An international comparison of long-term average speech spectra", J. Acoust. Soc. Am. 96, p. 2108),
// with an expected RMS of `level_dbfs` in W. INTERNAL when a transform fails.
absl::Status AddSpeechShapedNoise(double level_dbfs, uint64_t key, audio::FoaClip& clip);

// A bed made of one mono recording at the clip's rate, with an RMS of `level_dbfs` in W over the whole clip. The
// recording's end is cross-faded into its beginning; the loop is heard from kBedDirections at once, everywhere from
// another place of it and at another speed. Two places of rain have nothing in common; two of a hum do, but not at two
// pitches: over seconds, no direction agrees with another. The whole turns to an orientation of its own.
// INVALID_ARGUMENT: a recording that is silent or shorter than kLeastLoopSeconds.
absl::Status AddRecordedBed(std::span<const float> recording, double level_dbfs, uint64_t key, audio::FoaClip& clip);

// Adds the bed of a plan. Errors as above, those of Validate (ambience_sampler.h) and of SourceBank::LoadDry.
// Thread-safe.
absl::Status AddAmbience(const PlannedAmbience& ambience, const SourceBank& bank, audio::FoaClip& clip);

}  // namespace auricle::sim
