// What every image source sends to the listener, computed for many images at once: the arithmetic of the full
// image-source rendering, where a room of half a second has a quarter of a million images.
//
// Images of one column, those that share their places along x and y, differ along z alone. Their distances, delays and
// gains are computed on the widest vectors that the processor has (Highway, chosen at run time) from arrays along z:
// distances and delays in double, since float has no thousandth of a sample left after ten thousand, gains in float.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "sim/room/fractional_delay.h"
#include "sim/room/image_sources.h"

namespace auricle::sim {

// Collects arrivals and adds them to a buffer batch by batch. Not thread-safe: one for each response.
class ImageArrivals {
 public:
  // `z`: images along the third axis; `reflection` [z.order.size()]: the product of the reflection coefficients of the
  // walls that each has met along it. `buffer` has four channels W, Y, Z, X and outlives this.
  ImageArrivals(const AxisImages& z, std::span<const double> reflection, int sample_rate, ArrivalBuffer& buffer);

  // The images `first` to `last` - 1 along z of the column at (x_m, y_m) from the listener, whose walls along x and y
  // leave `reflection` of the amplitude.
  void AddColumn(double x_m, double y_m, double reflection, size_t first, size_t last);

  // Adds what is still held back. To be called once, after the last column.
  void Flush();

 private:
  const double samples_per_metre_;
  std::vector<double> z_m_;          // padded to whole vectors
  std::vector<float> z_reflection_;  // likewise
  ArrivalBuffer& buffer_;
  size_t held_ = 0;             // arrivals below
  std::vector<double> delays_;  // samples
  std::vector<float> gains_;    // [arrivals, 4]
};

}  // namespace auricle::sim
