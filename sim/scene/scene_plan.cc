#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/audio/resample.h"
#include "sim/room/in_range.h"
#include "sim/scene/scene_sampler.h"

namespace auricle::sim {
namespace {

constexpr double kMostSeconds = 60.0;
constexpr double kMostLevelDb = 120.0;  // ten deviations of the widest spec
constexpr double kLowestNoiseDbfs = -200.0;

absl::Status CheckSource(const std::string& name, const PlannedSource& source, double duration_seconds) {
  if (source.onsets.empty()) return absl::InvalidArgumentError(absl::StrCat(name, ".onsets is empty: one or more"));
  double before = 0.0;
  for (double onset : source.onsets) {
    if (!(onset >= before && onset <= kMostSeconds)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s.onsets: %g is out of range [%g, %g]: one or more, ascending, not negative", name, onset,
                          before, kMostSeconds));
    }
    before = onset;
  }
  if (!(source.onsets.front() < duration_seconds)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s.onsets: %g is out of range [0, %g): a source that begins after the end of the scene", name,
                        source.onsets.front(), duration_seconds));
  }
  return CheckInRange(name + ".level_offset_db", source.level_offset_db, -kMostLevelDb, kMostLevelDb);
}

}  // namespace

absl::Status Validate(const ScenePlan& plan) {
  if (plan.sources.empty()) return absl::InvalidArgumentError("sources is empty: a scene has one source or more");
  if (!(plan.duration_seconds > 0.0 && plan.duration_seconds <= kMostSeconds)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("duration_seconds = %g is out of range (0, %g]", plan.duration_seconds, kMostSeconds));
  }
  if (absl::Status s = audio::ValidateSampleRate(plan.sample_rate); !s.ok()) return s;
  if (!plan.free_field) {
    if (absl::Status s = Validate(plan.room); !s.ok())
      return absl::InvalidArgumentError(absl::StrCat("room: ", std::string(s.message())));
  }
  if (absl::Status s = CheckInRange("noise_floor_dbfs", plan.noise_floor_dbfs, kLowestNoiseDbfs, 0.0); !s.ok())
    return s;
  if (absl::Status s = CheckInRange("noise_slope_db", plan.noise_slope_db, 0.0, 6.0); !s.ok()) return s;
  if (plan.ambience) {
    if (absl::Status s = Validate(*plan.ambience); !s.ok()) return s;
  }
  if (plan.microphone) {
    if (absl::Status s = Validate(*plan.microphone); !s.ok()) return s;
  }
  for (size_t i = 0; i < plan.sources.size(); ++i) {
    if (absl::Status s = CheckSource(absl::StrCat("sources[", i, "]"), plan.sources[i], plan.duration_seconds); !s.ok())
      return s;
  }
  return absl::OkStatus();
}

}  // namespace auricle::sim
