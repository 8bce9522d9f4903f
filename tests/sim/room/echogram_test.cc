#include "sim/room/echogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "sim/room/decay.h"
#include "sim/room/image_sources.h"
#include "sim/room/response.h"
#include "sim/scene/random.h"
#include "tests/sim/room/reference_rooms.h"

namespace auricle::sim {
namespace {

TEST(EnergyEnvelope, DecaysLikeTheIncoherentEchogramOfTheReferenceRooms) {
  const auto rooms = ReferenceRooms();
  if (rooms.empty()) GTEST_SKIP() << "no shared/reference";
  for (const ReferenceRoom& r : rooms) {
    const double step = 0.001;
    const auto energy = EnergyEnvelope(r.room, step, 4000);
    // A response whose square is the envelope has the envelope's decay.
    std::vector<float> root(energy.size());
    for (size_t i = 0; i < energy.size(); ++i) root[i] = static_cast<float>(std::sqrt(energy[i]));
    const auto t30 = T30(root, 1000);
    ASSERT_TRUE(t30.ok());
    EXPECT_NEAR(*t30 / r.json["incoherent_echogram"]["T30"].get<double>(), 1.0, 0.05) << r.id;
    // Energy after 50 ms, where direct sound and first reflections no longer speak. The files give the total energy of
    // the echogram and its decay every 10 ms.
    const double total = r.json["incoherent_echogram"]["energy"].get<double>();
    const double after =
        total * std::pow(10.0, r.json["incoherent_echogram"]["edc_dB_every_10ms"][5].get<double>() / 10.0);
    double ours = 0;
    for (size_t i = 50; i < energy.size(); ++i) ours += energy[i] * step;
    EXPECT_NEAR(10 * std::log10(ours / after), 0.0, 0.7) << r.id;
  }
}

// Incoherent energy of all images of a room [times], one cell every `step` seconds: the truth of this file, by the
// exact list.
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

struct DrawnRoom {
  Shoebox room;
  Vec3 source, listener;
  double seconds = 0.0;  // Eyring's time
};

// Rooms as scenes have them: walls that differ, from dead to live.
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

// Long enough for T30, short enough for ten million images.
double CountableSeconds(const DrawnRoom& drawn) {
  return std::min(2.5 * drawn.seconds, TimeOfImages(drawn.room, 10e6));
}

TEST(CrossOverEnergies, HoldTheEnergyStillToComeOfTheExactImages) {
  for (uint64_t index = 0; index < 12; ++index) {
    const DrawnRoom drawn = DrawOne(index);
    const double step = 0.008, cell = 0.0005, seconds = CountableSeconds(drawn);
    BandedRoom room = {.size_m = drawn.room.size_m};
    room.absorption.fill(drawn.room.absorption);
    const auto energies =
        CrossOverEnergies(room, drawn.source, drawn.listener, 3, step, static_cast<size_t>(seconds / step));
    ASSERT_EQ(energies.size(), 3u);
    EXPECT_EQ(energies[0], energies[2]);
    // Energy to come after time n: half of frame n's own and all of those after it.
    const auto exact = AllImages(drawn.room, drawn.source, drawn.listener, seconds, cell);
    const std::vector<double> decay = EnergyDecayDb(Roots(exact));
    double total = 0;
    for (double e : exact) total += e;
    double left = 0;
    for (size_t n = energies[0].size(); n-- > 0;) {
      const double to_come = (left + 0.5 * energies[0][n]) * step;
      left += energies[0][n];
      // Where the noise takes over, and down to where T30 looks. A decay falls in steps: to within a millisecond.
      const size_t at = static_cast<size_t>(std::lround(static_cast<double>(n) * step / cell));
      if (static_cast<double>(n) * step < TimeOfImages(drawn.room, 300) || decay[at] < -35.0) continue;
      const double db = 10 * std::log10(to_come / total);
      EXPECT_LE(db, decay[at - 2] + 0.5) << "room " << index << " time " << n * step;
      EXPECT_GE(db, decay[at + 2] - 0.5) << "room " << index << " time " << n * step;
    }
  }
}

TEST(CrossOverEnergies, AirTakesItsShareOfEveryMetre) {
  BandedRoom room;
  room.absorption.fill({0.1, 0.1, 0.1, 0.1, 0.1, 0.1});
  const double step = 0.008;
  const auto vacuum = CrossOverEnergies(room, {1, 1, 1}, {4, 3, 2}, 1, step, 100);
  room.air_db_per_m[0] = 0.1;
  const auto air = CrossOverEnergies(room, {1, 1, 1}, {4, 3, 2}, 1, step, 100);
  for (size_t n = 10; n < 100; n += 10) {
    EXPECT_NEAR(10 * std::log10(air[0][n] / vacuum[0][n]), -0.1 * 343.0 * step * static_cast<double>(n), 0.05);
  }
}

constexpr double kFirstSeconds = 0.01;
// The decay curve at kFirstSeconds and every `step` seconds after it, decibels: energy still to come, averaged over the
// 16 ms around.
std::vector<double> SmoothDecayDb(const std::vector<float>& roots, double rate, double step) {
  const std::vector<double> decay = EnergyDecayDb(roots);
  std::vector<double> smooth;
  const size_t reach = static_cast<size_t>(std::lround(0.008 * rate));
  for (size_t n = 0;; ++n) {
    const size_t at = static_cast<size_t>(std::lround((kFirstSeconds + static_cast<double>(n) * step) * rate));
    if (at + reach >= decay.size()) return smooth;
    double sum = 0;
    for (size_t i = at - reach; i <= at + reach; ++i) sum += std::pow(10.0, decay[i] / 10);
    smooth.push_back(10 * std::log10(sum / static_cast<double>(2 * reach + 1)));
  }
}

// The hybrid against all images, incoherently. Three things are kept out: the pile-up of all-positive gains at low
// frequencies, which images summed as amplitudes have by nature, by listening about a quarter of the rate; the spread
// of one drawing of noise, by the mean over keys and over W and the three axes (X2 + Y2 + Z2 is W2 on average); and the
// single steps of flutter echoes, which are finer than the late field's frames of 16 ms.
TEST(RenderRoom, DecaysLikeAllImagesInFiftyRandomRooms) {
  constexpr int kRate = 24000, kKeys = 6;
  double sum = 0, worst = 0;
  int compared = 0;
  for (uint64_t index = 0; index < 50; ++index) {
    const DrawnRoom drawn = DrawOne(index);
    const double cell = 0.0005;
    const std::vector<float> exact =
        Roots(AllImages(drawn.room, drawn.source, drawn.listener, CountableSeconds(drawn), cell));
    BandedRoom room = {.size_m = drawn.room.size_m};
    room.absorption.fill(drawn.room.absorption);
    std::vector<double> energy;
    for (uint64_t key = 0; key < kKeys; ++key) {
      const auto response =
          RenderRoom(room, drawn.source, drawn.listener, {.sample_rate = kRate, .floor_db = 80, .key = key});
      ASSERT_TRUE(response.ok()) << response.status();
      energy.resize(std::max(energy.size(), response->foa.frames()), 0.0);
      for (int c = 0; c < 4; ++c) {
        const std::span<const float> x = response->foa.channel(c);
        for (size_t i = 1; i + 1 < x.size(); ++i) energy[i] += std::pow(x[i + 1] - x[i - 1], 2);
      }
    }
    const std::vector<float> hybrid = Roots(energy);
    const auto got = T30(hybrid, kRate), want = T30(exact, static_cast<int>(1 / cell));
    ASSERT_TRUE(got.ok() && want.ok()) << index;
    EXPECT_NEAR(*got / *want, 1.0, 0.05) << "room " << index;
    sum += *got / *want;
    const std::vector<double> got_decay = SmoothDecayDb(hybrid, kRate, 0.005);
    const std::vector<double> want_decay = SmoothDecayDb(exact, 1 / cell, 0.005);
    for (size_t n = 0; n < std::min(got_decay.size(), want_decay.size()) && want_decay[n] >= -35.0; ++n) {
      EXPECT_NEAR(got_decay[n], want_decay[n], 0.5) << "room " << index << " at " << 10 + 5 * n << " ms";
      ++compared;
      worst = std::max(worst, std::abs(got_decay[n] - want_decay[n]));
    }
  }
  RecordProperty("worst_decay_db", std::to_string(worst));
  EXPECT_GT(compared, 50 * 15);
  EXPECT_NEAR(sum / 50, 1.0, 0.01);
}

}  // namespace
}  // namespace auricle::sim
