#include "sim/question/answer_parser.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <initializer_list>

#include "absl/strings/ascii.h"
#include "sim/question/heard.h"

namespace auricle::sim {
namespace {

using Tokens = std::span<const AnswerToken>;

bool IsOneOf(std::string_view word, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// "forty" -> 40; negative where the word is no number.
double NumberWord(std::string_view word) {
  struct Entry {
    std::string_view word;
    double value;
  };
  static constexpr Entry kEntries[] = {
      {"zero", 0},      {"one", 1},       {"two", 2},       {"three", 3},    {"four", 4},     {"five", 5},
      {"six", 6},       {"seven", 7},     {"eight", 8},     {"nine", 9},     {"ten", 10},     {"eleven", 11},
      {"twelve", 12},   {"thirteen", 13}, {"fourteen", 14}, {"fifteen", 15}, {"sixteen", 16}, {"seventeen", 17},
      {"eighteen", 18}, {"nineteen", 19}, {"twenty", 20},   {"thirty", 30},  {"forty", 40},   {"fifty", 50},
      {"sixty", 60},    {"seventy", 70},  {"eighty", 80},   {"ninety", 90}};
  for (const Entry& entry : kEntries) {
    if (entry.word == word) return entry.value;
  }
  return -1.0;
}

// Folds "forty five", "one hundred and twenty", "two point five", "one and a half", "half a metre".
std::vector<AnswerToken> FoldNumberWords(const std::vector<AnswerToken>& in) {
  std::vector<AnswerToken> out;
  out.reserve(in.size());
  const auto word_at = [&in](size_t i) -> std::string_view {
    return i < in.size() && in[i].kind == AnswerToken::kWord ? std::string_view(in[i].word) : std::string_view();
  };
  const auto push_number = [&out](double value) {
    AnswerToken token;
    token.kind = AnswerToken::kNumber;
    token.value = value;
    out.push_back(token);
  };
  for (size_t i = 0; i < in.size();) {
    const std::string_view word = word_at(i);
    const bool indefinite = IsOneOf(word, {"a", "an"});
    if (word == "half" || (indefinite && word_at(i + 1) == "half")) {  // "half a metre", "a half metre"
      i += indefinite ? 2 : 1;
      if (IsOneOf(word_at(i), {"a", "an"})) ++i;
      push_number(0.5);
      continue;
    }
    double value = word == "a" && word_at(i + 1) == "hundred" ? 1.0 : NumberWord(word);
    bool digits = false;
    if (value < 0 && in[i].kind == AnswerToken::kNumber) {
      value = in[i].value;
      digits = true;
    }
    if (value < 0 && !digits) {
      out.push_back(in[i++]);
      continue;
    }
    size_t next = i + 1;
    if (!digits) {
      if (value >= 20 && value < 100) {
        const double unit = NumberWord(word_at(next));
        if (unit >= 1 && unit <= 9) value += unit, ++next;
      }
      if (word_at(next) == "hundred") {
        value *= 100, ++next;
        size_t rest = word_at(next) == "and" ? next + 1 : next;
        double more = NumberWord(word_at(rest));
        if (more >= 1) {
          next = rest + 1;
          const double unit = NumberWord(word_at(next));
          if (more >= 20 && unit >= 1 && unit <= 9) more += unit, ++next;
          value += more;
        }
      }
      if (word_at(next) == "point") {
        const double tenth = NumberWord(word_at(next + 1));
        if (tenth >= 0 && tenth <= 9) value += tenth / 10.0, next += 2;
      }
    }
    if (word_at(next) == "and" && word_at(next + 1) == "a" && word_at(next + 2) == "half") value += 0.5, next += 3;
    push_number(value);
    out.back().negative_sign = in[i].negative_sign;
    i = next;
  }
  return out;
}

// Unit named by the tokens from `at`; `used` tokens belong to it.
Unit UnitAt(Tokens tokens, size_t at, size_t* used, double* factor) {
  *used = 1;
  *factor = 1.0;
  if (at >= tokens.size() || tokens[at].kind != AnswerToken::kWord) return Unit::kNone;
  const std::string_view word = tokens[at].word;
  const std::string_view following =
      at + 1 < tokens.size() && tokens[at + 1].kind == AnswerToken::kWord ? std::string_view(tokens[at + 1].word) : "";
  if (IsOneOf(word, {"deg", "degs", "degree", "degrees"})) return Unit::kDegrees;
  if (IsOneOf(word, {"m3", "cbm"})) return Unit::kCubicMetres;
  if (IsOneOf(word, {"cubic", "cu"})) {
    *used = 2;
    if (IsOneOf(following, {"m", "metre", "metres", "meter", "meters"})) return Unit::kCubicMetres;
    return Unit::kNone;
  }
  if (IsOneOf(word, {"m", "metre", "metres", "meter", "meters"})) {
    if (IsOneOf(following, {"cubed"})) {
      *used = 2;
      return Unit::kCubicMetres;
    }
    return Unit::kMetres;
  }
  if (IsOneOf(word, {"cm", "centimetre", "centimetres", "centimeter", "centimeters"})) {
    *factor = 0.01;
    return Unit::kMetres;
  }
  if (IsOneOf(word, {"ft", "foot", "feet"})) {
    *factor = 0.3048;
    return Unit::kMetres;
  }
  if (IsOneOf(word, {"s", "sec", "secs", "second", "seconds"})) return Unit::kSeconds;
  if (IsOneOf(word, {"ms", "msec", "millisecond", "milliseconds"})) {
    *factor = 0.001;
    return Unit::kSeconds;
  }
  if (IsOneOf(word, {"oclock"})) return Unit::kOClock;
  return Unit::kNone;
}

enum class Way { kNone, kLeft, kRight, kUp, kDown, kFront, kBack, kLevel, kAzimuth, kElevation };

// The direction that the word at `i` stands for. "right" before "behind" or "in front" is an adverb, "left" after
// "is" or "are" at the end of a clause still a direction.
Way WayOf(Tokens tokens, size_t i) {
  if (i >= tokens.size() || tokens[i].kind != AnswerToken::kWord) return Way::kNone;
  const std::string_view word = tokens[i].word;
  const auto next = [&](size_t k) {
    return i + k < tokens.size() && tokens[i + k].kind == AnswerToken::kWord ? std::string_view(tokens[i + k].word)
                                                                             : "";
  };
  if (IsOneOf(word, {"left", "leftward", "leftwards", "lefthand", "counterclockwise", "anticlockwise"}))
    return Way::kLeft;
  if (word == "right") {
    if (IsOneOf(next(1), {"behind", "ahead", "above", "below", "overhead", "here", "now"})) return Way::kNone;
    if (next(1) == "in" && next(2) == "front") return Way::kNone;
    return Way::kRight;
  }
  if (IsOneOf(word, {"rightward", "rightwards", "righthand", "clockwise"})) return Way::kRight;
  if (IsOneOf(word, {"up", "upward", "upwards", "above", "higher", "overhead"})) return Way::kUp;
  if (IsOneOf(word, {"down", "downward", "downwards", "below", "lower", "beneath", "under", "underneath"})) {
    return Way::kDown;
  }
  if (IsOneOf(word, {"front", "ahead", "forward", "forwards"})) return Way::kFront;
  if (IsOneOf(word, {"behind", "back", "rear", "backward", "backwards"})) return Way::kBack;
  if (IsOneOf(word, {"level", "horizontal", "horizon", "horizontally"})) return Way::kLevel;
  if (IsOneOf(word, {"azimuth", "bearing"})) return Way::kAzimuth;
  if (IsOneOf(word, {"elevation", "vertically", "vertical"})) return Way::kElevation;
  return Way::kNone;
}

bool IsVertical(Way way) { return way == Way::kUp || way == Way::kDown || way == Way::kElevation; }
bool IsSideways(Way way) { return way == Way::kLeft || way == Way::kRight || way == Way::kAzimuth; }

// A degree quantity and the word that says along which axis and to which side it is meant.
struct Angle {
  double degrees;
  bool negative;
  Way way;
};

// The nearest direction word after the number in its clause, up to the next number; else the nearest before.
std::vector<Angle> FindAngles(Tokens tokens) {
  const std::vector<Quantity> quantities = FindQuantities(tokens);
  bool any_degrees = false;
  bool any_unit = false;
  for (const Quantity& quantity : quantities) {
    any_degrees |= quantity.unit == Unit::kDegrees;
    any_unit |= quantity.unit != Unit::kNone;
  }
  const Unit wanted = any_degrees || any_unit ? Unit::kDegrees : Unit::kNone;
  std::vector<Angle> angles;
  size_t barrier = 0;  // words before it belong to an earlier number
  for (size_t q = 0; q < quantities.size(); ++q) {
    const Quantity& quantity = quantities[q];
    size_t following = q + 1 < quantities.size() ? quantities[q + 1].at : tokens.size();
    if (quantity.range_with_next && q + 1 < quantities.size()) {
      following = q + 2 < quantities.size() ? quantities[q + 2].at : tokens.size();
    }
    Way way = Way::kNone;
    size_t last = quantity.next;
    for (size_t i = quantity.next; i < following && way == Way::kNone; ++i) {
      if (tokens[i].kind == AnswerToken::kStop && tokens[i].word != "(") break;
      // "40 degrees left" but not "40 degrees and above left": an "and" starts the next thing.
      if (tokens[i].word == "and" && !quantity.range_with_next) break;
      const Way here = WayOf(tokens, i);
      if (IsVertical(here) || IsSideways(here)) way = here, last = i + 1;
    }
    if (way == Way::kNone) {
      for (size_t i = quantity.at; i > barrier && way == Way::kNone; --i) {
        if (tokens[i - 1].kind == AnswerToken::kStop && IsOneOf(tokens[i - 1].word, {".", ";"})) break;
        const Way here = WayOf(tokens, i - 1);
        if (IsVertical(here) || IsSideways(here)) way = here;
      }
    }
    if (!quantity.range_with_next) barrier = last;
    if (quantity.unit == wanted) angles.push_back({quantity.value, tokens[quantity.at].negative_sign, way});
  }
  return angles;
}

struct WayFlags {
  bool left = false, right = false, front = false, back = false, slightly = false;
};

WayFlags Ways(Tokens tokens) {
  WayFlags flags;
  for (size_t i = 0; i < tokens.size(); ++i) {
    switch (WayOf(tokens, i)) {
      case Way::kLeft:
        flags.left = true;
        break;
      case Way::kRight:
        flags.right = true;
        break;
      case Way::kFront:
        flags.front = true;
        break;
      case Way::kBack:
        flags.back = true;
        break;
      default:
        break;
    }
    flags.slightly |= IsOneOf(tokens[i].word, {"slightly", "somewhat", "bit", "little"});
  }
  return flags;
}

}  // namespace

std::vector<AnswerToken> TokeniseAnswer(std::string_view answer) {
  std::vector<AnswerToken> tokens;
  const auto push = [&tokens](AnswerToken::Kind kind, std::string word) {
    AnswerToken token;
    token.kind = kind;
    token.word = std::move(word);
    tokens.push_back(std::move(token));
  };
  for (size_t i = 0; i < answer.size();) {
    const unsigned char c = static_cast<unsigned char>(answer[i]);
    if (absl::ascii_isdigit(c) || (c == '.' && i + 1 < answer.size() && absl::ascii_isdigit(answer[i + 1]))) {
      size_t end = i;
      bool point = false;
      while (end < answer.size() &&
             (absl::ascii_isdigit(answer[end]) ||
              (!point && answer[end] == '.' && end + 1 < answer.size() && absl::ascii_isdigit(answer[end + 1])))) {
        point |= answer[end] == '.';
        ++end;
      }
      AnswerToken token;
      token.kind = AnswerToken::kNumber;
      token.value = std::strtod(std::string(answer.substr(i, std::min<size_t>(end - i, 32))).c_str(), nullptr);
      // A sign belongs to the number where nothing but a gap or a bracket stands before it.
      size_t before = i;
      const bool ascii_minus = before > 0 && answer[before - 1] == '-';
      const bool long_minus = before >= 3 && answer.substr(before - 3, 3) == "\xE2\x88\x92";
      if (ascii_minus || long_minus) {
        before -= ascii_minus ? 1 : 3;
        token.negative_sign = before == 0 || absl::ascii_isspace(answer[before - 1]) || answer[before - 1] == '(' ||
                              answer[before - 1] == '=' || answer[before - 1] == ':';
      }
      tokens.push_back(std::move(token));
      i = end;
    } else if (absl::ascii_isalpha(c)) {
      std::string word;
      while (i < answer.size() &&
             (absl::ascii_isalpha(answer[i]) || answer[i] == '\'' || answer.substr(i).starts_with("\xE2\x80\x99"))) {
        if (absl::ascii_isalpha(answer[i])) {
          word += absl::ascii_tolower(answer[i]);
          ++i;
        } else {
          i += answer[i] == '\'' ? 1 : 3;
        }
      }
      // m3, m^3 and m with the superscript.
      if (word == "m" && i < answer.size()) {
        if (answer[i] == '3' || answer.substr(i).starts_with("^3")) {
          word = "m3";
          i += answer[i] == '3' ? 1 : 2;
        } else if (answer.substr(i).starts_with("\xC2\xB3")) {
          word = "m3";
          i += 2;
        }
      }
      push(AnswerToken::kWord, std::move(word));
    } else if (answer.substr(i).starts_with("\xC2\xB0")) {
      push(AnswerToken::kWord, "deg");
      i += 2;
    } else {
      if (std::string_view(".,;:()?!").find(static_cast<char>(c)) != std::string_view::npos) {
        push(AnswerToken::kStop, std::string(1, static_cast<char>(c)));
      }
      ++i;
    }
  }
  return FoldNumberWords(tokens);
}

std::vector<Quantity> FindQuantities(Tokens tokens) {
  std::vector<Quantity> quantities;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].kind != AnswerToken::kNumber) continue;
    Quantity quantity;
    size_t used = 0;
    double factor = 1.0;
    quantity.unit = UnitAt(tokens, i + 1, &used, &factor);
    quantity.value = tokens[i].value * factor;
    quantity.at = i;
    quantity.next = i + 1 + (quantity.unit == Unit::kNone ? 0 : used);
    quantities.push_back(quantity);
  }
  for (size_t q = quantities.size(); q-- > 1;) {  // backwards, so that units travel along "1, 2 or 3 m"
    Quantity& first = quantities[q - 1];
    const Quantity& second = quantities[q];
    const size_t gap = second.at - first.next;
    const bool linked = gap == 0 || (gap == 1 && IsOneOf(tokens[first.next].word,
                                                         {"to", "and", "or", "through", "till", "until", ","}));
    if (!linked || (first.unit != Unit::kNone && first.unit != second.unit)) continue;
    first.range_with_next = true;
    if (first.unit == Unit::kNone && second.unit != Unit::kNone) {
      size_t used = 0;
      double factor = 1.0;
      UnitAt(tokens, second.at + 1, &used, &factor);
      first.unit = second.unit;
      first.value *= factor;
    }
  }
  return quantities;
}

std::vector<DirectionClaim> FindAzimuths(Tokens tokens) {
  std::vector<DirectionClaim> claims;
  const WayFlags flags = Ways(tokens);
  for (const Angle& angle : FindAngles(tokens)) {
    if (IsVertical(angle.way)) continue;
    double degrees = angle.degrees;
    if (angle.way == Way::kLeft || angle.way == Way::kRight) {
      // "behind you, 20 degrees to the left": counted from the back.
      if (flags.back && !flags.front && degrees < 90.0) degrees = 180.0 - degrees;
      if (angle.way == Way::kRight) degrees = -degrees;
    } else if (angle.negative) {
      degrees = -degrees;
    }
    if (std::abs(degrees) <= 360.0) claims.push_back({WrapDegrees(degrees), false});
  }
  for (const Quantity& quantity : FindQuantities(tokens)) {
    if (quantity.unit == Unit::kOClock) claims.push_back({WrapDegrees(-30.0 * quantity.value), false});
  }
  if (!claims.empty()) return claims;
  if ((flags.left && flags.right) || (flags.front && flags.back)) return {};
  if (!flags.left && !flags.right) {
    if (flags.front) return {{0.0, true}};
    if (flags.back) return {{180.0, true}};
    for (const AnswerToken& token : tokens) {
      if (token.word == "straight") return {{0.0, true}};
    }
    return {};
  }
  double degrees = 90.0;
  if (flags.back) degrees = flags.slightly ? 160.0 : 135.0;
  if (flags.front) degrees = flags.slightly ? 20.0 : 45.0;
  if (!flags.back && !flags.front && flags.slightly) degrees = 20.0;
  return {{flags.left ? degrees : -degrees, true}};
}

std::vector<DirectionClaim> FindElevations(Tokens tokens) {
  std::vector<DirectionClaim> claims;
  for (const Angle& angle : FindAngles(tokens)) {
    if (IsSideways(angle.way)) continue;
    const bool down = angle.way == Way::kDown || (angle.way != Way::kUp && angle.negative);
    claims.push_back({down ? -angle.degrees : angle.degrees, false});
  }
  if (!claims.empty()) return claims;
  bool up = false, down = false, level = false, straight = false;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Way way = WayOf(tokens, i);
    up |= way == Way::kUp;
    down |= way == Way::kDown;
    level |=
        way == Way::kLevel || (tokens[i].word == "same" && i + 1 < tokens.size() && tokens[i + 1].word == "height");
    straight |= IsOneOf(tokens[i].word, {"overhead", "directly", "straight"});
  }
  if (up == down) return level && !up ? std::vector<DirectionClaim>{{0.0, true}} : std::vector<DirectionClaim>{};
  const double degrees = straight ? 90.0 : 30.0;
  return {{up ? degrees : -degrees, true}};
}

std::vector<double> FindValues(Tokens tokens, Unit unit) {
  std::vector<double> values;
  std::vector<double> bare;
  for (const Quantity& quantity : FindQuantities(tokens)) {
    const double value = tokens[quantity.at].negative_sign ? -quantity.value : quantity.value;
    if (quantity.unit == unit) values.push_back(value);
    if (quantity.unit == Unit::kNone) bare.push_back(value);
  }
  return values.empty() ? bare : values;
}

std::optional<std::pair<double, double>> FindSpan(Tokens tokens) {
  const std::vector<double> values = FindValues(tokens, Unit::kSeconds);
  if (values.size() == 1) {
    for (const AnswerToken& token : tokens) {
      if (IsOneOf(token.word, {"until", "till", "beginning", "start"})) return std::pair{0.0, values[0]};
    }
  }
  if (values.size() < 2) return std::nullopt;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return std::pair{*low, *high};
}

std::vector<double> FindCounts(Tokens tokens) {
  std::vector<double> counts;
  for (const Quantity& quantity : FindQuantities(tokens)) {
    if (quantity.unit == Unit::kNone)
      counts.push_back(tokens[quantity.at].negative_sign ? -quantity.value : quantity.value);
  }
  if (!counts.empty()) return counts;
  for (const AnswerToken& token : tokens) {
    if (IsOneOf(token.word, {"none", "nothing", "no", "nobody"})) return {0.0};
    if (IsOneOf(token.word, {"single", "only"})) return {1.0};
  }
  return {};
}

int FindSide(Tokens tokens) {
  const WayFlags flags = Ways(tokens);
  return flags.left == flags.right ? 0 : flags.left ? 1 : -1;
}

bool HasNegation(Tokens tokens) {
  return std::any_of(tokens.begin(), tokens.end(), [](const AnswerToken& token) {
    return IsOneOf(token.word, {"no", "not", "none", "nothing", "absent", "cannot", "cant", "dont", "doesnt", "isnt",
                                "without", "neither", "never", "nope", "missing"});
  });
}

}  // namespace auricle::sim
