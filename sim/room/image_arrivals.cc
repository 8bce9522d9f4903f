#include "sim/room/image_arrivals.h"

#include <algorithm>
#include <numbers>

#include "model/audio/foa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/room/image_arrivals.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"

#ifndef SIM_ROOM_IMAGE_ARRIVALS_COLUMN_
#define SIM_ROOM_IMAGE_ARRIVALS_COLUMN_
namespace auricle::sim {

// What the images of a column share.
struct Column {
  double xy_squared_m;       // squared distance from the listener along x and y
  double samples_per_metre;  // of delay
  float x_m, y_m;
  float gain;  // at one metre
};

// Vectors are no longer than this many doubles; arrays are padded by as many.
inline constexpr size_t kMostLanes = 8;

}  // namespace auricle::sim
#endif

HWY_BEFORE_NAMESPACE();
namespace auricle::sim {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Delays [count] and gains [count][4] of the images at z_m [count]. Reads and writes up to kMostLanes - 1 entries more.
void ColumnKernel(const Column& column, const double* z_m, const float* z_reflection, size_t count, double* delays,
                  float* gains) {
  const hn::CappedTag<double, kMostLanes> d;
  const hn::Rebind<float, decltype(d)> f;
  const size_t lanes = hn::Lanes(d);
  const auto xy_squared = hn::Set(d, column.xy_squared_m), per_metre = hn::Set(d, column.samples_per_metre);
  const auto x = hn::Set(f, column.x_m), y = hn::Set(f, column.y_m), gain = hn::Set(f, column.gain);
  const auto one = hn::Set(f, 1.0f);
  for (size_t i = 0; i < count; i += lanes) {
    const auto z = hn::LoadU(d, z_m + i);
    const auto distance = hn::Sqrt(hn::MulAdd(z, z, xy_squared));
    hn::StoreU(hn::Mul(distance, per_metre), d, delays + i);
    const auto nearness = hn::Div(one, hn::DemoteTo(f, distance));
    const auto w = hn::Mul(hn::Mul(gain, hn::LoadU(f, z_reflection + i)), nearness);
    const auto per_offset = hn::Mul(w, nearness);
    hn::StoreInterleaved4(w, hn::Mul(per_offset, y), hn::Mul(per_offset, hn::DemoteTo(f, z)), hn::Mul(per_offset, x), f,
                          gains + 4 * i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace auricle::sim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace auricle::sim {
namespace {

HWY_EXPORT(ColumnKernel);

constexpr size_t kChannels = audio::kFoaChannels;
// Arrivals handed to the delay filter at a time: small enough for the first-level cache.
constexpr size_t kBatch = 256;

}  // namespace

ImageArrivals::ImageArrivals(const AxisImages& z, std::span<const double> reflection, int sample_rate,
                             ArrivalBuffer& buffer)
    : samples_per_metre_(sample_rate / kSpeedOfSound),
      z_m_(z.offset_m),
      z_reflection_(reflection.begin(), reflection.end()),
      buffer_(buffer),
      delays_(kBatch + kMostLanes),
      gains_((kBatch + kMostLanes) * kChannels) {
  // Far away, so that the padding's gains are finite.
  z_m_.resize(z_m_.size() + kMostLanes, 1.0);
  z_reflection_.resize(z_reflection_.size() + kMostLanes, 0.0f);
}

void ImageArrivals::AddColumn(double x_m, double y_m, double reflection, size_t first, size_t last) {
  const Column column = {.xy_squared_m = x_m * x_m + y_m * y_m,
                         .samples_per_metre = samples_per_metre_,
                         .x_m = static_cast<float>(x_m),
                         .y_m = static_cast<float>(y_m),
                         .gain = static_cast<float>(reflection / (4.0 * std::numbers::pi))};
  while (first < last) {
    const size_t count = std::min(last - first, kBatch - held_);
    HWY_DYNAMIC_DISPATCH(ColumnKernel)
    (column, z_m_.data() + first, z_reflection_.data() + first, count, delays_.data() + held_,
     gains_.data() + kChannels * held_);
    held_ += count;
    first += count;
    if (held_ == kBatch) Flush();
  }
}

void ImageArrivals::Flush() {
  AddArrivals(std::span(delays_).first(held_), std::span(gains_).first(kChannels * held_), buffer_);
  held_ = 0;
}

}  // namespace auricle::sim
#endif  // HWY_ONCE
