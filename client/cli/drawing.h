// A drawing as a list of shapes, and its two ways onto a disk: SVG (drawing_svg.cc) and PNG (drawing_png.cc).
//
// Coordinates are in drawing units (pixels of an SVG at 100 %), x to the right, y down. Shapes are painted in order.
// Plain data and pure functions: thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

namespace auricle::client {

struct Point {
  double x = 0;
  double y = 0;
};

struct Colour {
  uint8_t red = 0, green = 0, blue = 0;
  double alpha = 1;  // [0, 1]
};

// Straight pieces with round ends and joints.
struct Polyline {
  std::vector<Point> points;
  double width = 1;
  Colour colour;
  bool dashed = false;
};

struct Disc {
  Point centre;
  double radius = 1;
  std::optional<Colour> fill;
  std::optional<Colour> edge;
  double edge_width = 1;
};

struct Box {
  Point corner;  // upper left
  double width = 0, height = 0;
  double corner_radius = 0;
  std::optional<Colour> fill;
  std::optional<Colour> edge;
  double edge_width = 1;
};

enum class TextAnchor { kStart, kMiddle, kEnd };

struct Text {
  Point at;          // on the baseline
  std::string text;  // UTF-8
  double size = 14;  // of the em
  Colour colour;
  TextAnchor anchor = TextAnchor::kStart;
  bool bold = false;
};

using Shape = std::variant<Polyline, Disc, Box, Text>;

struct Drawing {
  double width = 0, height = 0;
  std::string title;  // for screen readers
  std::vector<Shape> shapes;
};

// About how wide `text` is, in the units of `size`: exact for PNG, an estimate for SVG, whose font is the viewer's.
double TextWidth(const std::string& text, double size);

// A complete SVG document. Text stays text (sans-serif of the viewer).
std::string ToSvg(const Drawing& drawing);

// A PNG file's bytes, `scale` pixels a unit, anti-aliased, opaque white behind. INVALID_ARGUMENT for a drawing without
// extent or of more than 64 million pixels; INTERNAL when libpng fails.
absl::StatusOr<std::string> ToPng(const Drawing& drawing, double scale);

}  // namespace auricle::client
