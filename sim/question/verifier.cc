#include "sim/question/verifier.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sim/question/answer_parser.h"
#include "sim/question/class_words.h"
#include "sim/question/heard.h"

namespace auricle::sim {
namespace {

using Tokens = std::span<const AnswerToken>;

// The 45 degree sector of a direction in words, half of it.
constexpr double kSectorHalfWidthDeg = 22.5;
// What a wrong answer can still earn, at the edge of the tolerance; it falls to 0 at three tolerances.
constexpr double kMostForNear = 0.5;

v1::Verdict Unread(const std::string& what) {
  v1::Verdict verdict;
  verdict.set_explanation(absl::StrCat("no ", what, " found in the answer"));
  return verdict;
}

// Judges an error against its tolerance.
v1::Verdict Graded(double error, double tolerance, std::string explanation) {
  v1::Verdict verdict;
  verdict.set_parsed(true);
  verdict.set_correct(error <= tolerance + 1e-9);
  const double excess = tolerance > 0 ? (error - tolerance) / (2.0 * tolerance) : 1.0;
  verdict.set_reward(verdict.correct() ? 1.0 : kMostForNear * std::clamp(1.0 - excess, 0.0, 1.0));
  verdict.set_explanation(std::move(explanation));
  return verdict;
}

v1::Verdict Exact(bool correct, std::string explanation) {
  v1::Verdict verdict;
  verdict.set_parsed(true);
  verdict.set_correct(correct);
  verdict.set_reward(correct ? 1.0 : 0.0);
  verdict.set_explanation(std::move(explanation));
  return verdict;
}

// The claim that is furthest off: every claimed value must hold.
v1::Verdict JudgeDirections(const std::vector<DirectionClaim>& claims, double truth, bool azimuth) {
  const std::string_view name = azimuth ? "azimuth" : "elevation";
  if (claims.empty()) return Unread(std::string(name));
  const double numeric_tolerance = azimuth ? kAzimuthToleranceDeg : kElevationToleranceDeg;
  v1::Verdict worst;
  double worst_ratio = -1.0;
  for (const DirectionClaim& claim : claims) {
    const double error =
        azimuth ? AzimuthDistance(claim.degrees, truth) : std::abs(std::clamp(claim.degrees, -360.0, 360.0) - truth);
    const double tolerance = azimuth && claim.in_words ? kSectorHalfWidthDeg : numeric_tolerance;
    if (error / tolerance <= worst_ratio) continue;
    worst_ratio = error / tolerance;
    worst = Graded(
        error, tolerance,
        absl::StrFormat("%s %.0f deg, truth %.0f deg, tolerance %.1f deg", name, claim.degrees, truth, tolerance));
  }
  return worst;
}

v1::Verdict JudgeValues(const std::vector<double>& values, double truth, double tolerance, std::string_view name,
                        std::string_view unit) {
  if (values.empty()) return Unread(std::string(name));
  const double worst = *std::max_element(
      values.begin(), values.end(), [truth](double a, double b) { return std::abs(a - truth) < std::abs(b - truth); });
  return Graded(
      std::abs(worst - truth), tolerance,
      absl::StrFormat("%s %.4g %s, truth %.4g %s, tolerance %.2g %s", name, worst, unit, truth, unit, tolerance, unit));
}

v1::Verdict JudgeVolume(const std::vector<double>& values, double truth) {
  if (values.empty() || !(truth > 0)) return Unread("volume");
  double worst = 0;
  double shown = values[0];
  for (double value : values) {
    const double off = value > 0 ? std::abs(std::log(value / truth)) : 50.0;
    if (off >= worst) worst = off, shown = value;
  }
  return Graded(worst, std::log(kVolumeToleranceFactor),
                absl::StrFormat("volume %.4g m3, truth %.4g m3, tolerance a factor of 1.5", shown, truth));
}

v1::Verdict JudgeSpan(const std::optional<std::pair<double, double>>& span, const v1::TimeSpanKey& truth) {
  if (!span) return Unread("time span");
  const double both = std::min(span->second, truth.end_seconds()) - std::max(span->first, truth.start_seconds());
  const double either = std::max(span->second, truth.end_seconds()) - std::min(span->first, truth.start_seconds());
  const double iou = both > 0 && either > 0 ? both / either : 0.0;
  v1::Verdict verdict;
  verdict.set_parsed(true);
  verdict.set_correct(iou >= kSpanIou);
  verdict.set_reward(verdict.correct() ? 1.0 : kMostForNear * iou / kSpanIou);
  verdict.set_explanation(absl::StrFormat("span %.1f-%.1f s, truth %.1f-%.1f s, intersection over union %.2f of %.2f",
                                          span->first, span->second, truth.start_seconds(), truth.end_seconds(), iou,
                                          kSpanIou));
  return verdict;
}

// Words for classes of the key that the vocabulary lacks.
std::vector<ClassWords> ExtraWords(const std::vector<std::string>& class_names) {
  std::vector<ClassWords> extra;
  for (const std::string& name : class_names) {
    if (FindClassWords(name) == nullptr) extra.push_back(DeriveClassWords(name, ""));
  }
  return extra;
}

// "the dog is closer than the bell" claims the dog: what a comparison is made with does not count.
Tokens BeforeComparison(Tokens tokens) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    for (std::string_view word : {"than", "compared", "rather", "instead", "while", "whereas", "not", "but"}) {
      if (tokens[i].word == word) return tokens.subspan(0, i);
    }
  }
  return tokens;
}

v1::Verdict JudgeClasses(Tokens tokens, const std::vector<std::string>& truth) {
  const std::vector<ClassWords> extra = ExtraWords(truth);
  std::vector<std::string> claimed = FindClasses(tokens, extra);
  if (truth.size() == 1 && claimed.size() > 1) {
    const std::vector<std::string> shorter = FindClasses(BeforeComparison(tokens), extra);
    if (!shorter.empty()) claimed = shorter;
  }
  if (claimed.empty()) return Unread("sound of the vocabulary");
  size_t right = 0;
  for (const std::string& name : claimed) right += std::count(truth.begin(), truth.end(), name);
  const size_t either = claimed.size() + truth.size() - right;
  v1::Verdict verdict;
  verdict.set_parsed(true);
  verdict.set_correct(right == truth.size() && either == right);
  // Naming several where one is asked for is hedging: nothing for it.
  const double overlap = static_cast<double>(right) / static_cast<double>(either);
  verdict.set_reward(verdict.correct() ? 1.0 : truth.size() == 1 ? 0.0 : kMostForNear * overlap);
  verdict.set_explanation(
      absl::StrCat("sounds ", absl::StrJoin(claimed, ", "), "; truth ", absl::StrJoin(truth, ", ")));
  return verdict;
}

bool Any(Tokens tokens, std::initializer_list<std::string_view> words) {
  return std::any_of(tokens.begin(), tokens.end(), [&words](const AnswerToken& token) {
    return std::find(words.begin(), words.end(), token.word) != words.end();
  });
}

// One word stands for each of the allowed values that the generators use; anything else is found by its own words.
bool Claims(Tokens tokens, std::string_view value) {
  if (value == "yes") return Any(tokens, {"yes", "yeah", "yep", "true", "correct", "indeed"});
  if (value == "no") return Any(tokens, {"no", "nope", "not", "false", "dont", "isnt", "cannot", "cant"});
  if (value == "absent") return HasNegation(tokens);
  if (value == "present") return !HasNegation(tokens);
  if (value == "left") return FindSide(tokens) > 0;
  if (value == "right") return FindSide(tokens) < 0;
  if (value == "outdoors") return Any(tokens, {"outdoors", "outdoor", "outside", "open", "field"});
  if (value == "open air") return Any(tokens, {"outdoors", "outdoor", "outside", "open", "field", "infinite"});
  if (value == "a dry room") return Any(tokens, {"dry", "dead", "damped"});
  if (value == "an echoing room") {
    return Any(tokens, {"echoing", "echoey", "echo", "reverberant", "reverberating", "reverb"});
  }
  if (value == "to the left") return FindSide(tokens) > 0;
  if (value == "to the right") return FindSide(tokens) < 0;
  if (value == "closer") return Any(tokens, {"closer", "nearer", "approaching", "approaches", "towards", "toward"});
  if (value == "away") return Any(tokens, {"away", "receding", "recedes", "farther", "further"});
  if (value == "room") return !FindValues(tokens, Unit::kCubicMetres).empty() || Any(tokens, {"room", "hall"});
  // All words of the value in their order.
  const std::vector<AnswerToken> words = TokeniseAnswer(value);
  size_t next = 0;
  size_t needed = 0;
  std::vector<std::string_view> wanted;
  for (const AnswerToken& word : words) {
    if (word.kind == AnswerToken::kWord) wanted.push_back(word.word);
  }
  needed = wanted.size();
  for (const AnswerToken& token : tokens) {
    if (next < needed && token.word == wanted[next]) ++next;
  }
  return needed > 0 && next == needed;
}

v1::Verdict JudgeChoice(Tokens tokens, const v1::Choice& truth) {
  std::vector<std::string> claimed;
  for (const std::string& value : truth.allowed()) {
    if (Claims(tokens, value)) claimed.push_back(value);
  }
  // "No, it is in open air": the open air decides; "yes, there is no doubt": the first word decides.
  if (claimed.size() > 1 && !tokens.empty()) {
    for (const std::string& value : {std::string("yes"), std::string("no")}) {
      if (tokens[0].word == value && std::count(claimed.begin(), claimed.end(), value) == 1 &&
          !(value == "no" && Any(tokens, {"yes"})) && !(value == "yes" && Any(tokens, {"no", "nope"}))) {
        claimed = {value};
      }
    }
  }
  if (claimed.empty() || tokens.empty()) return Unread("choice");
  if (claimed.size() > 1) {
    return Exact(false, absl::StrCat("claims ", absl::StrJoin(claimed, " and "), "; truth ", truth.value()));
  }
  return Exact(claimed[0] == truth.value(), absl::StrCat(claimed[0], "; truth ", truth.value()));
}

double DistanceTolerance(double truth) { return std::max(kDistanceToleranceM, kDistanceToleranceFraction * truth); }

// All parts must hold; a wrong whole earns half of its parts' mean.
v1::Verdict JudgeBinding(Tokens tokens, const v1::Binding& truth) {
  std::vector<v1::Verdict> parts;
  if (!truth.class_name().empty()) parts.push_back(JudgeClasses(tokens, {truth.class_name()}));
  if (truth.has_azimuth_deg()) parts.push_back(JudgeDirections(FindAzimuths(tokens), truth.azimuth_deg(), true));
  if (truth.has_elevation_deg()) parts.push_back(JudgeDirections(FindElevations(tokens), truth.elevation_deg(), false));
  if (truth.has_distance_m()) {
    parts.push_back(JudgeValues(FindValues(tokens, Unit::kMetres), truth.distance_m(),
                                DistanceTolerance(truth.distance_m()), "distance", "m"));
  }
  v1::Verdict verdict;
  if (parts.empty()) return Unread("binding in the key");
  bool correct = true;
  double sum = 0;
  for (const v1::Verdict& part : parts) {
    verdict.set_parsed(verdict.parsed() || part.parsed());
    correct &= part.correct();
    sum += part.reward();
    verdict.set_explanation(
        absl::StrCat(verdict.explanation(), verdict.explanation().empty() ? "" : "; ", part.explanation()));
  }
  verdict.set_correct(correct);
  verdict.set_reward(correct ? 1.0 : kMostForNear * sum / static_cast<double>(parts.size()));
  return verdict;
}

v1::Verdict JudgeLetter(const v1::Question& question, std::string_view answer) {
  const std::vector<std::string> options(question.options().begin(), question.options().end());
  if (options.empty() || question.key().letter().size() != 1)
    return Unread("option in the question or letter in its key");
  bool several = false;
  const std::optional<int> claimed = FindOption(answer, options, &several);
  if (several) return Exact(false, "claims several options");
  if (!claimed) return Unread("letter or option");
  const char letter = static_cast<char>('A' + *claimed);
  return Exact(letter == question.key().letter()[0],
               absl::StrCat("option ", std::string(1, letter), ", truth ", question.key().letter()));
}

v1::Verdict JudgeOpen(const v1::Question& question, std::string_view answer) {
  const std::vector<AnswerToken> tokens = TokeniseAnswer(answer);
  const v1::AnswerKey& key = question.key();
  switch (key.value_case()) {
    case v1::AnswerKey::kAzimuthDeg:
      return JudgeDirections(FindAzimuths(tokens), key.azimuth_deg(), true);
    case v1::AnswerKey::kElevationDeg:
      return JudgeDirections(FindElevations(tokens), key.elevation_deg(), false);
    case v1::AnswerKey::kDistanceM:
      return JudgeValues(FindValues(tokens, Unit::kMetres), key.distance_m(), DistanceTolerance(key.distance_m()),
                         "distance", "m");
    case v1::AnswerKey::kSeconds: {
      const double tolerance = IsReverberationTask(question.task())
                                   ? std::max(kReverberationToleranceS, kReverberationToleranceFraction * key.seconds())
                                   : kOnsetToleranceS;
      return JudgeValues(FindValues(tokens, Unit::kSeconds), key.seconds(), tolerance, "time", "s");
    }
    case v1::AnswerKey::kSpan:
      return JudgeSpan(FindSpan(tokens), key.span());
    case v1::AnswerKey::kCount:
      return JudgeValues(FindCounts(tokens), static_cast<double>(key.count()), 0.0, "count", "sounds");
    case v1::AnswerKey::kClasses:
      return JudgeClasses(tokens, {key.classes().class_names().begin(), key.classes().class_names().end()});
    case v1::AnswerKey::kChoice:
      return JudgeChoice(tokens, key.choice());
    case v1::AnswerKey::kAngleDeg:
      return JudgeValues(FindValues(tokens, Unit::kDegrees), key.angle_deg(), kAngleToleranceDeg, "angle", "deg");
    case v1::AnswerKey::kBinding:
      return JudgeBinding(tokens, key.binding());
    case v1::AnswerKey::kVolumeM3:
      return JudgeVolume(FindValues(tokens, Unit::kCubicMetres), key.volume_m3());
    case v1::AnswerKey::VALUE_NOT_SET:
      break;
  }
  return Unread("value in the question's key");
}

}  // namespace

bool IsReverberationTask(std::string_view task) { return task == "estimate_reverberation"; }

v1::Verdict Verify(const v1::Question& question, std::string_view answer) {
  answer = answer.substr(0, kMaxAnswerBytes);
  return question.form() == v1::QUESTION_FORM_MULTIPLE_CHOICE ? JudgeLetter(question, answer)
                                                              : JudgeOpen(question, answer);
}

}  // namespace auricle::sim
