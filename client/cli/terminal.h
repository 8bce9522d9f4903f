// What a terminal can show: colours only where the stream is a terminal that wants them.
#pragma once

#include <cstdio>
#include <string>

namespace auricle::client {

// Colours of sources, in order of their row; the same hues as the drawn map (scene_picture.h).
inline constexpr int kSourceColours = 6;

class TerminalStyle {
 public:
  // Colour is on when `stream` is a terminal, NO_COLOR is unset or empty (no-color.org), TERM is not "dumb" and the
  // user did not say no.
  static TerminalStyle For(std::FILE* stream, bool no_color_flag);
  explicit TerminalStyle(bool colour) : colour_(colour) {}

  bool colour() const { return colour_; }
  std::string Bold(const std::string& text) const { return Wrap("1", text); }
  std::string Dim(const std::string& text) const { return Wrap("2", text); }
  std::string Good(const std::string& text) const { return Wrap("32", text); }
  std::string Bad(const std::string& text) const { return Wrap("31", text); }
  // In the colour of source number `index` (from 0).
  std::string InSourceColour(int index, const std::string& text) const;

 private:
  std::string Wrap(const std::string& code, const std::string& text) const;
  bool colour_;
};

// Columns of the terminal behind `stream`; 80 where it is none.
int TerminalColumns(std::FILE* stream);

// Columns that `text` takes: UTF-8 code points, escape sequences not counted (every sign used here is one column wide).
int DisplayWidth(const std::string& text);
// Padded with spaces on the right (left where `right_aligned`) to `columns`; too long a text is cut and ends in "…".
std::string Fit(const std::string& text, int columns, bool right_aligned = false);

}  // namespace auricle::client
