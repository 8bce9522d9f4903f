#include "sim/room/directivity.h"

#include <cmath>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace auricle::sim {
namespace {

Directivity Even(std::string_view name, double omni_share) {
  Directivity d = {.name = name};
  d.omni_share.fill(omni_share);
  return d;
}

Directivity Talker() {
  constexpr std::array<double, kBands> kBehindDb = {-2.0, -4.0, -6.0, -8.0, -12.0, -15.0, -18.0};
  Directivity d = {.name = "talker"};
  for (int band = 0; band < kBands; ++band) d.omni_share[band] = 0.5 + 0.5 * std::pow(10.0, kBehindDb[band] / 20.0);
  return d;
}

}  // namespace

std::span<const Directivity> Directivities() {
  static const std::array<Directivity, 4> all = {Directivity{}, Even("wide_cardioid", 0.75), Even("cardioid", 0.5),
                                                 Talker()};
  return all;
}

absl::StatusOr<Directivity> FindDirectivity(std::string_view name) {
  for (const Directivity& d : Directivities()) {
    if (d.name == name) return d;
  }
  const std::string names =
      absl::StrJoin(Directivities(), ", ", [](std::string* out, const Directivity& d) { out->append(d.name); });
  return absl::InvalidArgumentError(absl::StrFormat("directivity \"%s\" is none of %s", name.substr(0, 64), names));
}

absl::Status Validate(const Directivity& directivity, Vec3 facing) {
  for (int band = 0; band < kBands; ++band) {
    const double share = directivity.omni_share[band];
    if (!(share >= 0.0 && share <= 1.0)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("directivity.omni_share[%d] = %g is out of range [0, 1]", band, share));
    }
  }
  const double length = Norm(facing);
  if (!(std::abs(length - 1.0) <= 1e-3)) {
    return absl::InvalidArgumentError(absl::StrFormat("facing has length %g: allowed is 1, to 0.001", length));
  }
  return absl::OkStatus();
}

}  // namespace auricle::sim
