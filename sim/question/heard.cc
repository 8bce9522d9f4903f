#include "sim/question/heard.h"

#include <algorithm>
#include <cmath>

namespace auricle::sim {
namespace {

constexpr double kFrameSeconds = 0.1;
constexpr double kLongestGap = 0.5;

double SoundingSeconds(const v1::Source& source) {
  double seconds = 0;
  for (const v1::TimeSpan& span : source.active()) seconds += std::max(0.0, span.end_seconds() - span.start_seconds());
  return seconds;
}

// Also for a truth that does not state the kind of motion: what is neither plain nor static leaves it open.
bool Strays(const v1::Source& source) {
  const Vec3 mean = UnitVector(source.direction().azimuth_deg(), source.direction().elevation_deg());
  for (const v1::SourceFrame& frame : source.frames()) {
    if (frame.activity() < 0.5f || !frame.has_direction()) continue;
    const Vec3 at = UnitVector(frame.direction().azimuth_deg(), frame.direction().elevation_deg());
    if (AngleDeg(mean, at) > kStrayDegrees) return true;
    if (frame.distance_m() > 0 && source.distance_m() > 0 &&
        std::abs(std::log(frame.distance_m() / source.distance_m())) > std::log(kStrayRatio)) {
      return true;
    }
  }
  return false;
}

// Whether at least half of the rows in which it sounds between two times, one of them at least, are audible.
bool HeardBetween(const v1::Source& source, double from, double to) {
  if (source.frames().empty()) return true;
  int sounding = 0, audible = 0;
  for (const v1::SourceFrame& frame : source.frames()) {
    const double begin = frame.frame() * kFrameSeconds;
    if (begin >= to || begin + kFrameSeconds <= from || frame.activity() < 0.5f) continue;
    ++sounding;
    audible += IsAudible(frame) ? 1 : 0;
  }
  return audible > 0 && 2 * audible >= sounding;
}

}  // namespace

double AudibleSeconds(const v1::Source& source) {
  if (source.frames().empty()) return SoundingSeconds(source);
  double seconds = 0;
  for (const v1::SourceFrame& frame : source.frames()) {
    if (IsAudible(frame)) seconds += kFrameSeconds;
  }
  return seconds;
}

double WrapDegrees(double degrees) {
  double wrapped = std::fmod(degrees, 360.0);
  if (wrapped <= -180.0) wrapped += 360.0;
  if (wrapped > 180.0) wrapped -= 360.0;
  return wrapped;
}

double AzimuthDistance(double a, double b) { return std::abs(WrapDegrees(a - b)); }

double AngleBetween(const HeardSource& a, const HeardSource& b) {
  return AngleDeg(UnitVector(a.azimuth_deg, a.elevation_deg), UnitVector(b.azimuth_deg, b.elevation_deg));
}

bool HeardScene::OrderHeard() const { return std::ranges::all_of(sources, &HeardSource::onset_heard); }

std::vector<const HeardSource*> HeardScene::Nameable() const {
  std::vector<const HeardSource*> nameable;
  for (const HeardSource& source : sources) {
    if (source.unique && !source.moving) nameable.push_back(&source);
  }
  return nameable;
}

HeardScene HearScene(const v1::Scene& truth) {
  HeardScene heard;
  heard.scene = &truth;
  heard.duration_s = truth.duration_seconds();
  std::vector<ClassWords> words;
  for (const v1::Source& source : truth.sources()) {
    const ClassWords* known = FindClassWords(source.class_name());
    words.push_back(known != nullptr ? *known : DeriveClassWords(source.class_name(), source.class_label()));
    heard.present_nouns.push_back(words.back().noun);
  }
  // Rain all around is a sound to whoever counts and lists them, though it is no source.
  const bool bed = truth.ambience().has_class_name();
  if (bed) {
    const ClassWords* known = FindClassWords(truth.ambience().class_name());
    if (known != nullptr) heard.present_nouns.push_back(known->noun);
  }
  for (int i = 0; i < truth.sources_size(); ++i) {
    const v1::Source& source = truth.sources(i);
    const double sounding = SoundingSeconds(source);
    const bool audible = sounding > 0 && AudibleSeconds(source) + 1e-9 >= std::min(kAudibleSeconds, 0.5 * sounding);
    if (!audible) continue;
    HeardSource one;
    one.source = &source;
    one.words = words[i];
    one.azimuth_deg = WrapDegrees(source.direction().azimuth_deg());
    one.elevation_deg = source.direction().elevation_deg();
    one.distance_m = source.distance_m();
    one.onset_s = source.active(0).start_seconds();
    one.end_s = one.onset_s;
    one.one_span = true;
    for (const v1::TimeSpan& span : source.active()) {
      if (span.start_seconds() - one.end_s > kLongestGap) one.one_span = false;
      one.end_s = std::max(one.end_s, span.end_seconds());
    }
    one.onset_heard = HeardBetween(source, one.onset_s, one.onset_s + kAudibleSeconds);
    one.end_heard = HeardBetween(source, one.end_s - kAudibleSeconds, one.end_s);
    one.unique = std::count(heard.present_nouns.begin(), heard.present_nouns.end(), one.words.noun) == 1;
    one.moving =
        (source.motion() != v1::MOTION_KIND_UNSPECIFIED && source.motion() != v1::MOTION_KIND_STATIC) || Strays(source);
    heard.sources.push_back(std::move(one));
  }
  std::stable_sort(heard.sources.begin(), heard.sources.end(),
                   [](const HeardSource& a, const HeardSource& b) { return a.onset_s < b.onset_s; });
  heard.complete = !bed && !heard.sources.empty() && static_cast<int>(heard.sources.size()) == truth.sources_size();
  return heard;
}

}  // namespace auricle::sim
