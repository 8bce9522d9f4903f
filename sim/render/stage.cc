#include "sim/render/stage.h"

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace auricle::sim {

absl::StatusOr<Stage> SetStage(const ScenePlan& plan) {
  const auto rest = [](Vec3 place) { return Trajectory{.shape = PathShape::kStill, .points = {place}}; };
  const auto keeps_clear = [&](const Path& path, std::string_view name) {
    if (plan.free_field && !plan.ground.empty()) {
      if (absl::Status s = ValidateAboveGround(path, 0.0, plan.duration_seconds, name); !s.ok()) return s;
    }
    const Vec3* size = plan.free_field ? nullptr : &plan.room.size_m;
    return ValidateInside(path, size, 0.0, plan.duration_seconds, name);
  };
  ListenerTrack track = {.trajectory = rest(plan.listener_m), .turn = {}};
  if (plan.listener_track) {
    track = *plan.listener_track;
    const char* name = "listener_track.trajectory";
    if (absl::Status s = Validate(track.trajectory, name); !s.ok()) return s;
    if (absl::Status s = Validate(track.turn, "listener_track.turn"); !s.ok()) return s;
    if (absl::Status s = keeps_clear(Path(track.trajectory), name); !s.ok()) return s;
  }
  Stage stage = {.listener = Path(track.trajectory), .turn = track.turn, .sources = {}};
  for (size_t i = 0; i < plan.sources.size(); ++i) {
    const PlannedSource& source = plan.sources[i];
    const Trajectory trajectory = source.trajectory.value_or(rest(source.position_m));
    if (source.trajectory) {
      const std::string name = absl::StrCat("sources[", i, "].trajectory");
      if (absl::Status s = Validate(trajectory, name); !s.ok()) return s;
      if (absl::Status s = keeps_clear(Path(trajectory), name); !s.ok()) return s;
      if (absl::Status s = ValidateApart(Path(trajectory), stage.listener, 0.0, plan.duration_seconds, name); !s.ok())
        return s;
    }
    stage.sources.push_back(Path(trajectory));
  }
  return stage;
}

}  // namespace auricle::sim
