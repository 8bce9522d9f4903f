#include "client/cli/stroke_font.h"

#include <cstdint>
#include <map>
#include <sstream>

namespace auricle::client {
namespace {

// Ten units an em, capitals 7 high, small letters 5, y up. "M x y" begins a stroke, "L x y" draws a line, "Q cx cy x y"
// a parabola with that control point. `width` is the glyph's own; spacing is added around it.
struct Glyph {
  double width;
  const char* path;
};

constexpr double kUnitsPerEm = 10, kSpacing = 1.6, kSpace = 2.8;

const std::map<uint32_t, Glyph>& Glyphs() {
  static const auto& glyphs = *new std::map<uint32_t, Glyph>{
      {'A', {5, "M 0 0 L 2.5 7 L 5 0 M .9 2.4 L 4.1 2.4"}},
      {'B',
       {4.6,
        "M 0 0 L 0 7 L 2.6 7 Q 4.3 7 4.3 5.3 Q 4.3 3.7 2.6 3.7 L 0 3.7 M 2.6 3.7 Q 4.6 3.7 4.6 1.9 Q 4.6 0 2.6 0 L "
        "0 0"}},
      {'C', {5, "M 5 5.6 Q 4.3 7 2.7 7 Q 0 7 0 3.5 Q 0 0 2.7 0 Q 4.3 0 5 1.4"}},
      {'D', {5, "M 0 0 L 0 7 L 2.2 7 Q 5 7 5 3.5 Q 5 0 2.2 0 L 0 0"}},
      {'E', {4, "M 4 7 L 0 7 L 0 0 L 4 0 M 0 3.6 L 3.4 3.6"}},
      {'F', {4, "M 4 7 L 0 7 L 0 0 M 0 3.6 L 3.4 3.6"}},
      {'G', {5.2, "M 5 5.6 Q 4.3 7 2.7 7 Q 0 7 0 3.5 Q 0 0 2.7 0 Q 5.2 0 5.2 2.2 L 5.2 3.2 L 3 3.2"}},
      {'H', {4.8, "M 0 0 L 0 7 M 4.8 0 L 4.8 7 M 0 3.6 L 4.8 3.6"}},
      {'I', {0, "M 0 0 L 0 7"}},
      {'J', {3.2, "M 3.2 7 L 3.2 1.8 Q 3.2 0 1.6 0 Q 0 0 0 1.8"}},
      {'K', {4.6, "M 0 0 L 0 7 M 4.4 7 L 0 2.8 M 1.6 4.3 L 4.6 0"}},
      {'L', {3.8, "M 0 7 L 0 0 L 3.8 0"}},
      {'M', {5.8, "M 0 0 L 0 7 L 2.9 1.4 L 5.8 7 L 5.8 0"}},
      {'N', {4.8, "M 0 0 L 0 7 L 4.8 0 L 4.8 7"}},
      {'O', {5.6, "M 2.8 7 Q 0 7 0 3.5 Q 0 0 2.8 0 Q 5.6 0 5.6 3.5 Q 5.6 7 2.8 7"}},
      {'P', {4.4, "M 0 0 L 0 7 L 2.4 7 Q 4.4 7 4.4 5.1 Q 4.4 3.2 2.4 3.2 L 0 3.2"}},
      {'Q', {5.6, "M 2.8 7 Q 0 7 0 3.5 Q 0 0 2.8 0 Q 5.6 0 5.6 3.5 Q 5.6 7 2.8 7 M 3.6 1.6 L 5.6 -.4"}},
      {'R', {4.6, "M 0 0 L 0 7 L 2.4 7 Q 4.4 7 4.4 5.1 Q 4.4 3.2 2.4 3.2 L 0 3.2 M 2.4 3.2 L 4.6 0"}},
      {'S',
       {4.4, "M 4.2 5.7 Q 3.8 7 2.2 7 Q .2 7 .2 5.3 Q .2 3.9 2.2 3.6 Q 4.4 3.2 4.4 1.8 Q 4.4 0 2.2 0 Q .4 0 0 1.4"}},
      {'T', {4.6, "M 0 7 L 4.6 7 M 2.3 7 L 2.3 0"}},
      {'U', {4.8, "M 0 7 L 0 2.4 Q 0 0 2.4 0 Q 4.8 0 4.8 2.4 L 4.8 7"}},
      {'V', {5, "M 0 7 L 2.5 0 L 5 7"}},
      {'W', {7, "M 0 7 L 1.75 0 L 3.5 6 L 5.25 0 L 7 7"}},
      {'X', {4.8, "M 0 0 L 4.8 7 M 0 7 L 4.8 0"}},
      {'Y', {4.8, "M 0 7 L 2.4 3.4 L 4.8 7 M 2.4 3.4 L 2.4 0"}},
      {'Z', {4.6, "M 0 7 L 4.6 7 L 0 0 L 4.6 0"}},
      {'a',
       {3.7,
        "M .4 4.2 Q .9 5 2 5 Q 3.7 5 3.7 3.4 L 3.7 0 M 3.7 3 L 1.8 2.9 Q 0 2.8 0 1.4 Q 0 0 1.6 0 Q 3.1 0 3.7 1.4"}},
      {'b', {4, "M 0 0 L 0 7 M 0 2.5 Q 0 5 2 5 Q 4 5 4 2.5 Q 4 0 2 0 Q 0 0 0 2.5"}},
      {'c', {3.6, "M 3.6 4.1 Q 3.2 5 2 5 Q 0 5 0 2.5 Q 0 0 2 0 Q 3.2 0 3.6 .9"}},
      {'d', {4, "M 4 0 L 4 7 M 4 2.5 Q 4 5 2 5 Q 0 5 0 2.5 Q 0 0 2 0 Q 4 0 4 2.5"}},
      {'e', {4, "M 0 2.7 L 4 2.7 Q 4 5 2 5 Q 0 5 0 2.5 Q 0 0 2.1 0 Q 3.4 0 3.9 1.1"}},
      {'f', {2.4, "M 2.4 6.9 Q .9 7.4 .9 5.6 L .9 0 M 0 4.9 L 2.2 4.9"}},
      {'g', {4, "M 4 5 L 4 -.4 Q 4 -2 2 -2 Q .7 -2 .2 -1.2 M 4 2.5 Q 4 5 2 5 Q 0 5 0 2.5 Q 0 0 2 0 Q 4 0 4 2.5"}},
      {'h', {3.8, "M 0 0 L 0 7 M 0 2.8 Q .2 5 2.1 5 Q 3.8 5 3.8 3.1 L 3.8 0"}},
      {'i', {0, "M 0 0 L 0 5 M 0 6.8 L 0 7"}},
      {'j', {1, "M .8 5 L .8 -.8 Q .8 -2 -.4 -1.9 M .8 6.8 L .8 7"}},
      {'k', {3.6, "M 0 0 L 0 7 M 3.4 5 L 0 2 M 1.2 3.1 L 3.6 0"}},
      {'l', {0, "M 0 0 L 0 7"}},
      {'m',
       {6.4, "M 0 0 L 0 5 M 0 2.9 Q .1 5 1.8 5 Q 3.2 5 3.2 3.3 L 3.2 0 M 3.2 2.9 Q 3.3 5 5 5 Q 6.4 5 6.4 3.3 L 6.4 0"}},
      {'n', {3.8, "M 0 0 L 0 5 M 0 2.8 Q .2 5 2.1 5 Q 3.8 5 3.8 3.1 L 3.8 0"}},
      {'o', {4, "M 2 5 Q 0 5 0 2.5 Q 0 0 2 0 Q 4 0 4 2.5 Q 4 5 2 5"}},
      {'p', {4, "M 0 -2 L 0 5 M 0 2.5 Q 0 5 2 5 Q 4 5 4 2.5 Q 4 0 2 0 Q 0 0 0 2.5"}},
      {'q', {4, "M 4 -2 L 4 5 M 4 2.5 Q 4 5 2 5 Q 0 5 0 2.5 Q 0 0 2 0 Q 4 0 4 2.5"}},
      {'r', {2.2, "M 0 0 L 0 5 M 0 2.8 Q .2 5 2.2 4.9"}},
      {'s', {3.4, "M 3.2 4.1 Q 2.9 5 1.7 5 Q .2 5 .2 3.8 Q .2 2.8 1.7 2.6 Q 3.4 2.4 3.4 1.3 Q 3.4 0 1.7 0 Q .3 0 0 1"}},
      {'t', {2.2, "M .9 6.4 L .9 1.2 Q .9 0 2.2 .1 M 0 4.9 L 2.2 4.9"}},
      {'u', {3.8, "M 0 5 L 0 1.9 Q 0 0 1.7 0 Q 3.6 0 3.8 2.2 M 3.8 5 L 3.8 0"}},
      {'v', {3.8, "M 0 5 L 1.9 0 L 3.8 5"}},
      {'w', {5.6, "M 0 5 L 1.4 0 L 2.8 4.4 L 4.2 0 L 5.6 5"}},
      {'x', {3.6, "M 0 5 L 3.6 0 M 0 0 L 3.6 5"}},
      {'y', {3.8, "M 0 5 L 1.9 0 M 3.8 5 L 1.6 -1.2 Q 1.2 -2.1 0 -1.9"}},
      {'z', {3.4, "M 0 5 L 3.4 5 L 0 0 L 3.4 0"}},
      {'0', {4, "M 2 7 Q 0 7 0 3.5 Q 0 0 2 0 Q 4 0 4 3.5 Q 4 7 2 7"}},
      {'1', {4, "M .8 5.7 L 2.4 7 L 2.4 0"}},
      {'2', {4, "M .1 5.2 Q .2 7 2 7 Q 3.8 7 3.8 5.3 Q 3.8 4.1 2.4 2.7 L 0 0 L 4 0"}},
      {'3',
       {4, "M .2 5.8 Q .6 7 2 7 Q 3.7 7 3.7 5.4 Q 3.7 3.8 1.6 3.8 M 1.6 3.8 Q 4 3.8 4 1.9 Q 4 0 2 0 Q .4 0 0 1.4"}},
      {'4', {4.2, "M 3 0 L 3 7 L 0 2 L 4.2 2"}},
      {'5', {4, "M 3.6 7 L .6 7 L .3 3.8 Q 1 4.5 2.1 4.5 Q 4 4.5 4 2.3 Q 4 0 1.9 0 Q .5 0 0 1.2"}},
      {'6', {4, "M 3.7 5.9 Q 3.2 7 2.1 7 Q 0 7 0 3.3 Q 0 0 2.1 0 Q 4 0 4 2.1 Q 4 4.2 2.1 4.2 Q .4 4.2 0 2.4"}},
      {'7', {4, "M 0 7 L 4 7 L 1.4 0"}},
      {'8',
       {4,
        "M 2 3.8 Q .2 3.8 .2 5.4 Q .2 7 2 7 Q 3.8 7 3.8 5.4 Q 3.8 3.8 2 3.8 Q 0 3.8 0 1.9 Q 0 0 2 0 Q 4 0 4 1.9 Q "
        "4 3.8 2 3.8"}},
      {'9', {4, "M .3 1.1 Q .8 0 1.9 0 Q 4 0 4 3.7 Q 4 7 1.9 7 Q 0 7 0 4.9 Q 0 2.8 1.9 2.8 Q 3.6 2.8 4 4.6"}},
      {'.', {0, "M 0 0 L 0 .2"}},
      {',', {.3, "M .3 .2 L -.1 -1.1"}},
      {':', {0, "M 0 0 L 0 .2 M 0 4.4 L 0 4.6"}},
      {';', {.3, "M .3 .2 L -.1 -1.1 M .3 4.4 L .3 4.6"}},
      {'-', {2.2, "M 0 2.6 L 2.2 2.6"}},
      {'+', {3.6, "M 0 2.8 L 3.6 2.8 M 1.8 1 L 1.8 4.6"}},
      {'=', {3.6, "M 0 2 L 3.6 2 M 0 3.8 L 3.6 3.8"}},
      {'/', {2.8, "M 0 -.8 L 2.8 7.4"}},
      {'_', {4, "M 0 -.8 L 4 -.8"}},
      {'(', {1.5, "M 1.5 7.6 Q -1.3 3 1.5 -1.6"}},
      {')', {1.5, "M 0 7.6 Q 2.8 3 0 -1.6"}},
      {'%',
       {6.4,
        "M 5.2 7 L 1.2 0 M 1.4 7 Q 0 7 0 5.4 Q 0 3.8 1.4 3.8 Q 2.8 3.8 2.8 5.4 Q 2.8 7 1.4 7 M 5 3.2 Q 3.6 3.2 3.6 "
        "1.6 Q 3.6 0 5 0 Q 6.4 0 6.4 1.6 Q 6.4 3.2 5 3.2"}},
      {'\'', {0, "M 0 7.2 L 0 5.6"}},
      {'"', {1.4, "M 0 7.2 L 0 5.6 M 1.4 7.2 L 1.4 5.6"}},
      {'!', {0, "M 0 7 L 0 2.2 M 0 0 L 0 .2"}},
      {'?', {3.6, "M 0 5.6 Q .2 7 1.8 7 Q 3.6 7 3.6 5.4 Q 3.6 4.3 2.5 3.6 Q 1.7 3 1.7 2 M 1.7 0 L 1.7 .2"}},
      {0xb0, {2, "M 1 7.2 Q 0 7.2 0 6.2 Q 0 5.2 1 5.2 Q 2 5.2 2 6.2 Q 2 7.2 1 7.2"}},   // degree
      {0xb2, {2, "M 0 6.4 Q .1 7.4 1 7.4 Q 2 7.4 2 6.5 Q 2 5.9 1.2 5.2 L 0 4 L 2 4"}},  // squared
      {0xb3,
       {2,
        "M .1 6.9 Q .4 7.4 1 7.4 Q 1.9 7.4 1.9 6.6 Q 1.9 5.8 .8 5.8 M .8 5.8 Q 2 5.8 2 4.9 Q 2 4 1 4 Q .3 4 0 "
        "4.6"}},                                                          // cubed
      {0xb7, {0, "M 0 2.6 L 0 2.8"}},                                     // middle dot
      {0x2026, {3.6, "M 0 0 L 0 .2 M 1.8 0 L 1.8 .2 M 3.6 0 L 3.6 .2"}},  // ellipsis
  };
  return glyphs;
}

constexpr Glyph kMissing = {4, "M 0 0 L 0 7 L 4 7 L 4 0 L 0 0"};

uint32_t NextCodePoint(const std::string& text, size_t& i) {
  const auto lead = static_cast<uint8_t>(text[i++]);
  if (lead < 0x80) return lead;
  uint32_t code = lead >= 0xf0 ? lead & 0x07 : lead >= 0xe0 ? lead & 0x0f : lead & 0x1f;
  while (i < text.size() && (static_cast<uint8_t>(text[i]) & 0xc0) == 0x80) code = code << 6 | (text[i++] & 0x3f);
  return code;
}

void AppendGlyph(const Glyph& glyph, double x, std::vector<std::vector<Point>>& strokes) {
  std::istringstream path(glyph.path);
  const auto read = [&] {
    Point p;
    path >> p.x >> p.y;
    return p;
  };
  const auto place = [&](Point p) { return Point{(x + p.x) / kUnitsPerEm, -p.y / kUnitsPerEm}; };
  Point pen;
  for (char step; path >> step;) {
    if (step == 'M') {
      pen = read();
      strokes.push_back({place(pen)});
    } else if (step == 'L') {
      pen = read();
      strokes.back().push_back(place(pen));
    } else {
      constexpr int kPieces = 6;
      const Point control = read(), end = read();
      for (int i = 1; i <= kPieces; ++i) {
        const double t = static_cast<double>(i) / kPieces, s = 1 - t;
        strokes.back().push_back(place({s * s * pen.x + 2 * s * t * control.x + t * t * end.x,
                                        s * s * pen.y + 2 * s * t * control.y + t * t * end.y}));
      }
      pen = end;
    }
  }
}

}  // namespace

StrokedText StrokeText(const std::string& text) {
  StrokedText out;
  double x = kSpacing / 2;
  for (size_t i = 0; i < text.size();) {
    const uint32_t code = NextCodePoint(text, i);
    if (code == ' ') {
      x += kSpace;
      continue;
    }
    const auto found = Glyphs().find(code);
    const Glyph& glyph = found == Glyphs().end() ? kMissing : found->second;
    AppendGlyph(glyph, x, out.strokes);
    x += glyph.width + kSpacing;
  }
  out.width = (x - kSpacing / 2) / kUnitsPerEm;
  return out;
}

double TextWidth(const std::string& text, double size) { return StrokeText(text).width * size; }

}  // namespace auricle::client
