#include "sim/room/image_sources.h"

#include <numbers>
#include <numeric>

#include "absl/strings/str_format.h"

namespace auricle::sim {

AxisImages ListAxisImages(double length_m, double source_m, double listener_m, const ImageLimits& limits) {
  AxisImages axis;
  const double reach = limits.max_seconds * kSpeedOfSound;
  // An image of order o is at least (|o| - 1) L from anywhere in the room.
  const int last = static_cast<int>(std::min<double>(limits.max_order, std::floor(reach / length_m) + 1.0));
  for (int o = -last; o <= last; ++o) {
    const double place = o * length_m + (o % 2 == 0 ? source_m : length_m - source_m);
    if (std::abs(place - listener_m) > reach) continue;
    const int n = std::abs(o), more = (n + 1) / 2, fewer = n / 2;
    axis.order.push_back(o);
    axis.offset_m.push_back(place - listener_m);
    axis.hits.push_back(o > 0 ? std::array{fewer, more} : std::array{more, fewer});
  }
  return axis;
}

absl::Status ValidateLimits(const Shoebox& room, const ImageLimits& limits) {
  if (limits.max_order < 0) {
    return absl::InvalidArgumentError(absl::StrFormat("max_order = %d is out of range [0, 1000]", limits.max_order));
  }
  if (std::isnan(limits.max_seconds) || limits.max_seconds <= 0.0) {
    return absl::InvalidArgumentError(absl::StrFormat("max_seconds = %g is out of range (0, inf]", limits.max_seconds));
  }
  const bool by_order = limits.max_order <= 1000, by_time = std::isfinite(limits.max_seconds);
  if (!by_order && !by_time) {
    return absl::InvalidArgumentError("max_order in [0, 1000] or a finite max_seconds must limit the images");
  }
  const double n = limits.max_order, reach = limits.max_seconds * kSpeedOfSound;
  const double count =
      std::min(by_order ? 4.0 / 3.0 * n * n * n + 2.0 * n * n + 8.0 / 3.0 * n + 1.0 : kMaxImages * 2,
               by_time ? 4.0 / 3.0 * std::numbers::pi * reach * reach * reach / Volume(room) : kMaxImages * 2);
  if (count > kMaxImages) {
    return absl::InvalidArgumentError(
        absl::StrFormat("max_order and max_seconds hold %.0f images: allowed are at most %.0f", count, kMaxImages));
  }
  return absl::OkStatus();
}

absl::StatusOr<ImageList> ListImages(const Shoebox& room, Vec3 source_m, Vec3 listener_m, const ImageLimits& limits) {
  if (absl::Status s = Validate(room, source_m, listener_m); !s.ok()) return s;
  if (absl::Status s = ValidateLimits(room, limits); !s.ok()) return s;

  const std::array<AxisImages, 3> axes = {ListAxisImages(room.size_m.x, source_m.x, listener_m.x, limits),
                                          ListAxisImages(room.size_m.y, source_m.y, listener_m.y, limits),
                                          ListAxisImages(room.size_m.z, source_m.z, listener_m.z, limits)};
  // Product of the reflection coefficients along each axis.
  std::array<std::vector<double>, 3> reflection;
  for (int a = 0; a < 3; ++a) {
    const double near = std::sqrt(1.0 - room.absorption[2 * a]), far = std::sqrt(1.0 - room.absorption[2 * a + 1]);
    for (const auto& hits : axes[a].hits) reflection[a].push_back(std::pow(near, hits[0]) * std::pow(far, hits[1]));
  }

  ImageList found;
  ForEachImage(axes, limits, [&](size_t ix, size_t iy, size_t iz, double d2) {
    const double distance = std::sqrt(d2);
    found.order.push_back({axes[0].order[ix], axes[1].order[iy], axes[2].order[iz]});
    found.delay_seconds.push_back(distance / kSpeedOfSound);
    found.gain.push_back(reflection[0][ix] * reflection[1][iy] * reflection[2][iz] /
                         (4.0 * std::numbers::pi * distance));
    found.direction.push_back(1.0 / distance * Vec3{axes[0].offset_m[ix], axes[1].offset_m[iy], axes[2].offset_m[iz]});
  });

  std::vector<size_t> by_delay(found.size());
  std::iota(by_delay.begin(), by_delay.end(), size_t{0});
  std::sort(by_delay.begin(), by_delay.end(), [&](size_t a, size_t b) {
    if (found.delay_seconds[a] != found.delay_seconds[b]) return found.delay_seconds[a] < found.delay_seconds[b];
    return found.order[a] < found.order[b];
  });
  ImageList sorted;
  sorted.order.reserve(found.size());
  sorted.delay_seconds.reserve(found.size());
  sorted.gain.reserve(found.size());
  sorted.direction.reserve(found.size());
  for (size_t i : by_delay) {
    sorted.order.push_back(found.order[i]);
    sorted.delay_seconds.push_back(found.delay_seconds[i]);
    sorted.gain.push_back(found.gain[i]);
    sorted.direction.push_back(found.direction[i]);
  }
  return sorted;
}

}  // namespace auricle::sim
