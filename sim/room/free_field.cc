// Free field, with and without ground (response.h).
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "absl/strings/str_format.h"
#include "model/audio/resample.h"
#include "sim/room/band_arrivals.h"
#include "sim/room/fractional_delay.h"
#include "sim/room/response.h"

namespace auricle::sim {
namespace {

constexpr double kFourPi = 4.0 * std::numbers::pi;
constexpr double kLeastHeight = 0.01;

absl::Status ValidatePlaces(Vec3 source_m, Vec3 listener_m) {
  if (absl::Status s = ValidateFreeField(source_m, listener_m); !s.ok()) return s;
  for (const auto& [name, place] : {std::pair{"source_m", source_m}, std::pair{"listener_m", listener_m}}) {
    if (!(place.z >= kLeastHeight)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s.z = %g: allowed is at least %g, 1 cm over the ground", name, place.z, kLeastHeight));
    }
  }
  return absl::OkStatus();
}

// Amplitudes of a sound that comes from `to_source` and left the source facing `facing`; `absorption` null is no
// reflection.
std::array<float, kBands> PathGains(Vec3 to_source, Vec3 facing, const std::array<double, kBands>* absorption,
                                    const GroundOptions& options) {
  const double distance = Norm(to_source);
  const double cosine = -Dot(facing, to_source) / distance;
  std::array<float, kBands> gains;
  for (size_t band = 0; band < kBands; ++band) {
    const double air = std::pow(10.0, -options.air_db_per_m[band] * distance / 20.0);
    const double reflection = absorption != nullptr ? std::sqrt(1.0 - (*absorption)[band]) : 1.0;
    gains[band] = static_cast<float>(air * reflection / (kFourPi * distance) *
                                     DirectivityGain(options.directivity.omni_share[band], cosine));
  }
  return gains;
}

double Energy(std::span<const float> signal) {
  double sum = 0.0;
  for (float v : signal) sum += static_cast<double>(v) * v;
  return sum;
}

}  // namespace

absl::Status Validate(const GroundOptions& options) {
  if (absl::Status s = audio::ValidateSampleRate(options.sample_rate); !s.ok()) return s;
  for (size_t band = 0; band < kBands; ++band) {
    const double absorption = options.absorption[band], air = options.air_db_per_m[band];
    if (!(absorption > 0.0 && absorption <= 1.0)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("absorption[%d] = %g is out of range (0, 1]", band, absorption));
    }
    if (!(air >= 0.0 && air <= 1.0)) {
      return absl::InvalidArgumentError(absl::StrFormat("air_db_per_m[%d] = %g is out of range [0, 1]", band, air));
    }
  }
  return Validate(options.directivity, options.facing);
}

absl::StatusOr<RoomResponse> RenderFreeField(Vec3 source_m, Vec3 listener_m, int sample_rate) {
  if (absl::Status s = ValidateFreeField(source_m, listener_m); !s.ok()) return s;
  if (absl::Status s = audio::ValidateSampleRate(sample_rate); !s.ok()) return s;
  const Vec3 to_source = source_m - listener_m;
  const double distance = Norm(to_source), delay = distance / kSpeedOfSound * sample_rate;
  ArrivalBuffer buffer(audio::kFoaChannels, static_cast<size_t>(std::ceil(delay)) + kDelayTaps / 2 + 1);
  std::array<float, audio::kFoaChannels> gains;
  std::ranges::transform(FoaGains(1.0 / distance * to_source), gains.begin(),
                         [&](double g) { return static_cast<float>(g / (kFourPi * distance)); });
  AddArrivals({&delay, 1}, gains, buffer);
  RoomResponse response;
  response.foa = audio::MakeSilentClip(buffer.frames, sample_rate);
  for (int c = 0; c < audio::kFoaChannels; ++c) std::ranges::copy(buffer.channel(c), response.foa.channel(c).begin());
  response.direct_seconds = distance / kSpeedOfSound;
  return response;
}

absl::StatusOr<RoomResponse> RenderOverGround(Vec3 source_m, Vec3 listener_m, const GroundOptions& options) {
  if (absl::Status s = ValidatePlaces(source_m, listener_m); !s.ok()) return s;
  if (absl::Status s = Validate(options); !s.ok()) return s;
  const int rate = options.sample_rate;
  const Vec3 direct = source_m - listener_m;
  const Vec3 image = Vec3{source_m.x, source_m.y, -source_m.z} - listener_m;
  const Vec3 mirrored = {options.facing.x, options.facing.y, -options.facing.z};
  const double direct_delay = Norm(direct) / kSpeedOfSound * rate, image_delay = Norm(image) / kSpeedOfSound * rate;
  const std::array<float, kBands> direct_gains = PathGains(direct, options.facing, nullptr, options);

  RoomResponse response;
  response.direct_seconds = Norm(direct) / kSpeedOfSound;
  const size_t frames = static_cast<size_t>(std::ceil(image_delay)) + kDelayTaps / 2 + 1;
  response.foa = audio::MakeSilentClip(frames + static_cast<size_t>(kRingSeconds * rate), rate);
  BandArrivals arrivals(rate, frames);
  arrivals.Add(direct_delay, 1.0 / Norm(direct) * direct, direct_gains);
  arrivals.Add(image_delay, 1.0 / Norm(image) * image, PathGains(image, mirrored, &options.absorption, options));
  if (absl::Status s = arrivals.AddTo(response.foa); !s.ok()) return s;

  absl::StatusOr<std::vector<float>> alone = BandArrival(rate, response.foa.frames(), direct_delay, direct_gains);
  if (!alone.ok()) return alone.status();
  const double direct_energy = Energy(*alone);
  for (size_t i = 0; i < alone->size(); ++i) (*alone)[i] -= response.foa.channel(audio::kW)[i];
  response.direct_to_reverberant_db =
      10.0 * std::log10(std::max(direct_energy, 1e-30) / std::max(Energy(*alone), 1e-30));
  return response;
}

}  // namespace auricle::sim
