#include "sim/room/materials.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace auricle::sim {
namespace internal {
extern const char* const kMaterialsTsv;  // materials_tsv.cc, made by CMake
}

namespace {

constexpr size_t kNearest = 3;
constexpr std::array<std::pair<std::string_view, Boundary>, 4> kBoundaries = {{{"wall", Boundary::kWall},
                                                                               {"floor", Boundary::kFloor},
                                                                               {"ceiling", Boundary::kCeiling},
                                                                               {"ground", Boundary::kGround}}};

std::vector<Boundary> ParseBoundaries(const std::string& cell) {
  std::vector<Boundary> boundaries;
  for (const std::string& word : std::vector<std::string>(absl::StrSplit(cell, ','))) {
    for (const auto& [name, boundary] : kBoundaries) {
      if (word == name) boundaries.push_back(boundary);
    }
  }
  return boundaries;
}

std::vector<Material> ParseTable() {
  std::vector<Material> materials;
  std::vector<std::string> lines = absl::StrSplit(internal::kMaterialsTsv, '\n', absl::SkipEmpty());
  for (size_t i = 1; i < lines.size(); ++i) {  // row 0 is the header
    const std::vector<std::string> cells = absl::StrSplit(lines[i], '\t');
    if (cells.size() != 4 + kBands) continue;
    Material m = {.name = cells[0],
                  .boundaries = ParseBoundaries(cells[1]),
                  .description = cells[2],
                  .absorption = {},
                  .source = cells[3 + kBands]};
    bool numbers = true;
    for (size_t band = 0; band < kBands; ++band) numbers &= absl::SimpleAtod(cells[3 + band], &m.absorption[band]);
    if (numbers) materials.push_back(std::move(m));
  }
  return materials;
}

// Levenshtein's distance: insertions, deletions and replacements between two names.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

std::span<const Material> Materials() {
  static const auto* const materials = new std::vector<Material>(ParseTable());
  return *materials;
}

std::span<const Material* const> MaterialsFor(Boundary boundary) {
  static const auto* const by_boundary = [] {
    auto* const lists = new std::array<std::vector<const Material*>, kBoundaries.size()>;
    for (const Material& m : Materials()) {
      for (Boundary b : m.boundaries) (*lists)[static_cast<size_t>(b)].push_back(&m);
    }
    return lists;
  }();
  return (*by_boundary)[static_cast<size_t>(boundary)];
}

absl::StatusOr<const Material*> FindMaterial(std::string_view name) {
  for (const Material& m : Materials()) {
    if (m.name == name) return &m;
  }
  std::vector<std::pair<size_t, std::string_view>> by_distance;
  for (const Material& m : Materials()) {
    // A name of any length comes from outside: its distance need not be exact.
    by_distance.emplace_back(EditDistance(name.substr(0, 64), m.name), m.name);
  }
  std::ranges::stable_sort(by_distance, {}, &std::pair<size_t, std::string_view>::first);
  by_distance.resize(std::min(by_distance.size(), kNearest));
  const std::string nearest =
      absl::StrJoin(by_distance, ", ", [](std::string* out, const auto& entry) { out->append(entry.second); });
  return absl::InvalidArgumentError(
      absl::StrFormat("material \"%s\" is not in the table; the nearest are %s", name.substr(0, 64), nearest));
}

absl::StatusOr<BandedRoom> RoomOfMaterials(Vec3 size_m, const std::array<std::string_view, 6>& materials) {
  BandedRoom room = {.size_m = size_m, .absorption = {}, .air_db_per_m = BandAirAttenuation(), .materials = {}};
  for (int wall = 0; wall < 6; ++wall) {
    absl::StatusOr<const Material*> material = FindMaterial(materials[wall]);
    if (!material.ok()) {
      return absl::InvalidArgumentError(
          absl::StrFormat("materials.%s: %s", kWallNames[wall], std::string(material.status().message())));
    }
    room.materials[wall] = (*material)->name;
    for (int band = 0; band < kBands; ++band) room.absorption[band][wall] = (*material)->absorption[band];
  }
  if (absl::Status s = Validate(room); !s.ok()) return s;
  return room;
}

}  // namespace auricle::sim
