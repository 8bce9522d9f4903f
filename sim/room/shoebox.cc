#include "sim/room/shoebox.h"

#include <cmath>
#include <numbers>
#include <string>

#include "absl/strings/str_format.h"

namespace auricle::sim {
namespace {

constexpr double kMinSize = 0.5, kMaxSize = 100.0;
constexpr double kClearance = 0.01;
// 24 ln 10: from the decay rate of energy to 60 dB.
const double kSixtyDecibels = 24.0 * std::numbers::ln10;

absl::Status ValidatePlace(std::string_view name, Vec3 place, Vec3 size) {
  for (int axis = 0; axis < 3; ++axis) {
    const double value = Components(place)[axis], length = Components(size)[axis];
    if (!(value >= kClearance && value <= length - kClearance)) {
      return absl::InvalidArgumentError(absl::StrFormat("%s.%c = %g is out of range [%g, %g] (1 cm inside the walls)",
                                                        name, kAxes[axis], value, kClearance, length - kClearance));
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateApart(Vec3 source, Vec3 listener) {
  const double distance = Norm(source - listener);
  if (!(distance >= kClearance)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("source_m is %g m from listener_m: allowed is at least %g m", distance, kClearance));
  }
  return absl::OkStatus();
}

}  // namespace

double Volume(const Shoebox& room) { return room.size_m.x * room.size_m.y * room.size_m.z; }

double Surface(const Shoebox& room) {
  const Vec3 s = room.size_m;
  return 2.0 * (s.x * s.y + s.y * s.z + s.z * s.x);
}

double MeanAbsorption(const Shoebox& room) {
  const Vec3 s = room.size_m;
  const std::array<double, 3> area = {s.y * s.z, s.x * s.z, s.x * s.y};
  double sum = 0.0;
  for (int wall = 0; wall < 6; ++wall) sum += area[wall / 2] * room.absorption[wall];
  return sum / Surface(room);
}

double SabineSeconds(const Shoebox& room) {
  return kSixtyDecibels * Volume(room) / (kSpeedOfSound * Surface(room) * MeanAbsorption(room));
}

double EyringSeconds(const Shoebox& room) {
  return kSixtyDecibels * Volume(room) / (-kSpeedOfSound * Surface(room) * std::log1p(-MeanAbsorption(room)));
}

double AbsorptionForEyring(Vec3 size_m, double seconds) {
  const Shoebox room = {.size_m = size_m, .absorption = {}};
  return -std::expm1(-kSixtyDecibels * Volume(room) / (kSpeedOfSound * Surface(room) * seconds));
}

absl::Status Validate(const Shoebox& room) {
  for (int axis = 0; axis < 3; ++axis) {
    const double length = Components(room.size_m)[axis];
    if (!(length > kMinSize && length <= kMaxSize)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("size_m.%c = %g is out of range (%g, %g]", kAxes[axis], length, kMinSize, kMaxSize));
    }
  }
  for (int wall = 0; wall < 6; ++wall) {
    if (!(room.absorption[wall] > 0.0 && room.absorption[wall] <= 1.0)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("absorption.%s = %g is out of range (0, 1]", kWallNames[wall], room.absorption[wall]));
    }
  }
  return absl::OkStatus();
}

absl::Status Validate(const Shoebox& room, Vec3 source_m, Vec3 listener_m) {
  if (absl::Status s = Validate(room); !s.ok()) return s;
  if (absl::Status s = ValidatePlace("source_m", source_m, room.size_m); !s.ok()) return s;
  if (absl::Status s = ValidatePlace("listener_m", listener_m, room.size_m); !s.ok()) return s;
  return ValidateApart(source_m, listener_m);
}

absl::Status ValidateFreeField(Vec3 source_m, Vec3 listener_m) {
  constexpr double kFar = 1e4;
  for (int axis = 0; axis < 3; ++axis) {
    for (const auto& [name, place] : {std::pair{"source_m", source_m}, std::pair{"listener_m", listener_m}}) {
      const double value = Components(place)[axis];
      if (!(std::abs(value) <= kFar)) {
        return absl::InvalidArgumentError(
            absl::StrFormat("%s.%c = %g is out of range [%g, %g]", name, kAxes[axis], value, -kFar, kFar));
      }
    }
  }
  return ValidateApart(source_m, listener_m);
}

}  // namespace auricle::sim
