// Mirror images of a source in a shoebox (Allen and Berkley 1979, "Image method for efficiently simulating small-room
// acoustics", J. Acoust. Soc. Am. 65(4)).
//
// Along one axis of length L the images of a source at s lie at o L + (o even ? s : L - s) for every integer order o;
// image o has met the far wall ceil(o / 2) times and the near wall floor(o / 2) times for o > 0, the other way round
// for o < 0. A room has one image for every triple of orders, its reflection order is |ox| + |oy| + |oz|, and there is
// one image in every volume of the room's size: the number within t seconds grows as (4/3) pi (c t)^3 / V.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/room/geometry.h"
#include "sim/room/shoebox.h"

namespace auricle::sim {

// At least one of the two must limit. Images on the limit are inside.
struct ImageLimits {
  // Largest reflection order, |ox| + |oy| + |oz|; 0 is the direct sound alone. In [0, 1000].
  int max_order = std::numeric_limits<int>::max();
  // Latest arrival after emission, seconds.
  double max_seconds = std::numeric_limits<double>::infinity();
};

// Largest number of images one call will make; more is INVALID_ARGUMENT.
inline constexpr double kMaxImages = 50e6;

// Structure of arrays, one entry an image.
struct ImageList {
  std::vector<std::array<int, 3>> order;
  std::vector<double> delay_seconds;
  // 1 / (4 pi d) times the product of the walls' reflection coefficients.
  std::vector<double> gain;
  // Unit vector from the listener towards the image: where the sound comes from.
  std::vector<Vec3> direction;

  size_t size() const { return gain.size(); }
};

// Images of one axis, by ascending order and, which is the same, by ascending offset.
struct AxisImages {
  std::vector<int> order;
  // Image minus listener along the axis, metres.
  std::vector<double> offset_m;
  // How often the image met the near (0) and the far (1) wall.
  std::vector<std::array<int, 2>> hits;
};

AxisImages ListAxisImages(double length_m, double source_m, double listener_m, const ImageLimits& limits);

// Calls visit(ix, iy, first, last, xy_squared) for every column of images that share their places along x and y, where
// those from `first` up to but not including `last` along z are within the limits (at least one is), and xy_squared is
// what x and y add to their squared distance. The one loop that every rendering shares.
template <typename Visitor>
void ForEachColumn(const std::array<AxisImages, 3>& axes, const ImageLimits& limits, Visitor&& visit) {
  const double reach = limits.max_seconds * kSpeedOfSound;
  const double reach_squared = reach * reach;
  const AxisImages& z = axes[2];
  for (size_t ix = 0; ix < axes[0].order.size(); ++ix) {
    const double x2 = axes[0].offset_m[ix] * axes[0].offset_m[ix];
    const int order_x = std::abs(axes[0].order[ix]);
    if (order_x > limits.max_order || x2 > reach_squared) continue;
    for (size_t iy = 0; iy < axes[1].order.size(); ++iy) {
      const double xy2 = x2 + axes[1].offset_m[iy] * axes[1].offset_m[iy];
      const int order_xy = order_x + std::abs(axes[1].order[iy]);
      if (order_xy > limits.max_order || xy2 > reach_squared) continue;
      // Orders and offsets both ascend along an axis: what is within is one run.
      const auto within = [&](size_t iz) {
        return order_xy + std::abs(z.order[iz]) <= limits.max_order &&
               xy2 + z.offset_m[iz] * z.offset_m[iz] <= reach_squared;
      };
      size_t first = 0, last = z.order.size();
      while (first < last && !within(first)) ++first;
      while (first < last && !within(last - 1)) --last;
      if (first < last) visit(ix, iy, first, last, xy2);
    }
  }
}

// Calls visit(ix, iy, iz, distance_squared) for every image within the limits, where ix, iy, iz index the axes' lists.
template <typename Visitor>
void ForEachImage(const std::array<AxisImages, 3>& axes, const ImageLimits& limits, Visitor&& visit) {
  ForEachColumn(axes, limits, [&](size_t ix, size_t iy, size_t first, size_t last, double xy2) {
    for (size_t iz = first; iz < last; ++iz) visit(ix, iy, iz, xy2 + axes[2].offset_m[iz] * axes[2].offset_m[iz]);
  });
}

// INVALID_ARGUMENT where room or places are invalid, nothing limits, or the limits hold more than kMaxImages.
absl::Status ValidateLimits(const Shoebox& room, const ImageLimits& limits);

// Every image within the limits, by ascending delay. Errors as above.
absl::StatusOr<ImageList> ListImages(const Shoebox& room, Vec3 source_m, Vec3 listener_m, const ImageLimits& limits);

}  // namespace auricle::sim
