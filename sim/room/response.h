// From a room, a source and a listener to the four-channel impulse response (AmbiX W, Y, Z, X) between them.
//
// Sample 0 is the moment of emission: the direct sound peaks at distance / c. A source at d metres in free field has
// gain 1 / (4 pi d) and is never clamped. Two renderings: every image source exactly (the oracle, cost grows with the
// cube of the time), and the hybrid that scenes use (a millisecond or two a response). All functions are pure and
// thread-safe.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/audio/foa.h"
#include "sim/room/bands.h"
#include "sim/room/directivity.h"
#include "sim/room/image_sources.h"
#include "sim/room/shoebox.h"

namespace auricle::sim {

// All images within the limits, one broadband gain each, nothing filtered. `frames` 0 means long enough for the last
// image. INVALID_ARGUMENT: room, places or limits (see their headers), sample_rate outside 8000-192000, or `frames`
// over 2^26.
absl::StatusOr<audio::FoaClip> RenderImages(const Shoebox& room, Vec3 source_m, Vec3 listener_m,
                                            const ImageLimits& limits, int sample_rate, size_t frames = 0);

inline constexpr int kNoImages = std::numeric_limits<int>::max();

struct HybridOptions {
  int sample_rate = 16000;
  // The mixing time is when this many images have arrived on average: until then every image is rendered, over the last
  // quarter of that time they give way to the late field.
  double early_images = 1000.0;
  // Images of order two and more are moved by up to this much along each axis, so that the regular lattice of a perfect
  // shoebox does not sound as a sweep. Metres, [0, 0.2].
  double jitter_m = 0.08;
  // Butterworth, second order: all-positive image gains pile up at DC, where no loudspeaker or room has any. Hz; 0 is
  // off.
  double high_pass_hz = 20.0;
  // The response ends when less than this of the reverberant energy is left in every band, or at max_seconds.
  double floor_db = 60.0;
  double max_seconds = 2.0;
  // How the source radiates, and the unit vector along which it does so most, room axes.
  Directivity directivity = {};
  Vec3 facing = {1.0, 0.0, 0.0};
  // Names the stream of jitter and late field.
  uint64_t key = 0;
  // Images of a lower order than this are left out: 1 the direct sound, 2 the first reflections too, kNoImages all of
  // them, so that the late field is left alone. At least 0.
  int min_order = 0;
};

// INVALID_ARGUMENT: an option out of range, named.
absl::Status Validate(const HybridOptions& options);

struct RoomResponse {
  audio::FoaClip foa;
  // Energy of the direct sound over everything else, W, decibels; +infinity in free field without ground, -infinity
  // where min_order leaves the direct sound out.
  double direct_to_reverberant_db = std::numeric_limits<double>::infinity();
  // Arrival of the direct sound, seconds.
  double direct_seconds = 0.0;
};

// Early images in octave bands, each weighed by the reflections of every wall that it met, by air and by the pattern of
// the source as that wall mirrors it; then the late field of late_field.h.
// INVALID_ARGUMENT as above, naming the option where one is out of range; INTERNAL when the transform fails.
absl::StatusOr<RoomResponse> RenderRoom(const BandedRoom& room, Vec3 source_m, Vec3 listener_m,
                                        const HybridOptions& options);

// Where a source and its listener are, room coordinates.
struct Placement {
  Vec3 source_m;
  Vec3 listener_m;
};

// What RenderRoom renders without its late field and its high-pass, for several places at once: the images of order
// options.min_order and more that arrive before the late field has taken over, in a response of `frames`. One clip for
// each place, as long as its last image rings and no longer than that. Errors as RenderRoom's.
absl::StatusOr<std::vector<audio::FoaClip>> RenderEarlyImages(const BandedRoom& room, std::span<const Placement> places,
                                                              const HybridOptions& options, size_t frames);

// The direct sound alone, filtered by nothing.
absl::StatusOr<RoomResponse> RenderFreeField(Vec3 source_m, Vec3 listener_m, int sample_rate);

struct GroundOptions {
  int sample_rate = 16000;
  // Energy absorption of the ground, the plane z = 0, for each band in (0, 1] (materials.h).
  std::array<double, kBands> absorption = {1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0};
  // Decibels a metre, each in [0, 1].
  std::array<double, kBands> air_db_per_m = BandAirAttenuation();
  Directivity directivity = {};
  Vec3 facing = {1.0, 0.0, 0.0};
};

// INVALID_ARGUMENT: sample_rate, absorption[band], air_db_per_m[band], directivity or facing out of range.
absl::Status Validate(const GroundOptions& options);

// Free field over ground: the direct sound and its one image below z = 0, both weighed by air and by the source's
// pattern, the image by sqrt(1 - absorption) without phase change, as walls are (no interference dip of grazing
// incidence on porous ground). No high-pass: two arrivals pile nothing up.
// INVALID_ARGUMENT: places as ValidateFreeField says or lower than 1 cm over the ground (source_m.z, listener_m.z), or
// options as above; INTERNAL when the transform fails.
absl::StatusOr<RoomResponse> RenderOverGround(Vec3 source_m, Vec3 listener_m, const GroundOptions& options);

}  // namespace auricle::sim
