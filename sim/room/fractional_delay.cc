#include "sim/room/fractional_delay.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/room/fractional_delay.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"

#ifndef SIM_ROOM_FRACTIONAL_DELAY_TABLE_
#define SIM_ROOM_FRACTIONAL_DELAY_TABLE_
namespace auricle::sim {

inline constexpr int kPhases = 128;
// Row p holds h(t - kDelayTaps / 2 + 1 - p / kPhases) for t = 0 .. kDelayTaps - 1.
struct DelayTable {
  alignas(64) std::array<float, (kPhases + 1) * kDelayTaps> rows;
};

}  // namespace auricle::sim
#endif

HWY_BEFORE_NAMESPACE();
namespace auricle::sim {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void AddArrivalsKernel(const double* delays, const float* gains, size_t count, const DelayTable& table,
                       ArrivalBuffer& buffer) {
  const hn::CappedTag<float, 16> d;
  const size_t lanes = hn::Lanes(d);
  const int channels = buffer.channels;
  const double end = static_cast<double>(buffer.frames + kDelayTaps / 2);
  alignas(64) float filter[kDelayTaps];
  for (size_t i = 0; i < count; ++i, gains += channels) {
    if (!(delays[i] < end)) continue;
    const double whole = std::floor(delays[i]);
    const double phase = (delays[i] - whole) * kPhases;
    const int row = static_cast<int>(phase);
    const float* a = table.rows.data() + row * kDelayTaps;
    const auto blend = hn::Set(d, static_cast<float>(phase - row));
    for (size_t t = 0; t < kDelayTaps; t += lanes) {
      const auto low = hn::Load(d, a + t);
      hn::Store(hn::MulAdd(blend, hn::Sub(hn::Load(d, a + kDelayTaps + t), low), low), d, filter + t);
    }
    float* out = buffer.samples.data() + buffer.lead + static_cast<size_t>(whole) - (kDelayTaps / 2 - 1);
    for (int c = 0; c < channels; ++c, out += buffer.stride) {
      const auto gain = hn::Set(d, gains[c]);
      for (size_t t = 0; t < kDelayTaps; t += lanes) {
        hn::StoreU(hn::MulAdd(gain, hn::Load(d, filter + t), hn::LoadU(d, out + t)), d, out + t);
      }
    }
  }
}

// The sum over t of row(phase)[t] in[t], where the row lies between two of the table; `phase` in [0, kPhases].
HWY_INLINE float ReadTaps(const float* in, double phase, const DelayTable& table) {
  const hn::CappedTag<float, 16> d;
  const size_t lanes = hn::Lanes(d);
  const int row = static_cast<int>(phase);
  const float* a = table.rows.data() + row * kDelayTaps;
  const auto blend = hn::Set(d, static_cast<float>(phase - row));
  auto sum = hn::Zero(d);
  for (size_t t = 0; t < kDelayTaps; t += lanes) {
    const auto low = hn::Load(d, a + t);
    const auto h = hn::MulAdd(blend, hn::Sub(hn::Load(d, a + kDelayTaps + t), low), low);
    sum = hn::MulAdd(h, hn::LoadU(d, in + t), sum);
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

void PlayAtSpeedKernel(const float* padded, double speed, size_t count, const DelayTable& table, float* out) {
  for (size_t i = 0; i < count; ++i) {
    const double position = static_cast<double>(i) * speed;
    const double whole = std::floor(position);
    // Tap t weighs sample whole + t - (kDelayTaps / 2 - 1), which lies kDelayTaps / 2 later in `padded`.
    out[i] = ReadTaps(padded + static_cast<size_t>(whole) + 1, (position - whole) * kPhases, table);
  }
}

void ReadAtKernel(const float* signal, const double* positions, size_t count, const DelayTable& table, float* out) {
  for (size_t i = 0; i < count; ++i) {
    const double whole = std::floor(positions[i]);
    out[i] = ReadTaps(signal + static_cast<ptrdiff_t>(whole) - (kDelayTaps / 2 - 1), (positions[i] - whole) * kPhases,
                      table);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace auricle::sim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace auricle::sim {
namespace {

HWY_EXPORT(AddArrivalsKernel);
HWY_EXPORT(PlayAtSpeedKernel);
HWY_EXPORT(ReadAtKernel);

// Modified Bessel function of the first kind, order 0, by its power series.
double BesselI0(double x) {
  double sum = 1.0, term = 1.0;
  for (int k = 1; term > 1e-17 * sum; ++k) {
    term *= (x / (2.0 * k)) * (x / (2.0 * k));
    sum += term;
  }
  return sum;
}

const DelayTable& Table() {
  static const DelayTable table = [] {
    constexpr double kBeta = 7.0, kHalf = kDelayTaps / 2;
    DelayTable t;
    for (int p = 0; p <= kPhases; ++p) {
      for (int k = 0; k < kDelayTaps; ++k) {
        const double x = k - (kHalf - 1) - static_cast<double>(p) / kPhases;
        const double edge = 1.0 - (x / kHalf) * (x / kHalf);
        const double window = edge > 0.0 ? BesselI0(kBeta * std::sqrt(edge)) / BesselI0(kBeta) : 0.0;
        const double angle = std::numbers::pi * x;
        t.rows[p * kDelayTaps + k] = static_cast<float>(window * (x == 0.0 ? 1.0 : std::sin(angle) / angle));
      }
    }
    return t;
  }();
  return table;
}

}  // namespace

ArrivalBuffer::ArrivalBuffer(int channel_count, size_t frame_count, size_t lead_frames)
    : channels(channel_count),
      frames(frame_count),
      lead(lead_frames),
      stride(lead_frames + frame_count + kDelayTaps),
      samples(static_cast<size_t>(channel_count) * stride, 0.0f) {}

void AddArrivals(std::span<const double> delays, std::span<const float> gains, ArrivalBuffer& buffer) {
  HWY_DYNAMIC_DISPATCH(AddArrivalsKernel)(delays.data(), gains.data(), delays.size(), Table(), buffer);
}

void ReadAt(std::span<const float> signal, std::span<const double> positions, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(ReadAtKernel)(signal.data(), positions.data(), positions.size(), Table(), out.data());
}

std::vector<float> PlayAtSpeed(std::span<const float> signal, double speed) {
  const size_t count = static_cast<size_t>(std::ceil(static_cast<double>(signal.size()) / speed));
  std::vector<float> padded(kDelayTaps / 2 + signal.size() + kDelayTaps, 0.0f);
  std::copy(signal.begin(), signal.end(), padded.begin() + kDelayTaps / 2);
  std::vector<float> out(count);
  HWY_DYNAMIC_DISPATCH(PlayAtSpeedKernel)(padded.data(), speed, count, Table(), out.data());
  return out;
}

}  // namespace auricle::sim
#endif  // HWY_ONCE
