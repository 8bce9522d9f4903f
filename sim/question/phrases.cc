#include "sim/question/phrases.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sim/question/heard.h"

namespace auricle::sim {
namespace {

constexpr std::string_view kSectorNames[kSectors] = {"in front", "front-left", "left",  "back-left",
                                                     "behind",   "back-right", "right", "front-right"};
constexpr std::string_view kSectorPlaces[kSectors] = {"the front", "the front-left", "the left",  "the back-left",
                                                      "behind",    "the back-right", "the right", "the front-right"};

// "2.5", "3": at most one digit after the point.
std::string Tenths(double value) {
  const long tenths = std::lround(value * 10.0);
  return tenths % 10 == 0 ? absl::StrCat(tenths / 10) : absl::StrFormat("%.1f", static_cast<double>(tenths) / 10.0);
}

}  // namespace

std::string_view SectorName(int sector) { return kSectorNames[sector]; }
std::string_view SectorPlace(int sector) { return kSectorPlaces[sector]; }

int SectorOf(double azimuth_deg) {
  const int sector = static_cast<int>(std::lround(WrapDegrees(azimuth_deg) / 45.0));
  return (sector + kSectors) % kSectors;
}

double SectorCentre(int sector) { return WrapDegrees(45.0 * sector); }

std::string AzimuthPhrase(double azimuth_deg) {
  const int degrees = static_cast<int>(10 * std::lround(WrapDegrees(azimuth_deg) / 10.0));
  if (degrees == 0) return "straight ahead";
  if (degrees == 180 || degrees == -180) return "directly behind";
  return absl::StrCat(std::abs(degrees), " degrees ", degrees > 0 ? "left" : "right");
}

std::string ElevationPhrase(double elevation_deg) {
  const int degrees = static_cast<int>(5 * std::lround(elevation_deg / 5.0));
  if (degrees == 0) return "level";
  return absl::StrCat(std::abs(degrees), " degrees ", degrees > 0 ? "up" : "down");
}

double RoundedMetres(double metres) {
  if (metres >= 10.0) return std::round(metres);
  if (metres >= 3.0) return std::round(metres * 2.0) / 2.0;
  return std::max(0.1, std::round(metres * 10.0) / 10.0);
}

double RoundedVolume(double cubic_metres) {
  const double unit = cubic_metres < 100.0 ? 5.0 : cubic_metres < 1000.0 ? 10.0 : 100.0;
  return std::max(5.0, unit * std::round(cubic_metres / unit));
}

std::string MetresPhrase(double metres) { return absl::StrCat(Tenths(RoundedMetres(metres)), " m"); }
std::string SecondsPhrase(double seconds) { return absl::StrCat(Tenths(seconds), " s"); }
std::string VolumePhrase(double cubic_metres) { return absl::StrCat(std::lround(RoundedVolume(cubic_metres)), " m3"); }
std::string SpanPhrase(double start_s, double end_s) {
  return absl::StrCat("from ", Tenths(start_s), " to ", Tenths(end_s), " s");
}
std::string AnglePhrase(double degrees) { return absl::StrCat(10 * std::lround(degrees / 10.0), " degrees"); }

std::string JoinNouns(std::span<const std::string> nouns) {
  if (nouns.empty()) return "nothing";
  std::string joined = nouns[0];
  for (size_t i = 1; i < nouns.size(); ++i) absl::StrAppend(&joined, i + 1 == nouns.size() ? " and " : ", ", nouns[i]);
  return joined;
}

std::string Capitalised(std::string_view text) {
  std::string out(text);
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 'a' + 'A');
  return out;
}

std::string Sentence(std::string_view text) {
  std::string out = Capitalised(text);
  if (!out.empty() && out.back() != '.' && out.back() != '?') out += '.';
  return out;
}

}  // namespace auricle::sim
