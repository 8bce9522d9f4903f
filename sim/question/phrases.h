// Values in words: what options and answers are made of. One short form each, so that a small decoder learns it well.
#ifndef SIM_QUESTION_PHRASES_H_
#define SIM_QUESTION_PHRASES_H_

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace auricle::sim {

// Eight sectors of 45 degrees, sector i centred at azimuth 45 i: front, front-left, left, ...
inline constexpr int kSectors = 8;
// "in front", "front-left", "left", "back-left", "behind", "back-right", "right", "front-right"
std::string_view SectorName(int sector);
// With article, for "from ...": "the front", "the front-left", "behind".
std::string_view SectorPlace(int sector);
// Nearest sector, 0-7.
int SectorOf(double azimuth_deg);
// Centre in (-180, 180].
double SectorCentre(int sector);

// Rounded to 10 degrees: "40 degrees left", "straight ahead", "directly behind".
std::string AzimuthPhrase(double azimuth_deg);
// Rounded to 5 degrees: "20 degrees up", "15 degrees down", "level".
std::string ElevationPhrase(double elevation_deg);
// Two digits: "0.6 m", "2.5 m", "12 m".
std::string MetresPhrase(double metres);
// One digit after the point: "0.4 s".
std::string SecondsPhrase(double seconds);
// Two significant digits: "70 m3".
std::string VolumePhrase(double cubic_metres);
// "from 0.5 to 2.3 s"
std::string SpanPhrase(double start_s, double end_s);
// Rounded to 10 degrees: "60 degrees".
std::string AnglePhrase(double degrees);
// "a dog", "a dog and a bell", "a dog, a bell and a car"; "nothing" for an empty list.
std::string JoinNouns(std::span<const std::string> nouns);
// First letter upper case, a full stop at the end.
std::string Sentence(std::string_view text);
std::string Capitalised(std::string_view text);

// The number that the phrase above shows, so that option drawing can keep shown values apart.
double RoundedMetres(double metres);
double RoundedVolume(double cubic_metres);

}  // namespace auricle::sim

#endif  // SIM_QUESTION_PHRASES_H_
