#include "client/cli/scene_map.h"

#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/map_geometry.h"
#include "client/cli/scene_words.h"

namespace auricle::client {
namespace {

constexpr int kColumns = 47, kRows = 23;       // of the map; a cell is about twice as high as wide
constexpr int kDotsAcross = 2, kDotsDown = 4;  // of a Braille cell
constexpr double kRadiusDots = 42;
constexpr int kLegendColumns = 80 - kColumns - 2;

// Cells of one column: dots below, or one sign on top of them.
class Canvas {
 public:
  Canvas() : dots_(kColumns * kRows, 0), signs_(kColumns * kRows) {}

  void Dot(Point p) {
    const int x = static_cast<int>(std::lround(p.x)), y = static_cast<int>(std::lround(p.y));
    if (x < 0 || y < 0 || x >= kColumns * kDotsAcross || y >= kRows * kDotsDown) return;
    static constexpr uint8_t kBits[kDotsDown][kDotsAcross] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    dots_[y / kDotsDown * kColumns + x / kDotsAcross] |= kBits[y % kDotsDown][x % kDotsAcross];
  }

  // Puts each sign of `text` (ASCII, or one wide sign given as `first`) into cells from the one of `p` on; false where
  // something is in the way or the edge is passed.
  bool Write(int column, int row, const std::vector<std::string>& signs) {
    if (row < 0 || row >= kRows || column < 0 || column + static_cast<int>(signs.size()) > kColumns) return false;
    for (size_t i = 0; i < signs.size(); ++i) {
      if (!signs_[row * kColumns + column + i].empty()) return false;
    }
    for (size_t i = 0; i < signs.size(); ++i) signs_[row * kColumns + column + i] = signs[i];
    return true;
  }

  std::string Row(int row, const TerminalStyle& style) const {
    std::string line;
    for (int column = 0; column < kColumns; ++column) {
      const std::string& sign = signs_[row * kColumns + column];
      const uint8_t dots = dots_[row * kColumns + column];
      if (!sign.empty()) {
        line += sign;
      } else if (dots != 0) {
        // U+2800 + dots in UTF-8.
        const std::string braille = {'\xe2', static_cast<char>(0xa0 | dots >> 6),
                                     static_cast<char>(0x80 | (dots & 0x3f))};
        line += style.Dim(braille);
      } else {
        line += ' ';
      }
    }
    return line;
  }

 private:
  std::vector<uint8_t> dots_;
  std::vector<std::string> signs_;
};

struct Cell {
  int column, row;
};
Cell CellOf(Point p) { return {static_cast<int>(p.x) / kDotsAcross, static_cast<int>(p.y) / kDotsDown}; }

// The marker's cell, or the nearest free one beside it.
void WriteMarker(Canvas& canvas, Point at, const std::vector<std::string>& signs) {
  const Cell cell = CellOf(at);
  for (const Cell& shift : {Cell{0, 0}, Cell{0, -1}, Cell{0, 1}, Cell{-2, 0}, Cell{2, 0}, Cell{0, -2}, Cell{0, 2}}) {
    if (canvas.Write(std::min(cell.column + shift.column, kColumns - 2), cell.row + shift.row, signs)) return;
  }
}

std::vector<std::string> Letters(const std::string& text, const TerminalStyle& style) {
  std::vector<std::string> signs;
  for (const char c : text) signs.push_back(style.Dim(std::string(1, c)));
  return signs;
}

std::string TruthMarker(int index) { return absl::StrCat("○", std::string(1, static_cast<char>('a' + index % 26))); }

void AppendLegend(const v1::Scene& scene, bool is_truth, const TerminalStyle& style, std::vector<std::string>& legend) {
  legend.push_back(style.Dim(is_truth ? "truth" : "heard"));
  int index = 0;
  for (const v1::Source& source : scene.sources()) {
    const std::string marker =
        is_truth ? TruthMarker(index) : style.InSourceColour(index, absl::StrCat("●", index + 1));
    legend.push_back(absl::StrCat(marker, " ", Fit(SourceLabel(source), kLegendColumns - 3)));
    legend.push_back(absl::StrCat("   ", AzimuthText(source.direction().azimuth_deg()), ", ",
                                  ElevationText(source.direction().elevation_deg()),
                                  absl::StrFormat(", %.1f m", source.distance_m())));
    ++index;
  }
  if (index == 0) legend.push_back("no source");
  legend.push_back("");
}

}  // namespace

std::string SceneMap(const v1::Scene& scene, const v1::Scene* truth, const TerminalStyle& style) {
  double farthest = 0;
  for (const v1::Source& source : scene.sources()) farthest = std::max(farthest, source.distance_m());
  if (truth != nullptr) {
    for (const v1::Source& source : truth->sources()) farthest = std::max(farthest, source.distance_m());
  }
  const std::vector<double> rings = DistanceRings(farthest);
  const MapGeometry map{{kColumns * kDotsAcross / 2.0, kRows * kDotsDown / 2.0}, kRadiusDots, rings.back()};

  Canvas canvas;
  for (const double ring : rings) {
    const double radius = kRadiusDots * ring / map.range_m;
    // Every third dot of an inner ring, all of the rim: the rim frames, the others guide.
    const int steps = static_cast<int>(2 * std::numbers::pi * radius / (ring == rings.back() ? 1.0 : 3.0));
    for (int i = 0; i < steps; ++i) canvas.Dot(map.At(360.0 * i / steps, ring));
  }
  const Cell middle = CellOf(map.centre);
  canvas.Write(middle.column, middle.row, {style.Bold("▲")});
  int index = 0;
  for (const v1::Source& source : scene.sources()) {
    WriteMarker(canvas, map.At(source.direction().azimuth_deg(), source.distance_m()),
                {style.InSourceColour(index, "●"), style.InSourceColour(index, std::to_string((index + 1) % 10))});
    ++index;
  }
  index = 0;
  if (truth != nullptr) {
    for (const v1::Source& source : truth->sources()) {
      WriteMarker(canvas, map.At(source.direction().azimuth_deg(), source.distance_m()),
                  {"○", std::string(1, static_cast<char>('a' + index % 26))});
      ++index;
    }
  }
  canvas.Write(middle.column - 2, 0, Letters("front", style));
  canvas.Write(middle.column - 2, kRows - 1, Letters("back", style));
  canvas.Write(0, middle.row, Letters("left", style));
  canvas.Write(kColumns - 5, middle.row, Letters("right", style));
  for (const double ring : rings) {
    const Cell cell = CellOf(map.At(-150, ring));
    canvas.Write(cell.column, cell.row, Letters(absl::StrFormat("%gm", ring), style));
  }

  std::vector<std::string> legend = {""};
  AppendLegend(scene, false, style, legend);
  if (truth != nullptr) AppendLegend(*truth, true, style, legend);
  legend.push_back(style.Dim(RoomText(scene.room())));

  std::string text;
  for (size_t row = 0; row < std::max<size_t>(kRows, legend.size()); ++row) {
    std::string line = row < kRows ? canvas.Row(static_cast<int>(row), style) : std::string(kColumns, ' ');
    if (row < legend.size() && !legend[row].empty()) absl::StrAppend(&line, "  ", legend[row]);
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

}  // namespace auricle::client
