#include "sim/room/echogram.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "sim/room/image_sources.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/room/echogram.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"

#ifndef SIM_ROOM_ECHOGRAM_ROWS_
#define SIM_ROOM_ECHOGRAM_ROWS_
namespace auricle::sim {

// Bands side by side, a row a vector or two.
inline constexpr size_t kRow = 8;
static_assert(kBands <= kRow);

// The images of one axis: squared distances along it, [images], and the energy that the walls left, [images][kRow].
struct EnergyAxis {
  std::vector<float> squared_m;
  std::vector<float> energy;
};

}  // namespace auricle::sim
#endif

HWY_BEFORE_NAMESPACE();
namespace auricle::sim {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Adds energy / distance^2 of every image within reach to the cell of its arrival, the nearest whole number of cells:
// cells [reach * half_cells_per_metre / 2 + 1.5][kRow].
void CountKernel(const EnergyAxis* axes, float reach_squared, float half_cells_per_metre, float* cells) {
  const hn::CappedTag<float, kRow> d;
  const size_t lanes = hn::Lanes(d);
  for (size_t x = 0; x < axes[0].squared_m.size(); ++x) {
    for (size_t y = 0; y < axes[1].squared_m.size(); ++y) {
      const float xy = axes[0].squared_m[x] + axes[1].squared_m[y];
      if (xy > reach_squared) continue;
      HWY_ALIGN float row[kRow];
      for (size_t b = 0; b < kRow; b += lanes) {
        hn::Store(hn::Mul(hn::LoadU(d, &axes[0].energy[x * kRow + b]), hn::LoadU(d, &axes[1].energy[y * kRow + b])), d,
                  row + b);
      }
      for (size_t z = 0; z < axes[2].squared_m.size(); ++z) {
        const float squared = xy + axes[2].squared_m[z];
        if (squared > reach_squared) continue;
        // Half cells, rounded up to whole ones.
        float* cell = cells + (static_cast<size_t>(std::sqrt(squared) * half_cells_per_metre) + 1) / 2 * kRow;
        const auto spread = hn::Set(d, 1.0f / squared);
        for (size_t b = 0; b < kRow; b += lanes) {
          const auto energy = hn::Mul(hn::Load(d, row + b), hn::LoadU(d, &axes[2].energy[z * kRow + b]));
          hn::StoreU(hn::MulAdd(energy, spread, hn::LoadU(d, cell + b)), d, cell + b);
        }
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace auricle::sim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace auricle::sim {
namespace {

HWY_EXPORT(CountKernel);

constexpr int kNodes = 12;
struct Quadrature {
  std::array<double, kNodes> node, weight;  // on [0, 1]
};

// Roots of the Legendre polynomial by Newton's method (Abramowitz and Stegun, 25.4.29).
Quadrature GaussLegendre() {
  Quadrature rule;
  for (int i = 0; i < kNodes; ++i) {
    double x = std::cos(std::numbers::pi * (i + 0.75) / (kNodes + 0.5)), slope = 1.0;
    for (int iteration = 0; iteration < 20; ++iteration) {
      double p = 1.0, before = 0.0;
      for (int n = 1; n <= kNodes; ++n) {
        const double next = ((2 * n - 1) * x * p - (n - 1) * before) / n;
        before = p;
        p = next;
      }
      slope = kNodes * (x * p - before) / (x * x - 1.0);
      x -= p / slope;
    }
    rule.node[i] = 0.5 + 0.5 * x;
    rule.weight[i] = 1.0 / ((1.0 - x * x) * slope * slope);
  }
  return rule;
}

// What two energies that cross over along a Hann window hold more than an exponential through them that falls by
// `nepers` from one to the next: (1 + q) / 2 against (1 - q) / -ln q with q = exp(-nepers).
double CrossOverExcess(double nepers) {
  const double half = 0.5 * nepers;
  return half < 1e-3 ? 1.0 : half / std::tanh(half);
}

// The same for the means over cells, of half a step to either side, of that exponential: each is sinh(half) / half of
// the value in its middle.
double CellExcess(double nepers) { return std::cosh(0.5 * nepers); }

}  // namespace

std::vector<double> EnergyEnvelope(const Shoebox& room, double step, size_t count) {
  // Nepers of energy a metre of path along each axis.
  std::array<double, 3> loss;
  const std::array<double, 3> length = {room.size_m.x, room.size_m.y, room.size_m.z};
  for (int axis = 0; axis < 3; ++axis) {
    double sum = 0.0;
    // A wall that takes everything leaves 1e-12.
    for (int side = 0; side < 2; ++side) sum -= std::log(std::max(1.0 - room.absorption[2 * axis + side], 1e-12));
    loss[axis] = 0.5 * sum / length[axis];
  }
  // One octant, the integrand is even in every axis. Gauss and Legendre in elevation and azimuth: after 60 dB only a
  // narrow cone about the axis of least loss is left, which points spread evenly over the sphere would miss or
  // overstate.
  const Quadrature rule = GaussLegendre();
  const double half_pi = 0.5 * std::numbers::pi;
  const double scale = kSpeedOfSound / (4.0 * std::numbers::pi * Volume(room));
  constexpr int kDirections = kNodes * kNodes;
  std::array<double, kDirections> value, factor;
  for (int i = 0; i < kNodes; ++i) {
    const double elevation = half_pi * rule.node[i], level = std::cos(elevation);
    for (int j = 0; j < kNodes; ++j) {
      const double azimuth = half_pi * rule.node[j];
      const double rate =
          level * std::cos(azimuth) * loss[0] + level * std::sin(azimuth) * loss[1] + std::sin(elevation) * loss[2];
      factor[i * kNodes + j] = std::exp(-kSpeedOfSound * step * rate);
      // The octant's area in (elevation, azimuth) is pi / 2.
      value[i * kNodes + j] = scale * rule.weight[i] * half_pi * level * rule.weight[j];
    }
  }
  std::vector<double> energy(count, 0.0);
  for (size_t n = 0; n < count; ++n) {
    // Four sums side by side: one would wait for itself.
    std::array<double, 4> sum{};
    for (int k = 0; k < kDirections; k += 4) {
      for (int lane = 0; lane < 4; ++lane) {
        sum[lane] += value[k + lane];
        value[k + lane] *= factor[k + lane];
      }
    }
    energy[n] = sum[0] + sum[1] + sum[2] + sum[3];
    // 140 dB down nothing is left to hear.
    if (energy[n] < 1e-14 * energy[0]) break;
  }
  return energy;
}

double TimeOfImages(const Shoebox& room, double count) {
  return std::cbrt(3.0 * count * Volume(room) / (4.0 * std::numbers::pi)) / kSpeedOfSound;
}

std::vector<std::vector<double>> CrossOverEnergies(const BandedRoom& room, Vec3 source_m, Vec3 listener_m, int bands,
                                                   double step, size_t count) {
  // Whole cells only: the last one counted ends half a step after its time.
  const double counted_seconds = TimeOfImages(room.Band(0), kCountedImages);
  const size_t counted = std::min(count, static_cast<size_t>(std::lround(counted_seconds / step)));
  const ImageLimits limits = {.max_seconds = (static_cast<double>(counted) - 0.5) * step};
  std::vector<float> cells((counted + 1) * kRow, 0.0f);
  if (counted > 0) {
    const std::array<double, 3> size = {room.size_m.x, room.size_m.y, room.size_m.z};
    const std::array<double, 3> source = {source_m.x, source_m.y, source_m.z};
    const std::array<double, 3> listener = {listener_m.x, listener_m.y, listener_m.z};
    std::array<EnergyAxis, 3> axes;
    for (size_t a = 0; a < 3; ++a) {
      const AxisImages images = ListAxisImages(size[a], source[a], listener[a], limits);
      axes[a].energy.assign(images.order.size() * kRow, 0.0f);
      for (size_t i = 0; i < images.order.size(); ++i) {
        axes[a].squared_m.push_back(static_cast<float>(images.offset_m[i] * images.offset_m[i]));
        for (size_t band = 0; band < static_cast<size_t>(bands); ++band) {
          axes[a].energy[i * kRow + band] =
              static_cast<float>(std::pow(1.0 - room.absorption[band][2 * a], images.hits[i][0]) *
                                 std::pow(1.0 - room.absorption[band][2 * a + 1], images.hits[i][1]));
        }
      }
    }
    const double reach = limits.max_seconds * kSpeedOfSound;
    HWY_DYNAMIC_DISPATCH(CountKernel)
    (axes.data(), static_cast<float>(reach * reach), static_cast<float>(2.0 / (kSpeedOfSound * step)), cells.data());
  }
  // Energy at 1 m: the square of 1 / (4 pi d).
  constexpr double kAtOneMetre = 1.0 / (16.0 * std::numbers::pi * std::numbers::pi);
  std::vector<std::vector<double>> energies;
  for (int band = 0; band < bands; ++band) {
    std::vector<double>& energy = energies.emplace_back(EnergyEnvelope(room.Band(band), step, count));
    const double air = 0.1 * std::numbers::ln10 * room.air_db_per_m[static_cast<size_t>(band)] * kSpeedOfSound * step;
    const std::vector<double> mean = energy;
    // The mean goes on from where the last quarter of the count has left it: flutter that has outlived the rest stays.
    double counted_sum = 0.0, mean_sum = 0.0;
    for (size_t n = counted - counted / 4; n < counted; ++n) {
      counted_sum += cells[n * kRow + static_cast<size_t>(band)] * kAtOneMetre / step;
      mean_sum += mean[n];
    }
    const double join = counted_sum > 0.0 && mean_sum > 0.0 ? counted_sum / mean_sum : 1.0;
    for (size_t n = 0; n < count; ++n) {
      // Nepers from one step to the next, taken from the mean: it is smooth.
      const size_t before = n > 0 ? n - 1 : n, after = n + 1 < count && mean[n + 1] > 0.0 ? n + 1 : n;
      const double nepers =
          air + (after > before && mean[n] > 0.0 ? std::log(mean[before] / mean[after]) / (after - before) : 0.0);
      if (n < counted) {
        energy[n] = cells[n * kRow + static_cast<size_t>(band)] * kAtOneMetre / step / CellExcess(nepers);
      } else {
        energy[n] *= join / CrossOverExcess(nepers);
      }
      energy[n] *= std::exp(-air * static_cast<double>(n));
    }
  }
  return energies;
}

}  // namespace auricle::sim
#endif  // HWY_ONCE
