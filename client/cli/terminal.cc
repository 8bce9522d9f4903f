#include "client/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace auricle::client {
namespace {

// Bytes of the sign that starts at `i`: an escape sequence (columns 0) or a UTF-8 code point (columns 1).
size_t SignBytes(const std::string& text, size_t i, int& columns) {
  if (text[i] == '\x1b') {
    const size_t end = text.find('m', i);
    columns = 0;
    return end == std::string::npos ? text.size() - i : end + 1 - i;
  }
  columns = 1;
  size_t bytes = 1;
  while (i + bytes < text.size() && (static_cast<unsigned char>(text[i + bytes]) & 0xc0) == 0x80) ++bytes;
  return bytes;
}

}  // namespace

TerminalStyle TerminalStyle::For(std::FILE* stream, bool no_color_flag) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool unwanted = no_color_flag || (no_color != nullptr && *no_color != '\0');
  const bool capable = isatty(fileno(stream)) != 0 && term != nullptr && std::string(term) != "dumb";
  return TerminalStyle(capable && !unwanted);
}

std::string TerminalStyle::InSourceColour(int index, const std::string& text) const {
  // 256-colour palette: blue, orange, green, magenta, teal, red; readable on black and on white.
  static constexpr const char* kCodes[kSourceColours] = {"1;38;5;33",  "1;38;5;172", "1;38;5;34",
                                                         "1;38;5;133", "1;38;5;37",  "1;38;5;160"};
  return Wrap(kCodes[index % kSourceColours], text);
}

std::string TerminalStyle::Wrap(const std::string& code, const std::string& text) const {
  return colour_ ? absl::StrCat("\x1b[", code, "m", text, "\x1b[0m") : std::string(text);
}

int TerminalColumns(std::FILE* stream) {
  winsize size{};
  if (isatty(fileno(stream)) != 0 && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  return 80;
}

int DisplayWidth(const std::string& text) {
  int width = 0, columns = 0;
  for (size_t i = 0; i < text.size(); i += SignBytes(text, i, columns), width += columns) {
  }
  return width;
}

std::string Fit(const std::string& text, int columns, bool right_aligned) {
  const int width = DisplayWidth(text);
  if (width <= columns) {
    const std::string pad(columns - width, ' ');
    return right_aligned ? absl::StrCat(pad, text) : absl::StrCat(text, pad);
  }
  std::string cut;
  int used = 0, sign_columns = 0;
  for (size_t i = 0; i < text.size() && used < columns - 1; used += sign_columns) {
    const size_t bytes = SignBytes(text, i, sign_columns);
    cut.append(text, i, bytes);
    i += bytes;
  }
  return cut + "…";
}

}  // namespace auricle::client
