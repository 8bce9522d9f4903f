// What a number outside its range is answered with.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace auricle::sim {

// INVALID_ARGUMENT, naming field, value and range, where `value` is not in [low, high] or not a number.
inline absl::Status CheckInRange(std::string_view field, double value, double low, double high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrFormat("%s = %g is out of range [%g, %g]", field, value, low, high));
}

}  // namespace auricle::sim
