// Reads values out of free English answers: quantities with units, directions, spans, class names, letters.
//
// Everything works on one tokenisation in a single pass; any bytes are accepted; case and white space do not matter.
#ifndef SIM_QUESTION_ANSWER_PARSER_H_
#define SIM_QUESTION_ANSWER_PARSER_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/question/class_words.h"

namespace auricle::sim {

enum class Unit { kNone, kDegrees, kMetres, kSeconds, kCubicMetres, kOClock };

struct AnswerToken {
  enum Kind { kWord, kNumber, kStop } kind = kWord;  // kStop: . , ; : ( ) ? !
  std::string word;                                  // lower case; for stops the sign
  double value = 0;
  bool negative_sign = false;  // a minus stood before the number
};

// Lower-cases, splits hyphened words, reads decimals and number words ("forty-five", "half"), folds units' symbols
// (the degree sign, superscript three).
std::vector<AnswerToken> TokeniseAnswer(std::string_view answer);

struct Quantity {
  double value = 0;  // in the base unit of `unit`: cm and feet become metres, ms seconds
  Unit unit = Unit::kNone;
  size_t at = 0;                 // token of the number
  size_t next = 0;               // first token after its unit
  bool range_with_next = false;  // "2 to 3 m": the first of two ends
};

// Numbers with their units; the first end of a range takes the unit of the second.
std::vector<Quantity> FindQuantities(std::span<const AnswerToken> tokens);

struct DirectionClaim {
  double degrees = 0;
  bool in_words = false;  // stands for a 45 degree sector
};

// Azimuths that the answer claims, (-180, 180], +90 left: from degrees with "left", "right", "behind", signs, clock
// hours, or else from words alone. Empty where nothing was found or the words contradict each other.
std::vector<DirectionClaim> FindAzimuths(std::span<const AnswerToken> tokens);

// Elevations claimed: "20 degrees up", "-20", "level", "above you" (30), "overhead" (90). Numbers that go with left or
// right do not count.
std::vector<DirectionClaim> FindElevations(std::span<const AnswerToken> tokens);

// Values in one unit; where none carries that unit, the numbers without unit.
std::vector<double> FindValues(std::span<const AnswerToken> tokens, Unit unit);

// Start and end, seconds. Open starts ("until 2 s", "from the beginning") are 0.
std::optional<std::pair<double, double>> FindSpan(std::span<const AnswerToken> tokens);

// Whole numbers; "none", "nothing", "no sounds" are 0.
std::vector<double> FindCounts(std::span<const AnswerToken> tokens);

// Names of the classes claimed, in order of appearance, each once; those after "no" or "not" are left out. `extra`:
// classes outside the vocabulary.
std::vector<std::string> FindClasses(std::span<const AnswerToken> tokens, std::span<const ClassWords> extra);

// +1 left, -1 right, 0 neither or both.
int FindSide(std::span<const AnswerToken> tokens);

// "no", "not", "none", "nothing", "absent", "cannot", ... anywhere.
bool HasNegation(std::span<const AnswerToken> tokens);

// Index of the option that a multiple-choice answer claims, by letter or by text. nullopt: none, or several
// (`several` set).
std::optional<int> FindOption(std::string_view answer, std::span<const std::string> options, bool* several);

}  // namespace auricle::sim

#endif  // SIM_QUESTION_ANSWER_PARSER_H_
