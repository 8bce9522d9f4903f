#include "sim/room/echogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sim/room/decay.h"
#include "sim/room/response.h"
#include "tests/sim/measures/drawn_rooms.h"
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

// What is kept out of the comparison is told with its measure (drawn_rooms.h).
TEST(RenderRoom, DecaysLikeAllImagesInFiftyRandomRooms) {
  double sum = 0, worst = 0;
  int compared = 0;
  for (uint64_t index = 0; index < 50; ++index) {
    const auto comparison = CompareWithAllImages(DrawOne(index));
    ASSERT_TRUE(comparison.ok()) << index << ": " << comparison.status();
    EXPECT_NEAR(comparison->t30_ratio, 1.0, 0.05) << "room " << index;
    EXPECT_LE(comparison->worst_db, 0.5) << "room " << index << " at " << comparison->worst_at_seconds << " s";
    sum += comparison->t30_ratio;
    compared += comparison->compared;
    worst = std::max(worst, comparison->worst_db);
  }
  RecordProperty("worst_decay_db", std::to_string(worst));
  EXPECT_GT(compared, 50 * 15);
  EXPECT_NEAR(sum / 50, 1.0, 0.01);
}

}  // namespace
}  // namespace auricle::sim
