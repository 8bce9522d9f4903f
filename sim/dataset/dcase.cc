#include "sim/dataset/dcase.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sim/render/activity.h"
#include "sim/room/geometry.h"

namespace auricle::sim {
namespace {

constexpr size_t kMostSources = 64;
constexpr double kCentimetres = 100.0;

struct Column {
  const char* name;
  int low;
  int high;
};

// One line of a file.
struct Line {
  int frame, class_index, number, azimuth_deg, elevation_deg;
  std::optional<int> distance_cm;
};

absl::Status AtLine(size_t number, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", number, ": ", what));
}

std::vector<absl::string_view> LinesOf(std::string_view text) {
  return absl::StrSplit(absl::string_view(text.data(), text.size()), '\n');
}

absl::StatusOr<Line> ParseLine(absl::string_view text, size_t number, int frames, int classes) {
  const Column columns[] = {{"frame", 0, frames - 1}, {"class", 0, classes - 1}, {"source number", 0, 1 << 20},
                            {"azimuth", -180, 180},   {"elevation", -90, 90},    {"distance", 0, 100000}};
  const std::vector<absl::string_view> cells = absl::StrSplit(text, ',');
  if (cells.size() != 5 && cells.size() != 6) {
    return AtLine(number, absl::StrCat("has ", cells.size(), " columns, must have 5 or 6"));
  }
  std::array<int, 6> values{};
  for (size_t i = 0; i < cells.size(); ++i) {
    const Column& column = columns[i];
    if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(cells[i]), &values[i]) || values[i] < column.low ||
        values[i] > column.high) {
      return AtLine(number, absl::StrCat(column.name, ": is \"", absl::StripAsciiWhitespace(cells[i]).substr(0, 20),
                                         "\", must be a whole number in [", column.low, ", ", column.high, "]"));
    }
  }
  return Line{values[0], values[1], values[2],
              values[3], values[4], cells.size() == 6 ? std::optional<int>(values[5]) : std::nullopt};
}

// The track of one source, row by row: where a row has no line, the nearest row that has one (the earlier of two).
std::vector<std::pair<int, const Line*>> NearestLines(const std::map<int, Line>& lines, int frames) {
  std::vector<std::pair<int, const Line*>> rows;
  auto after = lines.begin();
  for (int frame = 0; frame < frames; ++frame) {
    while (after != lines.end() && after->first < frame) ++after;
    auto nearest = after;
    if (after == lines.end() || (after != lines.begin() && frame - std::prev(after)->first <= after->first - frame)) {
      nearest = after != lines.end() && after->first == frame ? after : std::prev(after);
    }
    rows.emplace_back(frame, &nearest->second);
  }
  return rows;
}

void DescribeSource(const std::map<int, Line>& lines, const DcaseClass& sound, int frames, double duration,
                    v1::Source& source) {
  source.set_class_name(sound.name);
  source.set_class_label(sound.label);
  source.set_confidence(1.0f);
  Vec3 sum;
  double distance = 0;
  for (const auto& [frame, line] : NearestLines(lines, frames)) {
    v1::SourceFrame* row = source.add_frames();
    row->set_frame(static_cast<uint32_t>(frame));
    row->mutable_direction()->set_azimuth_deg(line->azimuth_deg == -180 ? 180 : line->azimuth_deg);
    row->mutable_direction()->set_elevation_deg(line->elevation_deg);
    row->set_distance_m(line->distance_cm.value_or(0) / kCentimetres);
    row->set_activity(line->frame == frame ? 1.0f : 0.0f);
    if (line->frame != frame) continue;
    sum = sum + UnitVector(line->azimuth_deg, line->elevation_deg);
    distance += row->distance_m();
    const double start = frame * kRowSeconds, end = std::min((frame + 1) * kRowSeconds, duration);
    const int spans = source.active_size();
    if (spans > 0 && lines.contains(frame - 1)) {
      source.mutable_active(spans - 1)->set_end_seconds(end);
    } else {
      v1::TimeSpan* span = source.add_active();
      span->set_start_seconds(start);
      span->set_end_seconds(end);
    }
  }
  source.mutable_direction()->set_azimuth_deg(AzimuthDeg(sum));
  source.mutable_direction()->set_elevation_deg(ElevationDeg(sum));
  source.set_distance_m(distance / static_cast<double>(lines.size()));
}

// Azimuth as DCASE has it, a whole number in (-180, 180].
int WholeAzimuth(double degrees) {
  const int whole = static_cast<int>(std::lround(degrees));
  return whole <= -180 ? 180 : whole;
}

}  // namespace

std::vector<DcaseClass> StarssClasses() {
  return {{"female_speech", "a woman speaking"},
          {"male_speech", "a man speaking"},
          {"clapping", "hands clapping"},
          {"telephone", "a telephone"},
          {"laughter", "somebody laughing"},
          {"domestic_sounds", "domestic sounds"},
          {"footsteps", "footsteps"},
          {"door", "a door opening or closing"},
          {"music", "music"},
          {"musical_instrument", "a musical instrument"},
          {"water_tap", "a water tap"},
          {"bell", "a bell"},
          {"knock", "a knock"}};
}

absl::StatusOr<std::vector<DcaseClass>> ParseClassList(std::string_view csv) {
  std::vector<DcaseClass> classes;
  size_t number = 0;
  for (absl::string_view line : LinesOf(csv)) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || (number == 1 && absl::ascii_isalpha(static_cast<unsigned char>(line[0])))) continue;
    const std::pair<absl::string_view, absl::string_view> cells = absl::StrSplit(line, absl::MaxSplits(',', 1));
    const absl::string_view name = absl::StripAsciiWhitespace(cells.second);
    size_t index = 0;
    if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(cells.first), &index) || index != classes.size()) {
      return AtLine(number, absl::StrCat("index: must be ", classes.size(), ", one more than in the line before"));
    }
    if (name.empty()) return AtLine(number, "name: is empty");
    classes.push_back({std::string(name), std::string(name)});
    std::ranges::replace(classes.back().label, '_', ' ');
  }
  if (classes.empty()) return absl::InvalidArgumentError("the list of classes is empty");
  return classes;
}

std::string ClassListCsv(const std::vector<DcaseClass>& classes) {
  std::string csv = "index,name\n";
  for (size_t i = 0; i < classes.size(); ++i) absl::StrAppend(&csv, i, ",", classes[i].name, "\n");
  return csv;
}

absl::StatusOr<v1::Scene> SceneFromDcase(std::string_view csv, const std::vector<DcaseClass>& classes,
                                         const std::string& id, double duration_seconds) {
  const int frames = static_cast<int>(std::ceil(duration_seconds / kRowSeconds - 1e-6));
  std::map<std::pair<int, int>, std::map<int, Line>> sources;  // by class and number, then by frame
  size_t number = 0;
  for (absl::string_view text : LinesOf(csv)) {
    ++number;
    if (absl::StripAsciiWhitespace(text).empty()) continue;
    const absl::StatusOr<Line> line = ParseLine(text, number, frames, static_cast<int>(classes.size()));
    if (!line.ok()) return line.status();
    sources[{line->class_index, line->number}].emplace(line->frame, *line);
    if (sources.size() > kMostSources)
      return AtLine(number, absl::StrCat("names more than ", kMostSources, " sources"));
  }
  v1::Scene scene;
  scene.set_id(id);
  scene.set_duration_seconds(duration_seconds);
  std::vector<const decltype(sources)::value_type*> by_onset;
  for (const auto& source : sources) by_onset.push_back(&source);
  std::ranges::stable_sort(by_onset, {}, [](const auto* source) { return source->second.begin()->first; });
  for (const auto* source : by_onset) {
    v1::Source& described = *scene.add_sources();
    described.set_id(absl::StrCat("s", scene.sources_size()));
    DescribeSource(source->second, classes[static_cast<size_t>(source->first.first)], frames, duration_seconds,
                   described);
  }
  return scene;
}

absl::StatusOr<std::string> SceneToDcase(const v1::Scene& scene, const std::vector<DcaseClass>& classes) {
  std::map<std::pair<uint32_t, int>, std::string> lines;  // by frame and place in the scene
  std::map<size_t, int> numbers;                          // sources so far, by class
  for (int i = 0; i < scene.sources_size(); ++i) {
    const v1::Source& source = scene.sources(i);
    const auto sound = std::ranges::find(classes, source.class_name(), &DcaseClass::name);
    if (sound == classes.end()) {
      return absl::NotFoundError(absl::StrCat("class ", source.class_name(), ": is not in the list of classes"));
    }
    const size_t index = static_cast<size_t>(sound - classes.begin());
    const int number = numbers[index]++;
    for (const v1::SourceFrame& frame : source.frames()) {
      if (frame.activity() < 0.5f) continue;
      lines[{frame.frame(), i}] = absl::StrCat(
          frame.frame(), ",", index, ",", number, ",", WholeAzimuth(frame.direction().azimuth_deg()), ",",
          std::lround(frame.direction().elevation_deg()), ",", std::lround(frame.distance_m() * kCentimetres), "\n");
    }
  }
  std::string csv;
  for (const auto& [place, line] : lines) csv += line;
  return csv;
}

}  // namespace auricle::sim
