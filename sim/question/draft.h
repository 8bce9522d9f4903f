// A question on its way: what each generator of a task returns, and what it may draw on.
#ifndef SIM_QUESTION_DRAFT_H_
#define SIM_QUESTION_DRAFT_H_

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auricle/v1/question.pb.h"
#include "sim/question/heard.h"
#include "sim/question/option_drawing.h"
#include "sim/question/tasks.h"
#include "sim/scene/random.h"

namespace auricle::sim {

struct Draft {
  std::string text;
  v1::AnswerKey key;                 // reference and value; the letter is set when the options are ordered
  std::vector<std::string> options;  // multiple choice: four, the right one first; open: empty
};

struct Asking {
  bool multiple_choice = false;
  bool held_out_wordings = false;
  double absent_share = 0.0;
  // Uniform in [0, 1), the same for all attempts at one question: what thinning compares with.
  double lot = 0.0;
  Random& random;
  // Where the truths that were asked for are noted; none: nowhere.
  TruthLog* truths = nullptr;
};

// The last two wordings of every list are held out of training.
inline constexpr size_t kHeldOutWordings = 2;

using Filling = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// One of the wordings with its place-holders ("{A}") filled, first letter upper case.
std::string SayOneOf(const Asking& asking, std::span<const std::string_view> wordings, Filling filling);
template <size_t N>
std::string Say(const Asking& asking, const std::string_view (&wordings)[N], Filling filling = {}) {
  static_assert(N >= 8, "every question is put in eight ways or more");
  return SayOneOf(asking, wordings, filling);
}

// One question of this task, or nothing where the scene does not allow it. Defined in atomic.cc, relational.cc and
// cognitive.cc, which state for each task what must hold.
using Generator = std::optional<Draft> (*)(const HeardScene&, const Asking&);
Generator GeneratorOf(Task task);

// --- shared by the generators ---

// The option and answer for a sound that is not there.
inline constexpr std::string_view kNoSuchSound = "no such sound";
// Replaces one wrong option by kNoSuchSound, so often that it is right as often as any other option when it is shown.
void OfferNoSuchSound(const Asking& asking, std::vector<std::string>& options);
// The key of a question about a sound that is not there.
v1::AnswerKey AbsentKey(const ClassWords& words);

// Where one source is and no other: "the left", "40 degrees left". Nothing where another source of the truth, audible
// or not, is within 30 degrees (40 for words).
std::optional<std::string> OwnPlace(const HeardScene& heard, const HeardSource& source, Random& random);

// Share of open questions about one value or two that are put as yes or no, where the task has such a form.
inline constexpr double kYesOrNoShare = 0.3;
// Yes or no as the right answer of an open question.
void AnswerYesOrNo(bool yes, Draft& draft);

// Azimuth as the right answer: in degrees, or in words where it lies within 15 degrees of a sector's centre. Fills key
// and, for multiple choice, options. `in_words` is set for the caller's choice of wording. False where impossible.
bool AnswerWithAzimuth(const Asking& asking, double azimuth_deg, const std::vector<double>& swaps, Draft& draft);

// So far off the axes that its mirror images left-right and front-back are 50 degrees apart or more.
bool HasMirrorImages(double azimuth_deg);
// The same where the truth is likelier to lie along one axis than along the other, as after a walk: the options are its
// mirror images left-right and front-back, which are equally likely. False where it has none.
bool AnswerAmongMirrorImages(const Asking& asking, double azimuth_deg, Draft& draft);

// Which distribution an onset of this scene, or the gap between two, belongs to.
NumberKind OnsetKind(const HeardScene& heard);
NumberKind OnsetGapKind(const HeardScene& heard);

// A random element's pointer, nullptr for an empty list.
template <typename T>
const T* Pick(const std::vector<const T*>& items, Random& random) {
  return items.empty() ? nullptr : items[random.Index(items.size())];
}

// --- generators ---
std::optional<Draft> AskDetectSources(const HeardScene&, const Asking&);
std::optional<Draft> AskCountSources(const HeardScene&, const Asking&);
std::optional<Draft> AskDetectTime(const HeardScene&, const Asking&);
std::optional<Draft> AskAzimuth(const HeardScene&, const Asking&);
std::optional<Draft> AskElevation(const HeardScene&, const Asking&);
std::optional<Draft> AskDistance(const HeardScene&, const Asking&);
std::optional<Draft> AskReverberation(const HeardScene&, const Asking&);
std::optional<Draft> AskRoomSize(const HeardScene&, const Asking&);
std::optional<Draft> AskMotion(const HeardScene&, const Asking&);

std::optional<Draft> AskWhatIsThere(const HeardScene&, const Asking&);
std::optional<Draft> AskWhatIsThereAtDistance(const HeardScene&, const Asking&);
std::optional<Draft> AskBinding(const HeardScene&, const Asking&);
std::optional<Draft> AskLeftRight(const HeardScene&, const Asking&);
std::optional<Draft> AskDirectionBetween(const HeardScene&, const Asking&);
std::optional<Draft> AskWhichHigher(const HeardScene&, const Asking&);
std::optional<Draft> AskWhichCloser(const HeardScene&, const Asking&);
std::optional<Draft> AskWhichFirst(const HeardScene&, const Asking&);
std::optional<Draft> AskOnsetFromLocation(const HeardScene&, const Asking&);
std::optional<Draft> AskSeparation(const HeardScene&, const Asking&);

std::optional<Draft> AskAfterTurn(const HeardScene&, const Asking&);
std::optional<Draft> AskAfterWalk(const HeardScene&, const Asking&);
std::optional<Draft> AskAfterRemoval(const HeardScene&, const Asking&);
std::optional<Draft> AskCompound(const HeardScene&, const Asking&);
std::optional<Draft> AskMultiHop(const HeardScene&, const Asking&);
std::optional<Draft> AskAbduction(const HeardScene&, const Asking&);
std::optional<Draft> AskMotionPrediction(const HeardScene&, const Asking&);

}  // namespace auricle::sim

#endif  // SIM_QUESTION_DRAFT_H_
