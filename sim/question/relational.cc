// L2: attributes bound to one source, or two sources compared.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "sim/question/draft.h"
#include "sim/question/option_drawing.h"
#include "sim/question/phrases.h"

namespace auricle::sim {
namespace {

struct Pair {
  const HeardSource* a;
  const HeardSource* b;
};

// Two named, resting sources in random order.
std::optional<Pair> PickPair(const HeardScene& heard, Random& random) {
  std::vector<const HeardSource*> named = heard.Nameable();
  if (named.size() < 2) return std::nullopt;
  random.Shuffle(named);
  return Pair{named[0], named[1]};
}

// At least 20 degrees from front and back: clearly on one side.
bool OnOneSide(const HeardSource& source) {
  return std::abs(source.azimuth_deg) >= 20.0 && std::abs(source.azimuth_deg) <= 160.0 &&
         std::abs(source.elevation_deg) < 60.0;
}

bool DistancesApart(double a, double b, double factor) { return std::max(a, b) >= factor * std::min(a, b); }

// +1 where a is left of b, -1 right, 0 unclear: azimuths 20-160 degrees apart, neither near the back, and the side
// they appear on agrees with the way one would turn.
int LeftOf(const HeardSource& a, const HeardSource& b) {
  const double turn = WrapDegrees(a.azimuth_deg - b.azimuth_deg);
  const double lateral = std::sin(a.azimuth_deg * M_PI / 180.0) - std::sin(b.azimuth_deg * M_PI / 180.0);
  if (std::abs(turn) < 20.0 || std::abs(turn) > 160.0 || std::abs(lateral) < 0.2 || turn * lateral < 0) return 0;
  if (std::abs(a.azimuth_deg) > 140.0 || std::abs(b.azimuth_deg) > 140.0) return 0;
  return turn > 0 ? 1 : -1;
}

// "the dog, by 1 m" with the truth's sign and size, each also wrong: 2 x 2. The other size is drawn as true ones are,
// so that neither is the likelier. Empty where the two are too close.
std::vector<std::string> SignAndSize(const std::string& winner, const std::string& loser, double size, NumberKind kind,
                                     std::string (*phrase)(double), const Asking& asking) {
  if (asking.truths != nullptr) (*asking.truths)[kind].push_back(size);
  Random random = Random(std::bit_cast<uint64_t>(asking.lot)).Fork("size");
  const double other = DrawFromPrior(kind, random);
  if (!FarApart(kind, size, other)) return {};
  return {absl::StrCat(winner, ", by ", phrase(size)), absl::StrCat(loser, ", by ", phrase(size)),
          absl::StrCat(winner, ", by ", phrase(other)), absl::StrCat(loser, ", by ", phrase(other))};
}

// Share of open comparisons that ask among all sounds and not between two.
constexpr double kAmongAllShare = 0.25;

// The source of whom `value` is smallest where it stands off from all others: where the scene is audible in full, all
// are named, and `apart` says so of it and the next.
template <typename Value, typename Apart>
const HeardSource* Extreme(const HeardScene& heard, Value value, Apart apart) {
  if (!heard.complete || heard.sources.size() < 2 || heard.Nameable().size() != heard.sources.size()) return nullptr;
  std::vector<const HeardSource*> order = heard.Nameable();
  std::sort(order.begin(), order.end(),
            [&value](const HeardSource* a, const HeardSource* b) { return value(*a) < value(*b); });
  return apart(value(*order[0]), value(*order[1])) ? order[0] : nullptr;
}

void AnswerWithClass(const ClassWords& words, Draft& draft) {
  draft.key.mutable_classes()->add_class_names(words.name);
  draft.key.set_reference(Sentence(words.the_noun));
}

// Needs: a scene audible in full, all named, each clearly within the named quarter turn to either side or clearly out.
std::optional<Draft> AskWhatIsOnASide(const HeardScene& heard, const Asking& asking) {
  const std::vector<const HeardSource*> named = heard.Nameable();
  if (!heard.complete || named.size() != heard.sources.size()) return std::nullopt;
  struct Side {
    std::string_view words;
    double centre;
  };
  constexpr Side kSides[] = {{"in front of you", 0}, {"on your left", 90}, {"behind you", 180}, {"on your right", -90}};
  const Side& side = kSides[asking.random.Index(4)];
  Draft draft;
  std::vector<std::string> nouns;
  for (const HeardSource* source : named) {
    const double off = AzimuthDistance(source->azimuth_deg, side.centre);
    if ((off > 60.0 && off < 120.0) || std::abs(source->elevation_deg) > 60.0) return std::nullopt;
    if (off >= 120.0) continue;
    nouns.push_back(source->words.a_noun);
    draft.key.mutable_classes()->add_class_names(source->words.name);
  }
  if (nouns.empty()) return std::nullopt;
  draft.key.set_reference(Sentence(JoinNouns(nouns)));
  draft.text =
      Say(asking,
          {"What is {S}?", "What do you hear {S}?", "Which sounds are {S}?", "What sounds {S}?", "Tell me what is {S}.",
           "Name what you hear {S}.", "Which sources are {S}?", "{S}: what is there?", "What is there {S}?",
           "What can you hear {S}?", "Is there anything {S}, and what?", "What all is {S}?", "Which things sound {S}?"},
          {{"{S}", side.words}});
  return draft;
}

}  // namespace

// Needs: two audible sources or more; one that is alone in its direction.
std::optional<Draft> AskWhatIsThere(const HeardScene& heard, const Asking& asking) {
  if (!asking.multiple_choice && asking.random.Chance(kAmongAllShare)) return AskWhatIsOnASide(heard, asking);
  const HeardSource* source = Pick(heard.Nameable(), asking.random);
  if (source == nullptr || heard.sources.size() < 2) return std::nullopt;
  const std::optional<std::string> place = OwnPlace(heard, *source, asking.random);
  if (!place) return std::nullopt;
  Draft draft;
  draft.text = Say(asking,
                   {"What do you hear from {D}?",
                    "What is the sound from {D}?",
                    "From {D}, what do you hear?",
                    "What is it that sounds from {D}?",
                    "What is to be heard from {D}?",
                    "What can you hear at {D}?",
                    "Which thing makes the sound from {D}?",
                    "Tell me what is at {D}.",
                    "What is sounding at {D}?",
                    "Which of the sounds is at {D}?",
                    "There is a sound from {D}: what is it?",
                    "Which sound comes from {D}?",
                    "What sounds from {D}?",
                    "What is the source at {D}?",
                    "Name the sound from {D}.",
                    "Which source is at {D}?",
                    "What is at {D}?",
                    "Which sound do you hear from {D}?",
                    "What comes from {D}?",
                    "Say what sounds from {D}.",
                    "Identify the sound from {D}.",
                    "What is the sound that comes from {D}?",
                    "If you face {D}, what is it that you hear?",
                    "What makes a sound at {D}?",
                    "What makes the sound that reaches you from {D}?",
                    "Turn to {D}: what is it?"},
                   {{"{D}", *place}});
  draft.key.mutable_classes()->add_class_names(source->words.name);
  draft.key.set_reference(Sentence(source->words.a_noun));
  if (asking.multiple_choice) draft.options = DrawNouns(heard, *source, asking.random);
  return draft;
}

// Needs: two audible sources or more. On the named side every other source differs in distance by a factor of 1.8, or
// it is clearly on another side.
std::optional<Draft> AskWhatIsThereAtDistance(const HeardScene& heard, const Asking& asking) {
  Random& random = asking.random;
  const HeardSource* source = Pick(heard.Nameable(), random);
  if (source == nullptr || heard.sources.size() < 2 || !heard.complete) return std::nullopt;
  struct Side {
    std::string_view words;
    double centre;
  };
  constexpr Side kSides[] = {{"in front of you", 0}, {"on your left", 90}, {"behind you", 180}, {"on your right", -90}};
  std::vector<const Side*> sides;
  for (const Side& side : kSides) {
    if (AzimuthDistance(source->azimuth_deg, side.centre) <= 60.0) sides.push_back(&side);
  }
  const Side* side = Pick(sides, random);
  for (const HeardSource& other : heard.sources) {
    if (&other == source) continue;
    const bool elsewhere = AzimuthDistance(other.azimuth_deg, side->centre) >= 110.0;
    if (!elsewhere && !DistancesApart(other.distance_m, source->distance_m, 1.8)) return std::nullopt;
  }
  Draft draft;
  draft.text =
      Say(asking,
          {"What is {S}, about {M} away?", "Something is {M} away {S}: what is it?",
           "What do you hear {M} from you, {S}?", "Which sound is {S}, {M} from you?", "At {M}, {S}: what is it?",
           "What is the source {S} at {M}?", "Tell me what is {S}, about {M} away.", "What sound is {M} off {S}?",
           "Which sound is {M} away {S}?", "What sounds {S} at {M}?", "Name the source {S}, {M} from you.",
           "What do you hear {S}, {M} away?", "What do you hear {S} at {M}?", "{S}, {M} away: what is there?",
           "Identify the sound {S}, {M} away.", "Which source is {S}, about {M} away?",
           "Say what is {S}, {M} from you.", "Which source is {S} at a distance of {M}?", "{S}, {M} off: what is it?"},
          {{"{S}", side->words}, {"{M}", MetresPhrase(source->distance_m)}});
  draft.key.mutable_classes()->add_class_names(source->words.name);
  draft.key.set_reference(Sentence(source->words.a_noun));
  if (asking.multiple_choice) draft.options = DrawNouns(heard, *source, random);
  return draft;
}

// Needs: a source that is alone in its direction and, for multiple choice, a second one whose distance differs by a
// factor of 1.8; options pair both names with both distances.
std::optional<Draft> AskBinding(const HeardScene& heard, const Asking& asking) {
  Random& random = asking.random;
  std::vector<const HeardSource*> named = heard.Nameable();
  random.Shuffle(named);
  if (named.empty()) return std::nullopt;
  const HeardSource& source = *named[0];
  Draft draft;
  v1::Binding& binding = *draft.key.mutable_binding();
  const auto phrase = [](const std::string& noun, double metres) {
    return absl::StrCat(noun, ", ", MetresPhrase(metres));
  };
  if (!asking.multiple_choice && random.Chance(0.5)) {  // the name is given: where and how far
    draft.text = Say(asking,
                     {"Where and how far away is {A}?",
                      "In what direction is {A}, and how far?",
                      "How far is {A}, and which way?",
                      "Give the direction and the distance of {A}.",
                      "Which direction and how many metres: {A}?",
                      "What are the direction and distance of {A}?",
                      "Tell me where {A} is and how far away.",
                      "{A}: where, and how far?",
                      "In which direction and at what distance is {A}?",
                      "Where is {A}, and how far?",
                      "Give direction and distance of {A}.",
                      "Locate {A}.",
                      "Where is {A} and how far away?",
                      "Which way and how far is {A}?",
                      "Say where {A} is and how far.",
                      "Tell me the direction and distance of {A}.",
                      "How far and in which direction is {A}?",
                      "Exactly where is {A}?",
                      "State the direction and the distance of {A}.",
                      "Where exactly is {A}?"},
                     {{"{A}", source.words.the_noun}});
    binding.set_azimuth_deg(source.azimuth_deg);
    binding.set_distance_m(source.distance_m);
    if (std::abs(source.elevation_deg) > 60.0) return std::nullopt;
    draft.key.set_reference(Sentence(phrase(AzimuthPhrase(source.azimuth_deg), source.distance_m)));
    return draft;
  }
  const std::optional<std::string> place = OwnPlace(heard, source, random);
  if (!place) return std::nullopt;
  draft.text =
      Say(asking,
          {"What do you hear from {D}, and how far away is it?", "What is at {D}, and how far away?",
           "What is the sound from {D}, and at what distance?", "Tell me what is at {D} and how far off.",
           "From {D}: what, and how far?", "Which sound is at {D}, and how many metres off?",
           "What sounds at {D}, and how distant is it?", "What is at {D}, and at what distance?",
           "Which sound comes from {D}, and from how far?", "Name the sound from {D} and its distance.",
           "What sounds from {D}, and how far off?", "What is the sound from {D}, and how far is it?",
           "From {D}, what do you hear and how far away?", "Say what is at {D} and how far.",
           "Which source is at {D}, and at what distance?", "Identify what is at {D} and how far away it is.",
           "Which source is at {D}, and how many metres away?", "Identify the sound from {D} and say how far it is."},
          {{"{D}", *place}});
  binding.set_class_name(source.words.name);
  binding.set_distance_m(source.distance_m);
  draft.key.set_reference(Sentence(phrase(source.words.a_noun, source.distance_m)));
  if (asking.multiple_choice) {
    const auto other = std::find_if(named.begin() + 1, named.end(), [&source](const HeardSource* candidate) {
      return DistancesApart(candidate->distance_m, source.distance_m, 1.8);
    });
    if (other == named.end()) return std::nullopt;
    const HeardSource& swap = **other;
    draft.options = {phrase(source.words.a_noun, source.distance_m), phrase(source.words.a_noun, swap.distance_m),
                     phrase(swap.words.a_noun, source.distance_m), phrase(swap.words.a_noun, swap.distance_m)};
  }
  return draft;
}

// Multiple choice needs both clearly on one side (20 degrees from front and back); open needs LeftOf.
std::optional<Draft> AskLeftRight(const HeardScene& heard, const Asking& asking) {
  const std::optional<Pair> pair = PickPair(heard, asking.random);
  if (!pair) return std::nullopt;
  const auto& [a, b] = *pair;
  Draft draft;
  if (asking.multiple_choice) {
    if (!OnOneSide(*a) || !OnOneSide(*b)) return std::nullopt;
    draft.text = Say(
        asking,
        {"On which side is each, {A} and {B}?", "Tell me the sides of {A} and {B}.", "Which sides are {A} and {B} on?",
         "{A} and {B}: left or right?", "Where is each of {A} and {B}, left or right?",
         "Are {A} and {B} left or right of you?", "Left or right: where is {A}, and where is {B}?",
         "Left or right: {A} and {B}?", "Which is left and which is right, {A} and {B}?",
         "On which sides are {A} and {B}?", "How are {A} and {B} placed, left or right of you?",
         "Is {A} left or right, and {B}?", "Which side is {A} on, and {B}?", "Left or right of you: {A} and {B}?",
         "Say on which side {A} and {B} are.", "Where are {A} and {B}, left or right?",
         "To which side of you are {A} and {B}?", "Say for {A} and {B}: left or right?"},
        {{"{A}", a->words.the_noun}, {"{B}", b->words.the_noun}});
    const std::string an = a->words.noun;
    const std::string bn = b->words.noun;
    std::vector<std::string> options = {absl::StrCat(an, " left, ", bn, " right"),
                                        absl::StrCat(an, " right, ", bn, " left"), "both left", "both right"};
    const size_t right = a->azimuth_deg > 0 ? (b->azimuth_deg > 0 ? 2 : 0) : (b->azimuth_deg > 0 ? 1 : 3);
    std::swap(options[0], options[right]);
    draft.options = options;
    draft.key.set_reference(Sentence(options[0]));
    draft.key.mutable_choice()->set_value(options[0]);
    for (const std::string& option : options) draft.key.mutable_choice()->add_allowed(option);
    return draft;
  }
  const int left = LeftOf(*a, *b);
  if (left == 0) return std::nullopt;
  if (asking.random.Chance(kYesOrNoShare)) {
    const bool ask_left = asking.random.Chance(0.5);
    draft.text = Say(asking,
                     {"Is {A} to the {S} of {B}?", "Is {A} {S} of {B}?", "Is {A} on the {S} side of {B}?",
                      "Do you hear {A} to the {S} of {B}?", "Does {A} lie {S} of {B}?", "Yes or no: is {A} {S} of {B}?",
                      "Is it true that {A} is {S} of {B}?", "Is {A} further {S} than {B}?"},
                     {{"{A}", a->words.the_noun}, {"{B}", b->words.the_noun}, {"{S}", ask_left ? "left" : "right"}});
    AnswerYesOrNo((left > 0) == ask_left, draft);
    return draft;
  }
  draft.text =
      Say(asking,
          {"Is {A} to the left or right of {B}?", "Does {A} lie to the left or to the right of {B}?",
           "Tell me whether {A} is left or right of {B}.", "Compared with {B}, which side is {A} on?",
           "To which side of {B} is {A}?", "Left or right: {A} as compared with {B}?",
           "Looking from you, is {A} left or right of {B}?", "Left or right of {B}: where is {A}?",
           "On which side of {B} is {A}?", "Compared with {B}, is {A} on the left or the right?",
           "Is {A} left or right of {B}?", "Relative to {B}, is {A} left or right?",
           "Is {A} further left than {B}, or further right?", "Say whether {A} is left or right of {B}.",
           "Do you hear {A} left or right of {B}?", "Which side of {B} is {A} on?",
           "Relative to {B}, on which side do you hear {A}?", "Is {A} further left or further right than {B}?"},
          {{"{A}", a->words.the_noun}, {"{B}", b->words.the_noun}});
  draft.key.set_reference(left > 0 ? "Left." : "Right.");
  draft.key.mutable_choice()->set_value(left > 0 ? "left" : "right");
  draft.key.mutable_choice()->add_allowed("left");
  draft.key.mutable_choice()->add_allowed("right");
  return draft;
}

// Needs: the direction from one to the other moves by less than 20 degrees when either distance is off by 25 %.
std::optional<Draft> AskDirectionBetween(const HeardScene& heard, const Asking& asking) {
  const std::optional<Pair> pair = PickPair(heard, asking.random);
  if (!pair) return std::nullopt;
  const HeardSource *a = pair->a, *b = pair->b;
  const auto seen = [&](double fa, double fb) {
    const Vec3 p = fa * a->distance_m * UnitVector(a->azimuth_deg, a->elevation_deg);
    const Vec3 q = fb * b->distance_m * UnitVector(b->azimuth_deg, b->elevation_deg);
    return p - q;
  };
  const Vec3 truth = seen(1.0, 1.0);
  if (std::hypot(truth.x, truth.y) < 0.8) return std::nullopt;
  for (const auto& [fa, fb] : {std::pair{1.25, 0.8}, std::pair{0.8, 1.25}}) {
    if (AzimuthDistance(AzimuthDeg(seen(fa, fb)), AzimuthDeg(truth)) > 20.0) return std::nullopt;
  }
  Draft draft;
  draft.text = Say(asking,
                   {"If you stood at {B}, facing as now, where would {A} be?",
                    "If you were where {B} is, in which direction would {A} be?",
                    "From where {B} is, which way is {A}?",
                    "In what direction from {B} is {A}?",
                    "You are at {B}. Where is {A}?",
                    "Imagine being at {B}: where is {A}?",
                    "What is the direction from {B} to {A}?",
                    "Moving from {B} to {A}, which way is that?",
                    "As heard from {B}, where is {A}?",
                    "Put yourself at {B}: which way is {A}?",
                    "Which direction is {A} from {B}?",
                    "To go to {A} from {B}, which way would you go?",
                    "From {B}, in which direction is {A}?",
                    "Standing at {B}, where is {A}?",
                    "Seen from {B}, where is {A}?",
                    "Which way is it from {B} to {A}?",
                    "If you were at {B}, where would {A} be?",
                    "You go to {B}. Which way is {A} from there?",
                    "Suppose you stand at {B}. Where is {A}?",
                    "Where does {A} lie as seen from {B}?",
                    "Say in which direction {A} is from {B}.",
                    "Going from {B} to {A}, which way do you go?",
                    "Which way would you go from {B} to reach {A}?",
                    "Starting at {B}, in which direction lies {A}?"},
                   {{"{A}", a->words.the_noun}, {"{B}", b->words.the_noun}});
  // The opposite direction is the likely mistake, so the other two options are opposites as well.
  const double azimuth = AzimuthDeg(truth);
  if (!AnswerWithAzimuth(asking, azimuth, {azimuth + 180.0, azimuth + 90.0, azimuth - 90.0}, draft))
    return std::nullopt;
  return draft;
}

// Needs: 12 degrees of elevation apart; multiple choice pairs it with left and right (LeftOf).
std::optional<Draft> AskWhichHigher(const HeardScene& heard, const Asking& asking) {
  const std::optional<Pair> pair = PickPair(heard, asking.random);
  if (!pair) return std::nullopt;
  const auto& [a, b] = *pair;
  if (std::abs(a->elevation_deg - b->elevation_deg) < 12.0) return std::nullopt;
  const bool higher = a->elevation_deg > b->elevation_deg;
  Draft draft;
  if (asking.multiple_choice) {
    const int left = LeftOf(*a, *b);
    if (left == 0) return std::nullopt;
    draft.text =
        Say(asking,
            {"Compared with {B}, {A} is:", "How does {A} lie with respect to {B}?",
             "{A} against {B}: higher or lower, left or right?", "Seen from you, {A} is where, relative to {B}?",
             "Is {A} higher or lower than {B}, and to which side?", "Where does {A} lie, compared with {B}?",
             "How is {A} placed relative to {B}?", "Seen from you, how is {A} placed against {B}?",
             "Where is {A} relative to {B}?", "How does {A} lie compared with {B}?",
             "Higher or lower, left or right: {A} against {B}?",
             "Relative to {B}, {A} is:", "Relative to {B}, where is {A}?", "Compared with {B}, where is {A}?",
             "Say how {A} sits compared with {B}.", "How is {A} placed with respect to {B}?",
             "Where do you hear {A} relative to {B}?",
             "Relative to {B}, {A} sits:", "With respect to {B}, where do you hear {A}?"},
            {{"{A}", a->words.the_noun}, {"{B}", b->words.the_noun}});
    const auto phrase = [](bool up, bool to_left) {
      return absl::StrCat(up ? "higher" : "lower", " and to the ", to_left ? "left" : "right");
    };
    draft.options = {phrase(higher, left > 0), phrase(!higher, left > 0), phrase(higher, left < 0),
                     phrase(!higher, left < 0)};
    draft.key.set_reference(Sentence(draft.options[0]));
    draft.key.mutable_choice()->set_value(draft.options[0]);
    for (const std::string& option : draft.options) draft.key.mutable_choice()->add_allowed(option);
    return draft;
  }
  if (asking.random.Chance(kYesOrNoShare)) {
    const bool ask_higher = asking.random.Chance(0.5);
    draft.text =
        Say(asking,
            {"Is {A} {W} than {B}?", "Does {A} sound {W} than {B}?", "Is {A} {W} up than {B}?",
             "Do you hear {A} {W} than {B}?", "Yes or no: is {A} {W} than {B}?", "Does {A} lie {W} than {B}?",
             "Is it true that {A} is {W} than {B}?", "Would you say that {A} is {W} than {B}?"},
            {{"{A}", a->words.the_noun}, {"{B}", b->words.the_noun}, {"{W}", ask_higher ? "higher" : "lower"}});
    AnswerYesOrNo(higher == ask_higher, draft);
    return draft;
  }
  draft.text = Say(asking,
                   {"Which is higher, {A} or {B}?",
                    "Which of the two is higher, {A} or {B}?",
                    "What sounds higher up, {A} or {B}?",
                    "Is the higher one {A} or {B}?",
                    "Tell me which is higher, {A} or {B}.",
                    "Between {A} and {B}, which is higher?",
                    "Which one is higher up: {A} or {B}?",
                    "Which of {A} and {B} is at the higher elevation?",
                    "Which sounds from higher up, {A} or {B}?",
                    "Is {A} or {B} higher?",
                    "What is higher up: {A} or {B}?",
                    "{A} or {B}: which is higher?",
                    "Which one is higher, {A} or {B}?",
                    "Which lies higher, {A} or {B}?",
                    "Of {A} and {B}, which one is higher?",
                    "Say which is higher: {A} or {B}.",
                    "Which is at a greater height, {A} or {B}?",
                    "Which has the higher elevation, {A} or {B}?",
                    "Of {A} and {B}, which is at the greater height?",
                    "Which has the greater elevation, {A} or {B}?"},
                   {{"{A}", a->words.the_noun}, {"{B}", b->words.the_noun}});
  AnswerWithClass((higher ? a : b)->words, draft);
  return draft;
}

// Needs: distances a factor of 1.3 and 0.4 m apart.
std::optional<Draft> AskWhichCloser(const HeardScene& heard, const Asking& asking) {
  const std::optional<Pair> pair = PickPair(heard, asking.random);
  if (!pair) return std::nullopt;
  const auto& [a, b] = *pair;
  const double apart = std::abs(a->distance_m - b->distance_m);
  if (!DistancesApart(a->distance_m, b->distance_m, 1.3) || apart < 0.4) return std::nullopt;
  const ClassWords& closer = (a->distance_m < b->distance_m ? a : b)->words;
  const ClassWords& farther = (a->distance_m < b->distance_m ? b : a)->words;
  Draft draft;
  if (asking.multiple_choice) {
    draft.text = Say(
        asking,
        {"Which is closer, {A} or {B}, and by how much?",
         "How much closer is the closer one of {A} and {B}, and which is it?",
         "What is nearer, {A} or {B}, and by how many metres?", "Tell me which is closer, {A} or {B}, and by how much.",
         "Which of the two is nearer, {A} or {B}, and by what distance?", "{A} or {B}: who is closer, and by how much?",
         "Is {A} or {B} closer, and by how far?", "{A} or {B}: which is nearer, and by how much?",
         "Which of {A} and {B} is nearer, and by how much?",
         "Who is closer to you, {A} or {B}, and by how many metres?",
         "Which one is closer, {A} or {B}, and by how much?", "Of {A} and {B}, which is nearer, and by how much?",
         "Say which is closer, {A} or {B}, and by how much.", "Which lies closer, {A} or {B}, and by what distance?",
         "{A} or {B}: which one is closer, and by what margin?",
         "Between {A} and {B}, which one is closer, and by how much?",
         "Which one lies nearer, {A} or {B}, and by what margin?"},
        {{"{A}", a->words.the_noun}, {"{B}", b->words.the_noun}});
    draft.options =
        SignAndSize(closer.the_noun, farther.the_noun, apart, NumberKind::kDistanceGap, &MetresPhrase, asking);
    AnswerWithClass(closer, draft);
    return draft;
  }
  if (asking.random.Chance(kAmongAllShare)) {
    const bool nearest = asking.random.Chance(0.5);
    const HeardSource* most = Extreme(
        heard, [&](const HeardSource& source) { return nearest ? source.distance_m : -source.distance_m; },
        [](double first, double second) { return DistancesApart(std::abs(first), std::abs(second), 1.3); });
    if (most == nullptr) return std::nullopt;
    draft.text = Say(asking,
                     {"Which sound is {M}?", "What is {M}?", "Which sound is {M} to you?", "Name the {M} sound.",
                      "What is the {M} sound?", "Which source is {M}?", "Of all the sounds, which is {M}?",
                      "Which of the sounds is {M}?", "Tell me which sound is {M}.", "Which one is {M}?",
                      "What is the {M} source?", "Which thing that you hear is {M}?"},
                     {{"{M}", nearest ? (asking.random.Chance(0.5) ? "nearest" : "closest") : "farthest"}});
    AnswerWithClass(most->words, draft);
    return draft;
  }
  if (asking.random.Chance(kYesOrNoShare)) {
    const bool closer_asked = asking.random.Chance(0.5);
    draft.text = Say(
        asking,
        {"Is {A} {W} than {B}?", "Is {A} {W} to you than {B}?", "Does {A} sound {W} than {B}?",
         "Do you hear {A} {W} than {B}?", "Yes or no: is {A} {W} than {B}?", "Does {A} lie {W} than {B}?",
         "Is it true that {A} is {W} than {B}?", "Would you say that {A} is {W} than {B}?"},
        {{"{A}", a->words.the_noun}, {"{B}", b->words.the_noun}, {"{W}", closer_asked ? "nearer" : "further away"}});
    AnswerYesOrNo((a->distance_m < b->distance_m) == closer_asked, draft);
    return draft;
  }
  const bool ask_closer = asking.random.Chance(0.5);
  draft.text =
      Say(asking,
          {"Which is {W}, {A} or {B}?", "Which of {A} and {B} is {W}?", "Tell me which is {W}, {A} or {B}.",
           "Who is {W}, {A} or {B}?", "Is the {W} one {A} or {B}?", "Which sound is {W}, {A} or {B}?",
           "Is {A} or {B} {W}?", "{A} or {B}: which is {W}?", "What is {W}: {A} or {B}?",
           "Which of the two is {W}, {A} or {B}?", "Which one is {W}, {A} or {B}?", "Say which is {W}: {A} or {B}.",
           "Of {A} and {B}, which is {W}?", "Which lies {W}, {A} or {B}?", "Between {A} and {B}, which is {W}?",
           "Of {A} and {B}, which one is {W}?", "Between {A} and {B}, what is {W}?"},
          {{"{A}", a->words.the_noun}, {"{B}", b->words.the_noun}, {"{W}", ask_closer ? "closer" : "farther"}});
  AnswerWithClass(ask_closer ? closer : farther, draft);
  return draft;
}

// Needs: onsets that are heard, 0.5 s apart; among all, those of all.
std::optional<Draft> AskWhichFirst(const HeardScene& heard, const Asking& asking) {
  std::vector<const HeardSource*> named;
  for (const HeardSource& source : heard.sources) {
    if (source.unique && source.onset_heard) named.push_back(&source);
  }
  if (named.size() < 2) return std::nullopt;
  asking.random.Shuffle(named);
  const HeardSource& a = *named[0];
  const HeardSource& b = *named[1];
  const double apart = std::abs(a.onset_s - b.onset_s);
  if (apart < 0.5) return std::nullopt;
  const ClassWords& first = (a.onset_s < b.onset_s ? a : b).words;
  const ClassWords& second = (a.onset_s < b.onset_s ? b : a).words;
  Draft draft;
  if (asking.multiple_choice) {
    draft.text =
        Say(asking,
            {"Which starts first, {A} or {B}, and by how much?", "What starts first, {A} or {B}, and by how long?",
             "Tell me which starts first, {A} or {B}, and by how much.",
             "Which of the two comes first, {A} or {B}, and by how many seconds?",
             "{A} or {B}: which is first, and by how much?", "Which is earlier, {A} or {B}, and by how many seconds?",
             "Is {A} or {B} first, and by how long?", "{A} or {B}: which starts earlier, and by how much?",
             "Which of {A} and {B} begins first, and by how much?",
             "What comes first, {A} or {B}, and by how many seconds?",
             "Which one starts first, {A} or {B}, and by how much?",
             "Of {A} and {B}, which sets in first, and by how much?", "Which one leads, {A} or {B}, and by how much?",
             "Say which starts first, {A} or {B}, and by how much.",
             "Between {A} and {B}, which is earlier, and by what margin?",
             "Between {A} and {B}, which sets in earlier, and by how much?",
             "Which one leads, {A} or {B}, and by what time?"},
            {{"{A}", a.words.the_noun}, {"{B}", b.words.the_noun}});
    draft.options = SignAndSize(first.the_noun, second.the_noun, apart, OnsetGapKind(heard), &SecondsPhrase, asking);
    AnswerWithClass(first, draft);
    return draft;
  }
  if (asking.random.Chance(kAmongAllShare)) {
    if (!heard.OrderHeard()) return std::nullopt;
    const bool earliest = asking.random.Chance(0.5);
    const HeardSource* most = Extreme(
        heard, [&](const HeardSource& source) { return earliest ? source.onset_s : -source.onset_s; },
        [](double first_onset, double next_onset) { return next_onset - first_onset >= 0.5; });
    if (most == nullptr) return std::nullopt;
    draft.text = Say(asking,
                     {"Which sound starts {M}?", "What starts {M}?", "Which sound comes {M}?", "What do you hear {M}?",
                      "Of all the sounds, which starts {M}?", "Which of the sounds begins {M}?", "What is heard {M}?",
                      "Tell me which sound starts {M}.", "Which source begins {M}?", "Which one comes {M}?",
                      "What sets in {M}?", "Which of all sounds sets in {M}?"},
                     {{"{M}", earliest ? "first" : "last"}});
    AnswerWithClass(most->words, draft);
    return draft;
  }
  if (asking.random.Chance(kYesOrNoShare)) {
    const bool before = asking.random.Chance(0.5);
    draft.text = Say(asking,
                     {"Does {A} start {W} {B}?", "Is {A} heard {W} {B}?", "Does {A} begin {W} {B}?",
                      "Do you hear {A} {W} {B}?", "Yes or no: does {A} start {W} {B}?", "Does {A} come {W} {B}?",
                      "Is it true that {A} starts {W} {B}?", "Would you say that {A} starts {W} {B}?"},
                     {{"{A}", a.words.the_noun}, {"{B}", b.words.the_noun}, {"{W}", before ? "before" : "after"}});
    AnswerYesOrNo((a.onset_s < b.onset_s) == before, draft);
    return draft;
  }
  const bool ask_first = asking.random.Chance(0.5);
  draft.text =
      Say(asking,
          {"Which starts {W}, {A} or {B}?", "Which of {A} and {B} starts {W}?", "Tell me which starts {W}, {A} or {B}.",
           "Which sound begins {W}, {A} or {B}?", "What begins {W}, {A} or {B}?", "Which comes {W}, {A} or {B}?",
           "Does {A} or {B} start {W}?", "{A} or {B}: which starts {W}?", "What starts {W}: {A} or {B}?",
           "Which of the two begins {W}, {A} or {B}?", "Which one starts {W}, {A} or {B}?",
           "Say which starts {W}: {A} or {B}.", "Of {A} and {B}, which starts {W}?",
           "Which one sets in {W}, {A} or {B}?", "Between {A} and {B}, which begins {W}?",
           "Of {A} and {B}, which one sets in {W}?", "Between {A} and {B}, what begins {W}?"},
          {{"{A}", a.words.the_noun}, {"{B}", b.words.the_noun}, {"{W}", ask_first ? "first" : "later"}});
  AnswerWithClass(ask_first ? first : second, draft);
  return draft;
}

// Needs: a source alone in its direction that is heard to start, at least one other to confuse it with.
std::optional<Draft> AskOnsetFromLocation(const HeardScene& heard, const Asking& asking) {
  Random& random = asking.random;
  const HeardSource* source = Pick(heard.Nameable(), random);
  if (source == nullptr || !source->onset_heard || heard.sources.size() < 2) return std::nullopt;
  const std::optional<std::string> place = OwnPlace(heard, *source, random);
  if (!place) return std::nullopt;
  Draft draft;
  draft.text = Say(asking,
                   {"When does the sound from {D} start?", "When does something start to sound from {D}?",
                    "From {D}: when do you first hear something?", "What is the start time of the sound from {D}?",
                    "When does the source at {D} start?", "Tell me when the sound from {D} begins.",
                    "At which second does the sound from {D} begin?", "How late does the sound from {D} start?",
                    "When do you first hear something from {D}?", "At what time does the source at {D} begin?",
                    "When does it start sounding from {D}?", "What is the onset of the sound from {D}?",
                    "When does the sound from {D} set in?", "When does it begin to sound from {D}?",
                    "Say when the sound from {D} starts.", "After how many seconds do you hear something from {D}?",
                    "When is something first heard from {D}?", "How many seconds in does the sound from {D} set in?",
                    "After what time is something heard from {D}?"},
                   {{"{D}", *place}});
  draft.key.set_seconds(source->onset_s);
  draft.key.set_reference(Sentence(absl::StrCat("at ", SecondsPhrase(source->onset_s))));
  if (asking.multiple_choice) {
    std::vector<double> swaps;
    for (const HeardSource& other : heard.sources) {
      if (&other != source) swaps.push_back(other.onset_s);
    }
    for (double onset : DrawNumbers(OnsetKind(heard), source->onset_s, asking.lot, swaps, asking.truths)) {
      draft.options.push_back(SecondsPhrase(onset));
    }
    if (draft.options.size() != 4) return std::nullopt;
  }
  return draft;
}

// Needs: two named, resting sources.
std::optional<Draft> AskSeparation(const HeardScene& heard, const Asking& asking) {
  const std::optional<Pair> pair = PickPair(heard, asking.random);
  if (!pair) return std::nullopt;
  const auto& [a, b] = *pair;
  const double angle = AngleBetween(*a, *b);
  Draft draft;
  draft.text = Say(
      asking, {"What is the angle between {A} and {B}?",        "What angle separates {A} from {B}?",
               "Give the angle between {A} and {B}.",           "How large is the angle between {A} and {B}?",
               "How many degrees separate {A} and {B}?",        "{A} and {B}: how far apart in degrees?",
               "Tell me the angle between {A} and {B}.",        "How far do you turn from {A} to {B}?",
               "How far apart in angle are {A} and {B}?",       "How many degrees lie between {A} and {B}?",
               "By what angle are {A} and {B} separated?",      "How wide is the angle from {A} to {B}?",
               "How many degrees apart are {A} and {B}?",       "How wide is the angle between {A} and {B}?",
               "Estimate the angle between {A} and {B}.",       "Say how many degrees are between {A} and {B}.",
               "What angle is there from {A} to {B}?",          "At your place, what angle lies between {A} and {B}?",
               "What angle do {A} and {B} span at your place?", "How many degrees apart do you hear {A} and {B}?"},
      {{"{A}", a->words.the_noun}, {"{B}", b->words.the_noun}});
  draft.key.set_angle_deg(angle);
  draft.key.set_reference(Sentence(AnglePhrase(angle)));
  if (asking.multiple_choice) {
    for (double option : DrawNumbers(NumberKind::kSeparation, angle, asking.lot, {}, asking.truths)) {
      draft.options.push_back(AnglePhrase(option));
    }
    if (draft.options.size() != 4) return std::nullopt;
  }
  return draft;
}

}  // namespace auricle::sim
