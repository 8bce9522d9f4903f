#include "sim/scene/room_sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "sim/room/materials.h"
#include "sim/scene/scene_sampler.h"

namespace auricle::sim {
namespace {

// Sets of materials tried for one whose own reverberation times, in every octave, are within this factor of the target;
// else the nearest is taken.
constexpr int kMaterialSets = 32;
constexpr double kNearEnough = 1.8;
// How much of its own absorption a surface gives up for the mean of all: the part of the sound that furniture and rough
// walls scatter, so that it meets every surface. Without it a shoebox between two hard walls flutters for up to ten
// times Eyring's time, which no furnished room does; with it T30 is 1.2 to 2.1 times that in nine rooms of ten.
constexpr double kScattered = 0.85;
// Probability that a wall is of the same material as the first one.
constexpr double kSameWall = 0.6;
// Classes that are a voice, and the parent of those that have no side to face.
constexpr std::array<std::string_view, 5> kVoices = {"speech", "laughter", "scream", "cough", "baby"};
constexpr std::string_view kNature = "a sound of nature";
// Directions tried for one distance before another distance is drawn, and distances before giving up.
constexpr int kDirections = 30, kDistances = 60;

double Draw(const v1::Range& range, Random& random) { return random.Uniform(range.min(), range.max()); }

std::string_view DrawMaterial(Boundary boundary, Random& random) {
  const std::span<const Material* const> all = MaterialsFor(boundary);
  return all[random.Index(all.size())]->name;
}

std::array<std::string_view, 6> DrawMaterials(Random& random) {
  std::array<std::string_view, 6> materials;
  materials[0] = DrawMaterial(Boundary::kWall, random);
  for (size_t wall = 1; wall < 4; ++wall) {
    materials[wall] = random.Chance(kSameWall) ? materials[0] : DrawMaterial(Boundary::kWall, random);
  }
  materials[4] = DrawMaterial(Boundary::kFloor, random);
  materials[5] = DrawMaterial(Boundary::kCeiling, random);
  return materials;
}

}  // namespace

absl::StatusOr<BandedRoom> DrawRoom(const v1::SceneSpec& spec, Random& random) {
  const Vec3 size = {Draw(spec.room_length_m(), random), Draw(spec.room_width_m(), random),
                     Draw(spec.room_height_m(), random)};
  const double target = Draw(spec.reverberation_seconds(), random);
  BandedRoom best;
  double best_off = std::numeric_limits<double>::infinity();
  for (int set = 0; set < kMaterialSets && best_off > std::log(kNearEnough); ++set) {
    absl::StatusOr<BandedRoom> room = RoomOfMaterials(size, DrawMaterials(random));
    if (!room.ok()) return room.status();
    double off = 0.0;
    for (int band = 0; band < kBands; ++band) {
      off = std::max(off, std::abs(std::log(EyringSeconds(room->Band(band)) / target)));
    }
    if (off < best_off) {
      best_off = off;
      best = *std::move(room);
    }
  }
  for (int band = 0; band < kBands; ++band) {
    const double mean = MeanAbsorption(best.Band(band));
    for (double& a : best.absorption[band]) a += kScattered * (mean - a);
  }
  if (absl::Status s = ScaleToReverberation(target, best); !s.ok()) return s;
  return best;
}

std::string_view DrawGround(Random& random) { return DrawMaterial(Boundary::kGround, random); }

std::string_view DrawDirectivity(const v1::SceneSpec& spec, const SoundClass& sound, Random& random) {
  if (std::ranges::find(kVoices, sound.name) != kVoices.end()) return "talker";
  if (sound.parent == kNature || !random.Chance(spec.directed_probability())) return "omni";
  return random.Chance(0.5) ? "wide_cardioid" : "cardioid";
}

Vec3 DrawFacing(Random& random) {
  const double azimuth = random.Uniform(-180.0, 180.0);
  return UnitVector(azimuth, std::clamp(random.Normal(0.0, 10.0), -30.0, 30.0));
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
      // At most 70 degrees up or down, or what the spec asks for.
      double down = -0.94 * distance, up = 0.94 * distance;
      if (spec.has_elevation_deg()) {
        down = distance * std::sin(Radians(spec.elevation_deg().min()));
        up = distance * std::sin(Radians(spec.elevation_deg().max()));
      }
      const double lowest = std::max(kMinSourceHeightM, listener.z + down), highest = std::min(top, listener.z + up);
      if (lowest > highest) continue;
      for (int j = 0; j < kDirections; ++j) {
        const double z = random.Uniform(lowest, highest);
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
