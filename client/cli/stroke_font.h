// A small single-stroke sans-serif, drawn for this program: what PNG pictures are lettered with, so that they need no
// font files and look the same everywhere. ASCII and the few signs that scene pictures use; anything else is a box.
#pragma once

#include <string>
#include <vector>

#include "client/cli/drawing.h"

namespace auricle::client {

// The strokes of `text` in ems of size 1: baseline at y = 0, y down, first glyph at x = 0.
struct StrokedText {
  std::vector<std::vector<Point>> strokes;
  double width = 0;
};
StrokedText StrokeText(const std::string& text);

}  // namespace auricle::client
