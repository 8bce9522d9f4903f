// What walls, floors, ceilings and the ground are made of: random-incidence energy absorption in octave bands.
//
// One table, sim/room/materials.tsv, compiled in; each row cites where its figures were published. Random-incidence
// coefficients (ISO 354) are used for every angle, as image sources do by custom.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/room/bands.h"

namespace auricle::sim {

// Where a material is found; the sampler draws by it, nothing forbids another use.
enum class Boundary { kWall, kFloor, kCeiling, kGround };

struct Material {
  std::string name;  // key: "carpet_thin"
  std::vector<Boundary> boundaries;
  std::string description;
  std::array<double, kBands> absorption{};  // of energy, each in (0, 1]
  std::string source;                       // of the figures
};

// All materials, in the table's order. Immutable; lives as long as the program.
std::span<const Material> Materials();
// Those that are found there; never empty.
std::span<const Material* const> MaterialsFor(Boundary boundary);

// INVALID_ARGUMENT for an unknown name: it is quoted, with the three nearest ones by edit distance.
absl::StatusOr<const Material*> FindMaterial(std::string_view name);

// A room with these materials on its walls x0, x1, y0, y1, z0 (floor), z1 (ceiling) and air of 20 degrees and 50 %.
// INVALID_ARGUMENT: an unknown name, or the size as Validate(Shoebox) says.
absl::StatusOr<BandedRoom> RoomOfMaterials(Vec3 size_m, const std::array<std::string_view, 6>& materials);

}  // namespace auricle::sim
