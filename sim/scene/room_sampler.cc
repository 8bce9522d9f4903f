#include "sim/scene/room_sampler.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "sim/scene/scene_sampler.h"

namespace auricle::sim {
namespace {

// Walls take between these shares of energy, whatever the target.
constexpr double kMinAbsorption = 0.01, kMaxAbsorption = 0.97;
// Directions tried for one distance before another distance is drawn, and distances before giving up.
constexpr int kDirections = 30, kDistances = 60;

double Draw(const v1::Range& range, Random& random) { return random.Uniform(range.min(), range.max()); }

// Absorption of walls whose Eyring exponents -ln(1 - a) are `exponents` times `scale`.
std::array<double, 6> Absorb(const std::array<double, 6>& exponents, double scale) {
  std::array<double, 6> absorption;
  for (int wall = 0; wall < 6; ++wall) {
    absorption[wall] = std::clamp(-std::expm1(-scale * exponents[wall]), kMinAbsorption, kMaxAbsorption);
  }
  return absorption;
}

}  // namespace

BandedRoom DrawRoom(const v1::SceneSpec& spec, Random& random) {
  BandedRoom room;
  room.size_m = {Draw(spec.room_length_m(), random), Draw(spec.room_width_m(), random),
                 Draw(spec.room_height_m(), random)};
  const double target = AbsorptionForEyring(room.size_m, Draw(spec.reverberation_seconds(), random));

  std::array<double, 6> exponents;
  for (double& e : exponents) e = std::exp(random.Normal(0.0, 0.3));
  // The common factor at which the mean absorption, which grows with it, is the target.
  double low = 0.0, high = 100.0;
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (MeanAbsorption({room.size_m, Absorb(exponents, middle)}) < target ? low : high) = middle;
  }
  const std::array<double, kBands> colour = {random.Uniform(0.8, 1.15), 1.0, random.Uniform(1.0, 1.6)};
  for (int band = 0; band < kBands; ++band) {
    room.absorption[band] = Absorb(exponents, low * colour[band]);
    room.air_db_per_m[band] = AirAttenuationDbPerMetre(kBandCentreHz[band]);
  }
  return room;
}

Vec3 DrawListener(const BandedRoom& room, Random& random) {
  const auto place = [&](double side) {
    const double clear = std::min(kListenerClearanceM, 0.2 * side);
    return random.Uniform(clear, side - clear);
  };
  const double x = place(room.size_m.x), y = place(room.size_m.y);
  return {x, y, random.Uniform(1.0, std::min(2.0, room.size_m.z - 0.3))};
}

std::vector<Vec3> DrawPlaces(const v1::SceneSpec& spec, const BandedRoom* room, Vec3 listener, int count,
                             Random& random) {
  std::vector<Vec3> places;
  const double top = room != nullptr ? room->size_m.z - kWallClearanceM : kMaxFreeFieldHeightM;
  const auto inside = [&](double value, double side) {
    return value >= kWallClearanceM && value <= side - kWallClearanceM;
  };
  const auto draw_one = [&]() -> bool {
    for (int i = 0; i < kDistances; ++i) {
      const double distance = random.LogUniform(spec.distance_m().min(), spec.distance_m().max());
      for (int j = 0; j < kDirections; ++j) {
        // At most 70 degrees up or down.
        const double reach = 0.94 * distance;
        const double z =
            random.Uniform(std::max(kMinSourceHeightM, listener.z - reach), std::min(top, listener.z + reach));
        const double level = std::sqrt(std::max(0.0, distance * distance - (z - listener.z) * (z - listener.z)));
        const double azimuth = random.Uniform(-180.0, 180.0);
        const Vec3 place = {listener.x + level * std::cos(Radians(azimuth)),
                            listener.y + level * std::sin(Radians(azimuth)), z};
        if (room != nullptr && !(inside(place.x, room->size_m.x) && inside(place.y, room->size_m.y))) continue;
        const bool apart = std::ranges::all_of(places, [&](Vec3 other) {
          return AngleDeg(place - listener, other - listener) >= spec.min_separation_deg();
        });
        if (!apart) continue;
        places.push_back(place);
        return true;
      }
    }
    return false;
  };
  for (int i = 0; i < count; ++i) {
    if (!draw_one()) return {};
  }
  return places;
}

}  // namespace auricle::sim
