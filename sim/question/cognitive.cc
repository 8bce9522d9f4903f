// L3: imagined changes of the listener or the scene, and questions that need several steps.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "absl/strings/str_cat.h"
#include "sim/question/draft.h"
#include "sim/question/option_drawing.h"
#include "sim/question/phrases.h"

namespace auricle::sim {
namespace {

// A property with an unclear zone: +1 holds, -1 does not, 0 too close to call.
struct Condition {
  enum Kind { kSide, kDistance, kTime } kind;
  std::string words;  // after "Which sound is ..."
  std::function<int(const HeardSource&)> holds;
};

Condition SideCondition(std::string_view words, double centre) {
  return {Condition::kSide, std::string(words), [centre](const HeardSource& source) {
            const double off = AzimuthDistance(source.azimuth_deg, centre);
            return off <= 75.0 ? 1 : off >= 105.0 ? -1 : 0;
          }};
}

Condition DistanceCondition(double metres, bool farther) {
  return {Condition::kDistance, absl::StrCat(farther ? "farther than " : "closer than ", MetresPhrase(metres)),
          [metres, farther](const HeardSource& source) {
            const double ratio = source.distance_m / metres;
            if (ratio < 1.25 && ratio > 0.8) return 0;
            return (ratio > 1.0) == farther ? 1 : -1;
          }};
}

Condition TimeCondition(double seconds, bool later) {
  return {Condition::kTime, absl::StrCat("starts ", later ? "after " : "before ", SecondsPhrase(seconds)),
          [seconds, later](const HeardSource& source) {
            if (!source.onset_heard || std::abs(source.onset_s - seconds) < 0.4) return 0;
            return (source.onset_s > seconds) == later ? 1 : -1;
          }};
}

Condition DrawCondition(Condition::Kind kind, const HeardScene& heard, Random& random) {
  switch (kind) {
    case Condition::kSide:
      switch (random.Int(0, 3)) {
        case 0:
          return SideCondition("in front of you", 0.0);
        case 1:
          return SideCondition("on your left", 90.0);
        case 2:
          return SideCondition("behind you", 180.0);
        default:
          return SideCondition("on your right", -90.0);
      }
    case Condition::kDistance: {
      constexpr double kMetres[] = {1.0, 1.5, 2.0, 3.0, 4.0};
      return DistanceCondition(kMetres[random.Index(5)], random.Chance(0.5));
    }
    case Condition::kTime:
      return TimeCondition(0.5 * std::round(2.0 * random.Uniform(0.15, 0.6) * heard.duration_s), random.Chance(0.5));
  }
  return SideCondition("in front of you", 0.0);
}

// A source singled out by being the most of something, or nothing where the margin is too small.
struct Superlative {
  std::string words;  // "the nearest sound"
  const HeardSource* source;
};

std::optional<Superlative> DrawSuperlative(const HeardScene& heard, Random& random) {
  if (!heard.complete || heard.sources.size() < 2) return std::nullopt;
  std::vector<const HeardSource*> order;
  for (const HeardSource& source : heard.sources) order.push_back(&source);
  const auto sort_by = [&order](auto value) {
    std::stable_sort(order.begin(), order.end(),
                     [&value](const HeardSource* a, const HeardSource* b) { return value(*a) < value(*b); });
  };
  const bool last = random.Chance(0.5);
  const bool by_distance = random.Chance(0.5);
  if (by_distance) {
    sort_by([last](const HeardSource& source) { return last ? -source.distance_m : source.distance_m; });
    const double ratio = order[0]->distance_m / order[1]->distance_m;
    if (std::max(ratio, 1.0 / ratio) < 1.3) return std::nullopt;
    return Superlative{last ? "the farthest sound" : "the nearest sound", order[0]};
  }
  if (!heard.OrderHeard()) return std::nullopt;
  sort_by([last](const HeardSource& source) { return last ? -source.onset_s : source.onset_s; });
  if (std::abs(order[0]->onset_s - order[1]->onset_s) < 0.5) return std::nullopt;
  return Superlative{last ? "the sound that starts last" : "the sound that starts first", order[0]};
}

std::vector<double> OtherAzimuths(const HeardScene& heard, const HeardSource& source) {
  std::vector<double> azimuths;
  for (const HeardSource& other : heard.sources) {
    if (&other != &source) azimuths.push_back(other.azimuth_deg);
  }
  return azimuths;
}

}  // namespace

// Needs: a named, resting source below 60 degrees of elevation. Quarter and half turns offer all four quarter turns.
std::optional<Draft> AskAfterTurn(const HeardScene& heard, const Asking& asking) {
  Random& random = asking.random;
  const HeardSource* source = Pick(heard.Nameable(), random);
  if (source == nullptr || std::abs(source->elevation_deg) > 60.0) return std::nullopt;
  struct Turn {
    std::string_view words;
    double degrees;  // of the listener, counterclockwise
  };
  constexpr Turn kTurns[] = {{"90 degrees to the left", 90},
                             {"90 degrees to the right", -90},
                             {"around", 180},
                             {"45 degrees to the left", 45},
                             {"45 degrees to the right", -45}};
  const Turn& turn = kTurns[random.Index(random.Chance(0.75) ? 3 : 5)];
  Draft draft;
  draft.text =
      Say(asking, {"You turn {T}. Where is {A} now?",           "Where is {A} once you have turned {T}?",
                   "You have turned {T}. Where is {A}?",        "Where would {A} be if you turned {T}?",
                   "When you turn {T}, where is {A}?",          "Turn {T}. Where do you hear {A} now?",
                   "Where do you find {A} after you turn {T}?", "In which direction is {A} after you turn {T}?",
                   "Tell me where {A} is when you turn {T}.",   "You rotate {T}. Where is {A} now?",
                   "After you turn {T}, where is {A}?",         "If you turned {T}, where would {A} be?",
                   "Turn {T}: in which direction is {A} then?", "Imagine turning {T}. Where do you hear {A}?",
                   "You turn {T}. Which way is {A}?",           "Suppose you turned {T}: where would {A} be?",
                   "Turning {T}, where do you hear {A}?",       "Having turned {T}, which way is {A}?",
                   "Say where {A} is after you turn {T}.",      "If you turn {T}, in which direction do you find {A}?",
                   "Suppose you turn {T}. Which way is {A}?",   "Having turned {T}, where would you find {A}?"},
          {{"{A}", source->words.the_noun}, {"{T}", turn.words}});
  const double now = WrapDegrees(source->azimuth_deg - turn.degrees);
  std::vector<double> swaps;
  for (double azimuth : OtherAzimuths(heard, *source)) swaps.push_back(azimuth - turn.degrees);
  if (!AnswerWithAzimuth(asking, now, swaps, draft)) return std::nullopt;
  if (asking.multiple_choice && std::abs(turn.degrees) != 45.0) {
    const bool in_words = draft.options[0] == SectorName(SectorOf(now));
    for (int quarter = 0; quarter < 4; ++quarter) {
      const double azimuth = now + 90.0 * quarter;
      draft.options[quarter] = in_words ? std::string(SectorName(SectorOf(azimuth))) : AzimuthPhrase(azimuth);
    }
  }
  return draft;
}

// Needs: the new direction moves by less than 20 degrees when the distance is off by 25 %, and the source is not
// passed within 0.5 m. Ahead of the walk and behind it are right equally often.
std::optional<Draft> AskAfterWalk(const HeardScene& heard, const Asking& asking) {
  Random& random = asking.random;
  struct Walk {
    const HeardSource* source;
    int way;  // index below
    double metres;
    double azimuth;  // after the walk
  };
  constexpr std::pair<std::string_view, double> kWays[] = {
      {"forward", 0.0}, {"to the left", 90.0}, {"backward", 180.0}, {"to the right", -90.0}};
  const auto after = [&](const HeardSource& source, int way, double metres, double factor) {
    Vec3 p = factor * source.distance_m * UnitVector(source.azimuth_deg, source.elevation_deg);
    p.x -= metres * std::cos(kWays[way].second * M_PI / 180.0);
    p.y -= metres * std::sin(kWays[way].second * M_PI / 180.0);
    return p;
  };
  std::array<std::vector<Walk>, 2> walks;  // that end with the source behind, ahead
  for (const HeardSource* source : heard.Nameable()) {
    for (int way = 0; way < 4; ++way) {
      for (double metres : {1.0, 2.0}) {
        const Vec3 p = after(*source, way, metres, 1.0);
        const double azimuth = AzimuthDeg(p);
        if (std::hypot(p.x, p.y) < 0.5 || std::abs(std::atan2(p.z, std::hypot(p.x, p.y))) > M_PI / 3) continue;
        if (AzimuthDistance(AzimuthDeg(after(*source, way, metres, 1.25)), azimuth) > 20.0) continue;
        if (AzimuthDistance(AzimuthDeg(after(*source, way, metres, 0.8)), azimuth) > 20.0) continue;
        if (asking.multiple_choice && !HasMirrorImages(azimuth)) continue;
        walks[AzimuthDistance(azimuth, kWays[way].second) < 90.0].push_back({source, way, metres, azimuth});
      }
    }
  }
  // Only where both can be asked, so that neither is the likelier.
  if (walks[0].empty() || walks[1].empty()) return std::nullopt;
  const std::vector<Walk>& side = walks[random.Index(2)];
  const Walk& walk = side[random.Index(side.size())];
  Draft draft;
  draft.text =
      Say(asking,
          {"You walk {M} {W}. Where is {A} now?",
           "Where is {A} once you have walked {M} {W}?",
           "You have gone {M} {W}. Where is {A}?",
           "Where would {A} be if you walked {M} {W}?",
           "In which direction is {A} after you go {M} {W}?",
           "Go {M} {W}. Where do you hear {A} now?",
           "Tell me where {A} is when you walk {M} {W}.",
           "You step {M} {W}. Where is {A} now?",
           "Moving {M} {W}, which way is {A}?",
           "After walking {M} {W}, where is {A}?",
           "If you walked {M} {W}, where would {A} be?",
           "You move {M} {W}. Which way is {A} then?",
           "Imagine stepping {M} {W}. Where do you hear {A}?",
           "You go {M} {W}. Which way is {A}?",
           "Suppose you walked {M} {W}: where would {A} be?",
           "Having walked {M} {W}, where is {A}?",
           "Say where {A} is after you walk {M} {W}.",
           "Without turning, you walk {M} {W}. Where is {A}?",
           "You step {M} {W}, facing as now. Where do you hear {A}?",
           "Suppose you go {M} {W}, facing as now. Where is {A}?",
           "Having gone {M} {W} without turning, where would {A} be?"},
          {{"{A}", walk.source->words.the_noun}, {"{M}", MetresPhrase(walk.metres)}, {"{W}", kWays[walk.way].first}});
  if (!AnswerAmongMirrorImages(asking, walk.azimuth, draft)) return std::nullopt;
  return draft;
}

// Needs: 2 or 3 sources, all audible and named; one singled out by place or order. All options have the same size and
// none tells which source is taken away.
std::optional<Draft> AskAfterRemoval(const HeardScene& heard, const Asking& asking) {
  Random& random = asking.random;
  const std::vector<const HeardSource*> named = heard.Nameable();
  if (!heard.complete || named.size() != heard.sources.size() || named.size() < 2) return std::nullopt;
  const HeardSource* removed = nullptr;
  std::string words;
  if (random.Chance(0.6)) {
    removed = Pick(named, random);
    const std::optional<std::string> place = OwnPlace(heard, *removed, random);
    if (!place) return std::nullopt;
    words = absl::StrCat("the sound from ", *place);
  } else {
    const std::optional<Superlative> most = DrawSuperlative(heard, random);
    if (!most) return std::nullopt;
    removed = most->source;
    words = most->words;
  }
  Draft draft;
  draft.text = Say(asking,
                   {"Without {R}, what would you hear?",
                    "What is left when {R} is gone?",
                    "If {R} were not there, what would you hear?",
                    "Which sounds are left without {R}?",
                    "Mute {R}: what do you still hear?",
                    "Tell me what is left without {R}.",
                    "What do you hear apart from {R}?",
                    "{R} stops. What is left?",
                    "What else is there, besides {R}?",
                    "If {R} stopped, which sounds would remain?",
                    "Take away {R}: what is left?",
                    "Which sounds remain without {R}?",
                    "What would be left if {R} were gone?",
                    "Suppose {R} stopped: what remains?",
                    "If {R} were silent, what could you hear?",
                    "Remove {R}: what is left?",
                    "What could still be heard without {R}?",
                    "Say what remains without {R}.",
                    "Which sounds stay if {R} stops?",
                    "Suppose {R} were silent. What could you still hear?",
                    "Remove {R}. Which sounds stay?"},
                   {{"{R}", words}});
  std::vector<std::string> left;
  for (const HeardSource* source : named) {
    if (source == removed) continue;
    left.push_back(source->words.a_noun);
    draft.key.mutable_classes()->add_class_names(source->words.name);
  }
  draft.key.set_reference(Sentence(JoinNouns(left)));
  if (!asking.multiple_choice) return draft;
  draft.options = {JoinNouns(left)};
  for (const HeardSource* gone : named) {  // the sets that the other removals would leave
    if (gone == removed || draft.options.size() == 4) continue;
    std::vector<std::string> other;
    for (const HeardSource* source : named) {
      if (source != gone) other.push_back(source->words.a_noun);
    }
    draft.options.push_back(JoinNouns(other));
  }
  for (const ClassWords& words_absent : DrawAbsent(heard, 4 - draft.options.size(), random)) {
    std::vector<std::string> other;
    other.reserve(named.size());
    for (const HeardSource* source : named) other.push_back(source->words.a_noun);
    random.Shuffle(other);
    other.resize(left.size());
    other[random.Index(other.size())] = words_absent.a_noun;
    draft.options.push_back(JoinNouns(other));
  }
  return draft;
}

// Needs: 2 sources or more, all audible; two conditions of different kinds that hold clearly for one source together
// and for no other; at least one other source meets one of them.
std::optional<Draft> AskCompound(const HeardScene& heard, const Asking& asking) {
  Random& random = asking.random;
  if (!heard.complete || heard.sources.size() < 2) return std::nullopt;
  constexpr int kDraws = 30;
  for (int draw = 0; draw < kDraws; ++draw) {
    const Condition first = DrawCondition(random.Chance(0.8) ? Condition::kSide : Condition::kDistance, heard, random);
    const Condition second = DrawCondition(
        first.kind == Condition::kSide && random.Chance(0.6) ? Condition::kDistance : Condition::kTime, heard, random);
    const HeardSource* both = nullptr;
    bool clear = true;
    int partly = 0;
    for (const HeardSource& source : heard.sources) {
      const int a = first.holds(source);
      const int b = second.holds(source);
      if (a < 0 || b < 0) {
        partly += a > 0 || b > 0 ? 1 : 0;
        continue;
      }
      if (a == 0 || b == 0 || both != nullptr || source.moving) clear = false;
      both = &source;
    }
    if (!clear || both == nullptr || !both->unique || partly == 0) continue;
    Draft draft;
    const std::string words = absl::StrCat(first.words, " and ", second.words);
    draft.text =
        Say(asking,
            {"Which sound is {C}?", "What sound is {C}?", "Which of them is {C}?", "One sound is {C}: which?",
             "Tell me which sound is {C}.", "What is it that is {C}?", "Which thing is {C}?",
             "Name the source that is {C}.", "What is {C}?", "Name the sound that is {C}.", "Which source is {C}?",
             "Find the sound that is {C}.", "Say which sound is {C}.", "Identify the sound that is {C}.",
             "Which one is {C}?", "Which of the sounds is {C}?", "What is the only sound that is {C}?",
             "Only one sound is {C}: which?", "Identify the source that is {C}."},
            {{"{C}", words}});
    draft.key.mutable_classes()->add_class_names(both->words.name);
    draft.key.set_reference(Sentence(both->words.a_noun));
    if (asking.multiple_choice) draft.options = DrawNouns(heard, *both, random);
    return draft;
  }
  return std::nullopt;
}

// Needs: 2 sources or more, all audible; one singled out with a margin, or the next after a named one.
std::optional<Draft> AskMultiHop(const HeardScene& heard, const Asking& asking) {
  Random& random = asking.random;
  std::optional<Superlative> target;
  if (random.Chance(0.7)) {
    target = DrawSuperlative(heard, random);
  } else if (heard.complete && heard.OrderHeard() && heard.sources.size() >= 2) {
    const size_t at = random.Index(heard.sources.size() - 1);
    const HeardSource& before = heard.sources[at];
    const HeardSource& after = heard.sources[at + 1];
    const bool alone = at + 2 == heard.sources.size() || heard.sources[at + 2].onset_s - after.onset_s >= 0.5;
    if (before.unique && after.onset_s - before.onset_s >= 0.5 && alone) {
      target = Superlative{absl::StrCat("the sound that starts after ", before.words.the_noun), &after};
    }
  }
  if (!target || target->source->moving || std::abs(target->source->elevation_deg) > 60.0) return std::nullopt;
  Draft draft;
  draft.text = Say(asking,
                   {"Where is {X}?",
                    "What direction is {X} in?",
                    "Whereabouts is {X}?",
                    "{X}: where is it?",
                    "Give the direction of {X}.",
                    "From where do you hear {X}?",
                    "Which way do you turn to face {X}?",
                    "Where does {X} come from?",
                    "Tell me the direction of {X}.",
                    "In which direction is {X}?",
                    "From which direction comes {X}?",
                    "Which way is {X}?",
                    "Find {X}: where is it?",
                    "Where do you hear {X}?",
                    "Say where {X} is.",
                    "Which direction does {X} come from?",
                    "Identify {X}: which way is it?",
                    "If you face {X}, which way do you look?",
                    "Tell me where {X} is.",
                    "Which way would you face to look at {X}?",
                    "What is the direction of {X}?"},
                   {{"{X}", target->words}});
  if (!AnswerWithAzimuth(asking, target->source->azimuth_deg, OtherAzimuths(heard, *target->source), draft)) {
    return std::nullopt;
  }
  return draft;
}

// Needs: a place that is clearly outdoors, dry (T30 below 0.35 s) or echoing (above 0.55 s). Options pair the right and
// a wrong place with the right and a wrong list of sounds: every part stands in two of them.
std::optional<Draft> AskAbduction(const HeardScene& heard, const Asking& asking) {
  Random& random = asking.random;
  const v1::Room& room = heard.scene->room();
  constexpr std::string_view kPlaces[] = {"outdoors", "a dry room", "an echoing room"};
  if (heard.sources.empty()) return std::nullopt;
  size_t place = 0;
  if (!room.free_field()) {
    if (room.t30_seconds() >= 0.35 && room.t30_seconds() <= 0.55) return std::nullopt;
    place = room.t30_seconds() < 0.35 ? 1 : 2;
    if (place == 2 && asking.lot >= 0.25) return std::nullopt;  // most rooms echo: thinned out
  }
  Draft draft;
  if (!asking.multiple_choice && random.Chance(kYesOrNoShare)) {
    // Outdoors is one scene in ten: rooms are thinned out, or "yes" would be the answer to one of the two questions.
    if (place != 0 && asking.lot >= 0.12) return std::nullopt;
    const bool ask_outdoors = random.Chance(0.5);
    draft.text = Say(asking,
                     {"Are you {P}?", "Is this {P}?", "Does this sound like being {P}?", "Was this recorded {P}?",
                      "Yes or no: are you {P}?", "Is it true that you are {P}?", "Would you say that this is {P}?",
                      "By the sound, are you {P}?", "Is the listener {P}?"},
                     {{"{P}", ask_outdoors ? "outdoors" : "indoors"}});
    AnswerYesOrNo((place == 0) == ask_outdoors, draft);
    return draft;
  }
  for (std::string_view allowed : kPlaces) draft.key.mutable_choice()->add_allowed(std::string(allowed));
  draft.key.mutable_choice()->set_value(std::string(kPlaces[place]));
  if (!asking.multiple_choice) {
    draft.text = Say(asking, {"What kind of place is this: outdoors, a dry room or an echoing room?",
                              "Does this sound like outdoors, a dry room or an echoing room?",
                              "Which is it: outdoors, a dry room or an echoing room?",
                              "Tell me what place this is: outdoors, a dry room or an echoing room.",
                              "Are you outdoors, in a dry room or in an echoing room?",
                              "Outdoors, a dry room or an echoing room: where are you?",
                              "Where was this recorded: outdoors, in a dry room or in an echoing room?",
                              "Which place fits: outdoors, a dry room or an echoing room?",
                              "Is this outdoors, a dry room or an echoing room?",
                              "Is it outdoors, in a dry room or in an echoing room?",
                              "Say what place this is: outdoors, a dry room or an echoing room.",
                              "By the sound, are you outdoors, in a dry room or in an echoing room?",
                              "Judging by the sound, is it outdoors, a dry room or an echoing room?",
                              "Would you say outdoors, a dry room or an echoing room?"});
    draft.key.set_reference(Sentence(kPlaces[place]));
    return draft;
  }
  if (!heard.complete) return std::nullopt;
  draft.text = Say(
      asking, {"Which description fits?", "What fits what you hear?", "Which of these describes the recording?",
               "Pick the description that fits.", "What is happening here?", "Which of these is true of the recording?",
               "What does this recording show?", "What is going on here?", "Which account explains what you hear?",
               "Which scene is this?", "What best explains the recording?", "Which of these fits?",
               "What could be going on here?", "Which scene fits the sounds?", "Which of these matches what you hear?",
               "Which one explains the recording?", "Say which description fits.", "Which story matches the sounds?",
               "Which of these could be the scene?"});
  std::vector<std::string> right;
  for (const HeardSource& source : heard.sources) {
    if (!source.unique) return std::nullopt;
    right.push_back(source.words.a_noun);
  }
  random.Shuffle(right);
  const std::vector<ClassWords> absent = DrawAbsent(heard, 1, random);
  if (absent.empty()) return std::nullopt;
  std::vector<std::string> wrong = right;
  wrong[random.Index(wrong.size())] = absent[0].a_noun;
  // Of two places each must be the wrong one as often as the other is. Outdoors is one scene in ten, a dry room one in
  // seven, and echoing ones are thinned out to as many: 0.1 / 2 = 0.14 x 0.36.
  const size_t other = place == 0 ? 1 + random.Index(2) : random.Chance(0.36) ? 0 : 3 - place;
  const auto tell = [&](size_t where, const std::vector<std::string>& sounds) {
    return absl::StrCat(std::string(kPlaces[where]), " with ", JoinNouns(sounds));
  };
  draft.options = {tell(place, right), tell(other, right), tell(place, wrong), tell(other, wrong)};
  draft.key.set_reference(Sentence(draft.options[0]));
  return draft;
}

// Needs: a named source that moves left or right. Where its track would lead in as much time again.
std::optional<Draft> AskMotionPrediction(const HeardScene& heard, const Asking& asking) {
  std::vector<const HeardSource*> moving;
  for (const HeardSource& source : heard.sources) {
    const bool turns = source.source->motion() == v1::MOTION_KIND_MOVING_LEFT ||
                       source.source->motion() == v1::MOTION_KIND_MOVING_RIGHT;
    if (source.unique && turns && source.source->frames_size() >= 10) moving.push_back(&source);
  }
  const HeardSource* source = Pick(moving, asking.random);
  if (source == nullptr) return std::nullopt;
  const auto& frames = source->source->frames();
  const double last = frames.rbegin()->direction().azimuth_deg();
  const double second_before = frames[frames.size() - 10].direction().azimuth_deg();
  const double turned = WrapDegrees(last - second_before) * 10.0 / 9.0;  // degrees in a second
  if (std::abs(turned) < 10.0 || std::abs(turned) > 90.0) return std::nullopt;
  Draft draft;
  draft.text = Say(asking,
                   {"If it goes on like this, where will {A} be one second after the end?",
                    "Where will {A} be one second later?", "Where is {A} heading within the next second?",
                    "One second after the end, where would {A} be?", "Where do you expect {A} a second later?",
                    "Where will {A} be a second later?", "One second on, where will {A} be?",
                    "Where will {A} be in one second?", "Say where {A} will be one second later.",
                    "Predict where {A} is one second on.", "A second from now, in which direction will {A} be?"},
                   {{"{A}", source->words.the_noun}});
  if (!AnswerWithAzimuth(asking, WrapDegrees(last + turned), OtherAzimuths(heard, *source), draft)) return std::nullopt;
  return draft;
}

}  // namespace auricle::sim
