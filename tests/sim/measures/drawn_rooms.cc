#include "tests/sim/measures/drawn_rooms.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>

#include "sim/room/decay.h"
#include "sim/room/echogram.h"
#include "sim/room/image_sources.h"
#include "sim/room/response.h"
#include "sim/scene/random.h"
#include "tests/sim/measures/response_measures.h"

namespace auricle::sim {
namespace {

constexpr double kFirstSeconds = 0.01, kCompareSeconds = 0.005;

// The decay curve at kFirstSeconds and every kCompareSeconds after it, decibels: energy still to come, averaged over
// the 16 ms around.
std::vector<double> SmoothDecayDb(const std::vector<float>& roots, double rate) {
  const std::vector<double> decay = EnergyDecayDb(roots);
  std::vector<double> smooth;
  const size_t reach = static_cast<size_t>(std::lround(0.008 * rate));
  for (size_t n = 0;; ++n) {
    const size_t at =
        static_cast<size_t>(std::lround((kFirstSeconds + static_cast<double>(n) * kCompareSeconds) * rate));
    if (at + reach >= decay.size()) return smooth;
    double sum = 0;
    for (size_t i = at - reach; i <= at + reach; ++i) sum += std::pow(10.0, decay[i] / 10);
    smooth.push_back(10 * std::log10(sum / static_cast<double>(2 * reach + 1)));
  }
}

}  // namespace

std::vector<double> AllImages(const Shoebox& room, Vec3 source, Vec3 listener, double seconds, double step) {
  const ImageLimits limits = {.max_seconds = seconds};
  const std::array<AxisImages, 3> axes = {ListAxisImages(room.size_m.x, source.x, listener.x, limits),
                                          ListAxisImages(room.size_m.y, source.y, listener.y, limits),
                                          ListAxisImages(room.size_m.z, source.z, listener.z, limits)};
  std::array<std::vector<double>, 3> left;
  for (size_t a = 0; a < 3; ++a) {
    for (const auto& hits : axes[a].hits) {
      left[a].push_back(std::pow(1 - room.absorption[2 * a], hits[0]) *
                        std::pow(1 - room.absorption[2 * a + 1], hits[1]));
    }
  }
  std::vector<double> cells(static_cast<size_t>(seconds / step) + 1, 0.0);
  ForEachImage(axes, limits, [&](size_t x, size_t y, size_t z, double d2) {
    cells[static_cast<size_t>(std::sqrt(d2) / kSpeedOfSound / step)] +=
        left[0][x] * left[1][y] * left[2][z] / (16 * std::numbers::pi * std::numbers::pi * d2);
  });
  return cells;
}

std::vector<float> Roots(const std::vector<double>& energy) {
  std::vector<float> roots(energy.size());
  std::ranges::transform(energy, roots.begin(), [](double e) { return static_cast<float>(std::sqrt(e)); });
  return roots;
}

DrawnRoom DrawOne(uint64_t index) {
  Random random(77, index, "rooms");
  DrawnRoom drawn;
  drawn.room.size_m = {random.Uniform(3, 10), random.Uniform(3, 8), random.Uniform(2.4, 4.5)};
  drawn.seconds = random.LogUniform(0.1, 1.0);
  const double exponent = std::log1p(-AbsorptionForEyring(drawn.room.size_m, drawn.seconds));
  for (double& wall : drawn.room.absorption) {
    wall = std::clamp(-std::expm1(exponent * std::exp(random.Normal(0, 0.3))), 0.01, 0.97);
  }
  const auto place = [&](double clear) {
    const Vec3 s = drawn.room.size_m;
    return Vec3{random.Uniform(clear, s.x - clear), random.Uniform(clear, s.y - clear),
                random.Uniform(clear, s.z - clear)};
  };
  drawn.listener = place(0.5);
  do drawn.source = place(0.3);
  while (Norm(drawn.source - drawn.listener) < 0.5);
  return drawn;
}

double CountableSeconds(const DrawnRoom& drawn) {
  return std::min(2.5 * drawn.seconds, TimeOfImages(drawn.room, 10e6));
}

absl::StatusOr<DecayComparison> CompareWithAllImages(const DrawnRoom& drawn) {
  constexpr int kRate = 24000, kKeys = 6;
  const double cell = 0.0005;
  const std::vector<float> exact =
      Roots(AllImages(drawn.room, drawn.source, drawn.listener, CountableSeconds(drawn), cell));
  std::vector<double> energy;
  for (uint64_t key = 0; key < kKeys; ++key) {
    const auto response = RenderRoom(SameInEveryBand(drawn.room), drawn.source, drawn.listener,
                                     {.sample_rate = kRate, .floor_db = 80, .key = key});
    if (!response.ok()) return response.status();
    energy.resize(std::max(energy.size(), response->foa.frames()), 0.0);
    for (int c = 0; c < 4; ++c) {
      const std::span<const float> x = response->foa.channel(c);
      for (size_t i = 1; i + 1 < x.size(); ++i) energy[i] += std::pow(x[i + 1] - x[i - 1], 2);
    }
  }
  const std::vector<float> hybrid = Roots(energy);
  const auto got = T30(hybrid, kRate), want = T30(exact, static_cast<int>(1 / cell));
  if (!got.ok()) return got.status();
  if (!want.ok()) return want.status();
  DecayComparison comparison = {.t30_ratio = *got / *want};
  const std::vector<double> got_decay = SmoothDecayDb(hybrid, kRate), want_decay = SmoothDecayDb(exact, 1 / cell);
  for (size_t n = 0; n < std::min(got_decay.size(), want_decay.size()) && want_decay[n] >= -35.0; ++n) {
    ++comparison.compared;
    const double difference = std::abs(got_decay[n] - want_decay[n]);
    if (difference <= comparison.worst_db) continue;
    comparison.worst_db = difference;
    comparison.worst_at_seconds = kFirstSeconds + static_cast<double>(n) * kCompareSeconds;
  }
  return comparison;
}

}  // namespace auricle::sim
