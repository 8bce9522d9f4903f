#include "sim/question/description.h"

#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/question/heard.h"
#include "sim/question/phrases.h"

namespace auricle::sim {
namespace {

constexpr float kConfident = 0.5f;

struct Told {
  std::string label, azimuth, elevation, metres, span;
};

std::vector<Told> Tell(const v1::Scene& scene) {
  std::vector<Told> told;
  for (const HeardSource& source : HearScene(scene).sources) {
    // Truths say nothing of what was heard and give no class scores.
    const bool perceived = scene.has_heard() || source.source->class_scores_size() > 0;
    if (perceived && source.source->confidence() < kConfident) continue;
    Told one;
    one.label = source.source->class_label().empty() ? source.words.label : source.source->class_label();
    one.azimuth = AzimuthPhrase(source.azimuth_deg);
    one.elevation = ElevationPhrase(source.elevation_deg);
    one.metres = MetresPhrase(source.distance_m);
    one.span = SpanPhrase(source.onset_s, source.end_s);
    told.push_back(std::move(one));
  }
  return told;
}

// "at 40 degrees left", but "straight ahead" as it is.
std::string At(const Told& source) {
  const bool degrees = source.azimuth.find("degrees") != std::string::npos;
  return absl::StrCat(degrees ? "at " : "", source.azimuth, ", ", source.elevation);
}

std::string TellSource(const Told& source, size_t wording) {
  switch (wording) {
    case 1:
      return absl::StrCat(source.label, " ", source.span, ", ", At(source), ", ", source.metres, " away");
    case 2:
      return absl::StrCat(At(source), ", ", source.metres, " away: ", source.label, ", ", source.span);
    default:
      return absl::StrCat(source.label, " ", At(source), ", ", source.metres, " away, ", source.span);
  }
}

std::string TellRoom(const v1::Room& room, size_t wording) {
  if (room.free_field()) return wording == 1 ? "It is open air." : "This is outdoors, in open air.";
  if (room.volume_m3() <= 0 && room.t30_seconds() <= 0) return "";
  const std::string size = room.volume_m3() < 60 ? "small" : room.volume_m3() < 200 ? "medium" : "large";
  const long hundredths = std::lround(room.t30_seconds() * 100.0);
  const std::string t30 = absl::StrCat(hundredths / 100, ".", hundredths % 100 < 10 ? "0" : "", hundredths % 100, " s");
  if (wording == 1) return absl::StrCat("A ", size, " room of ", VolumePhrase(room.volume_m3()), ", T30 ", t30, ".");
  return absl::StrCat("The room is ", size, ", about ", VolumePhrase(room.volume_m3()), ", reverberation ", t30, ".");
}

}  // namespace

std::string DescribeScene(const v1::Scene& scene, Random* random) {
  const size_t wording = random == nullptr ? 0 : random->Index(3);
  std::vector<std::string> parts;
  for (const Told& source : Tell(scene)) parts.push_back(TellSource(source, wording));
  std::string text = parts.empty() ? "I hear nothing distinct" : wording == 2 ? "" : "I hear ";
  for (size_t i = 0; i < parts.size(); ++i) absl::StrAppend(&text, i > 0 ? "; " : "", parts[i]);
  text = Sentence(text);
  const std::string room = TellRoom(scene.room(), random == nullptr ? 0 : random->Index(2));
  return room.empty() ? text : absl::StrCat(text, " ", room);
}

}  // namespace auricle::sim
