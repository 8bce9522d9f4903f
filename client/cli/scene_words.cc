#include "client/cli/scene_words.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace auricle::client {

double WrapAzimuth(double azimuth_deg) {
  const double wrapped = std::remainder(azimuth_deg, 360.0);
  return wrapped <= -180.0 ? 180.0 : wrapped;
}

std::string AzimuthSector(double azimuth_deg) {
  static constexpr const char* kSectors[] = {"front", "front left", "left",  "back left",
                                             "back",  "back right", "right", "front right"};
  const int eighth = static_cast<int>(std::lround(WrapAzimuth(azimuth_deg) / 45.0));
  return kSectors[(eighth + 8) % 8];
}

std::string AzimuthText(double azimuth_deg) {
  const int degrees = static_cast<int>(std::lround(WrapAzimuth(azimuth_deg)));
  if (degrees == 0) return "0° front";
  if (std::abs(degrees) == 180) return "180° back";
  return absl::StrCat(std::abs(degrees), degrees > 0 ? "° left" : "° right");
}

std::string ElevationText(double elevation_deg) {
  const int degrees = static_cast<int>(std::lround(elevation_deg));
  if (std::abs(degrees) < 3) return "level";
  return absl::StrCat(std::abs(degrees), degrees > 0 ? "° up" : "° down");
}

std::string SpansText(const v1::Source& source) {
  if (source.active().empty()) return "-";
  return absl::StrCat(absl::StrJoin(source.active(), ", ",
                                    [](std::string* out, const v1::TimeSpan& span) {
                                      absl::StrAppend(
                                          out, absl::StrFormat("%.1f-%.1f", span.start_seconds(), span.end_seconds()));
                                    }),
                      " s");
}

std::string MotionText(v1::MotionKind motion) {
  switch (motion) {
    case v1::MOTION_KIND_STATIC:
      return "static";
    case v1::MOTION_KIND_MOVING_LEFT:
      return "moving left";
    case v1::MOTION_KIND_MOVING_RIGHT:
      return "moving right";
    case v1::MOTION_KIND_APPROACHING:
      return "approaching";
    case v1::MOTION_KIND_RECEDING:
      return "receding";
    default:
      return "-";
  }
}

std::string SourceLabel(const v1::Source& source) {
  return source.class_label().empty() ? source.class_name() : source.class_label();
}

std::string SourceText(const v1::Source& source) {
  const double azimuth = source.direction().azimuth_deg();
  return absl::StrCat(SourceLabel(source), ", ", AzimuthText(azimuth), " (", AzimuthSector(azimuth), "), ",
                      ElevationText(source.direction().elevation_deg()), ", ",
                      absl::StrFormat("%.1f m", source.distance_m()), ", ", SpansText(source));
}

std::string RoomText(const v1::Room& room) {
  if (room.free_field()) return "free field (no walls)";
  if (!(room.volume_m3() > 0)) return "room unknown";
  return absl::StrFormat("room of %.0f m³, T30 %.2f s", room.volume_m3(), room.t30_seconds());
}

}  // namespace auricle::client
