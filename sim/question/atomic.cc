// L1: one attribute of one source or of the room.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "sim/question/draft.h"
#include "sim/question/option_drawing.h"
#include "sim/question/phrases.h"

namespace auricle::sim {
namespace {

std::vector<double> Others(const HeardScene& heard, const HeardSource& source, double HeardSource::*value) {
  std::vector<double> values;
  for (const HeardSource& other : heard.sources) {
    if (&other != &source) values.push_back(other.*value);
  }
  return values;
}

// Intersection over union of two spans.
double Iou(std::pair<double, double> a, std::pair<double, double> b) {
  const double both = std::min(a.second, b.second) - std::max(a.first, b.first);
  return both <= 0 ? 0.0 : both / (std::max(a.second, b.second) - std::min(a.first, b.first));
}

// No two share more than their tolerance allows.
bool AllApart(const std::vector<std::pair<double, double>>& spans) {
  for (size_t i = 0; i < spans.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (Iou(spans[i], spans[j]) > 0.4) return false;
    }
  }
  return true;
}

// A number for a sound that is not there, as likely as one that is; the same for all attempts at a question.
double Invented(NumberKind kind, const Asking& asking) {
  Random random = Random(std::bit_cast<uint64_t>(asking.lot)).Fork("invented");
  return DrawFromPrior(kind, random);
}

// Needs: a source clearly within 70 degrees of the side that is asked about, or clearly beyond 110.
std::optional<Draft> AskWhetherOnASide(const HeardSource& source, const Asking& asking) {
  constexpr std::pair<std::string_view, double> kSides[] = {
      {"in front of you", 0.0}, {"on your left", 90.0}, {"behind you", 180.0}, {"on your right", -90.0}};
  const bool yes = asking.random.Chance(0.5);
  std::vector<std::string_view> fitting;
  for (const auto& [words, centre] : kSides) {
    const double off = AzimuthDistance(source.azimuth_deg, centre);
    if (yes ? off <= 70.0 : off >= 110.0) fitting.push_back(words);
  }
  if (fitting.empty()) return std::nullopt;
  Draft draft;
  draft.text = Say(asking,
                   {"Is {A} {S}?", "Do you hear {A} {S}?", "Is it {S} that {A} is?", "Does {A} sound {S}?",
                    "Yes or no: is {A} {S}?", "Is it true that {A} is {S}?", "Does {A} come from somewhere {S}?",
                    "Can {A} be heard {S}?", "Would you say that {A} is {S}?", "Is {A} to be found {S}?"},
                   {{"{A}", source.words.the_noun}, {"{S}", fitting[asking.random.Index(fitting.size())]}});
  AnswerYesOrNo(yes, draft);
  return draft;
}

std::optional<Draft> AskWhetherNearerThan(const HeardSource& source, const Asking& asking) {
  const bool yes = asking.random.Chance(0.5);
  std::vector<double> fitting;
  for (const double metres : {1.0, 1.5, 2.0, 3.0, 4.0, 5.0}) {
    if (yes ? source.distance_m * 1.4 <= metres : source.distance_m >= metres * 1.4) fitting.push_back(metres);
  }
  if (fitting.empty()) return std::nullopt;
  Draft draft;
  draft.text = Say(
      asking,
      {"Is {A} nearer than {M}?", "Is {A} closer than {M}?", "Is {A} within {M} of you?", "Is {A} less than {M} away?",
       "Yes or no: is {A} nearer than {M}?", "Is {A} within {M}?", "Does {A} sound from less than {M} away?",
       "Is it less than {M} to {A}?", "Is the distance to {A} below {M}?", "Would you say that {A} is within {M}?"},
      {{"{A}", source.words.the_noun}, {"{M}", MetresPhrase(fitting[asking.random.Index(fitting.size())])}});
  AnswerYesOrNo(yes, draft);
  return draft;
}

// Needs: 12 degrees or more above or below the ears.
std::optional<Draft> AskWhetherAbove(const HeardSource& source, const Asking& asking) {
  if (std::abs(source.elevation_deg) < 12.0) return std::nullopt;
  const bool above = asking.random.Chance(0.5);
  Draft draft;
  draft.text = Say(asking,
                   {"Is {A} {W} you?", "Is {A} {W} your ears?", "Does {A} sound from {W} you?",
                    "Do you hear {A} {W} you?", "Yes or no: is {A} {W} you?", "Is it true that {A} is {W} you?",
                    "Does {A} come from {W} you?", "Would you say that {A} is {W} you?", "Is {A} somewhere {W} you?"},
                   {{"{A}", source.words.the_noun}, {"{W}", above ? "above" : "below"}});
  AnswerYesOrNo((source.elevation_deg > 0) == above, draft);
  return draft;
}

// Needs: a start 0.8 s or more from a whole or half second that is asked about.
std::optional<Draft> AskWhetherStartedBy(const HeardScene& heard, const HeardSource& source, const Asking& asking) {
  const bool yes = asking.random.Chance(0.5);
  std::vector<double> fitting;
  for (int halves = 2; 0.5 * halves <= 0.7 * heard.duration_s; ++halves) {
    const double seconds = 0.5 * halves;
    if (yes ? source.onset_s <= seconds - 0.8 : source.onset_s >= seconds + 0.8) fitting.push_back(seconds);
  }
  if (fitting.empty()) return std::nullopt;
  Draft draft;
  draft.text =
      Say(asking,
          {"Does {A} start before {T}?", "Is {A} first heard before {T}?", "Does {A} begin within the first {T}?",
           "Do you hear {A} before {T}?", "Has {A} started by {T}?", "Yes or no: does {A} start before {T}?",
           "Is it true that {A} starts before {T}?", "Does {A} set in before {T}?",
           "Would you say that {A} starts before {T}?"},
          {{"{A}", source.words.the_noun}, {"{T}", SecondsPhrase(fitting[asking.random.Index(fitting.size())])}});
  AnswerYesOrNo(yes, draft);
  return draft;
}

// Whether to name a sound that is not there this time; if so, which.
std::optional<ClassWords> NameAbsent(const HeardScene& heard, const Asking& asking) {
  if (!asking.random.Chance(asking.absent_share)) return std::nullopt;
  const std::vector<ClassWords> absent = DrawAbsent(heard, 1, asking.random);
  if (absent.empty()) return std::nullopt;
  return absent[0];
}

std::string SayWhere(const Asking& asking, std::string_view the_noun) {
  return Say(asking,
             {"Where is {A}?",
              "Whereabouts is {A}?",
              "What is the direction of {A}?",
              "Which side is {A} on?",
              "Give me the direction of {A}.",
              "Can you tell where {A} is?",
              "I hear {A}: from where?",
              "{A}: which direction?",
              "At what azimuth is {A}?",
              "Which way should I look to see {A}?",
              "From where does {A} reach you?",
              "What direction do you hear {A} from?",
              "Where around you is {A}?",
              "In which direction is {A}?",
              "From which direction do you hear {A}?",
              "Where does the sound of {A} come from?",
              "Which way is {A}?",
              "What is the horizontal direction of {A}?",
              "Where do you hear {A}?",
              "Tell me where {A} is.",
              "Which direction does {A} come from?",
              "Locate {A}: which way?",
              "Say where {A} is.",
              "If you face {A}, which way do you look?",
              "Turn your head to {A}: which way is that?",
              "Point to {A}: which way is it?",
              "Which way would you turn your head to face {A}?"},
             {{"{A}", the_noun}});
}

std::string SayHowFar(const Asking& asking, std::string_view the_noun) {
  return Say(asking,
             {"How far away is {A}?",
              "How many metres off is {A}?",
              "How near is {A}?",
              "Is {A} near or far, and how many metres?",
              "Give the distance of {A}.",
              "How far off is {A}?",
              "{A}: how far?",
              "Roughly how far away is {A}?",
              "What distance is {A} at?",
              "How long is the way to {A}?",
              "How far is it from you to {A}?",
              "Tell me the distance to {A}.",
              "What is the distance to {A}?",
              "How many metres away is {A}?",
              "How far from you is {A}?",
              "At what distance is {A}?",
              "How far is {A}?",
              "Estimate the distance to {A}.",
              "How close is {A}?",
              "How many metres is it to {A}?",
              "Say how far {A} is.",
              "How distant is {A}?",
              "How distant does {A} sound?",
              "Estimate how far {A} is from you."},
             {{"{A}", the_noun}});
}

std::string SayWhenStart(const Asking& asking, std::string_view the_noun) {
  return Say(asking,
             {"When does {A} start?",
              "When does {A} first sound?",
              "From when on is {A} heard?",
              "What is the start time of {A}?",
              "When does the sound of {A} begin?",
              "Tell me when {A} starts.",
              "At what moment does {A} start?",
              "{A}: when does it start?",
              "How late does {A} start?",
              "At which time does {A} begin?",
              "When did {A} start?",
              "At what time is {A} first heard?",
              "When do you first hear {A}?",
              "How many seconds in does {A} begin?",
              "What is the onset of {A}?",
              "When does {A} begin?",
              "At which second does {A} start?",
              "Say when {A} starts.",
              "After what time do you hear {A}?",
              "When is {A} first audible?",
              "How long does it take until {A} comes in?",
              "When does {A} set in?",
              "After how many seconds does {A} come in?"},
             {{"{A}", the_noun}});
}

// Reverberation times need a finer figure than onsets: 0.05 s.
std::string ReverberationPhrase(double seconds) {
  const long hundredths = 5 * std::lround(seconds * 20.0);
  const std::string text = absl::StrCat(hundredths / 100, ".", hundredths % 100 < 10 ? "0" : "", hundredths % 100);
  return absl::StrCat(text.back() == '0' ? text.substr(0, text.size() - 1) : text, " s");
}

// Of the questions about scenes of sim/scene/full.json with so many sources, the share that is asked, so that no answer
// is likelier than another before one has listened: 1, 2, 3 or 4 in all, and 0, 1, 2 or 3 on one side (where 3 is so
// rare that it stays rarer).
constexpr std::array<double, 4> kKeptOfAll = {0.69, 0.48, 0.54, 1.0};
constexpr std::array<double, 4> kKeptOfASide = {0.20, 0.22, 0.40, 1.0};
double Kept(const std::array<double, 4>& shares, int place) {
  return place < static_cast<int>(shares.size()) ? shares[static_cast<size_t>(place)] : 1.0;
}

}  // namespace

// Needs: a named source, or for lists a scene that is audible in full. Sets differ by a 2 x 2 design, {A,B} {A,D} {C,B}
// {C,D}: every sound stands in two options.
std::optional<Draft> AskDetectSources(const HeardScene& heard, const Asking& asking) {
  Random& random = asking.random;
  std::vector<const HeardSource*> named;
  for (const HeardSource& source : heard.sources) {
    if (source.unique) named.push_back(&source);
  }
  Draft draft;
  const bool whole = heard.complete && named.size() == heard.sources.size();
  if (!asking.multiple_choice && (!whole || random.Chance(0.4))) {  // yes or no, each half of the time
    const bool present = random.Chance(0.5);
    if (named.empty()) return std::nullopt;
    const std::vector<ClassWords> absent = DrawAbsent(heard, 1, random);
    if (absent.empty()) return std::nullopt;
    const ClassWords& words = present ? named[random.Index(named.size())]->words : absent[0];
    draft.text = Say(asking,
                     {"Is there {A}?",
                      "Is {A} present?",
                      "Is there {A} in this scene?",
                      "Does {A} occur?",
                      "Have you heard {A}?",
                      "Was there {A}?",
                      "Can {A} be heard?",
                      "Is {A} one of the sounds?",
                      "Do you hear {A} anywhere?",
                      "Tell me whether there is {A}.",
                      "Any sign of {A}?",
                      "Is it true that there is {A}?",
                      "Did you hear {A}?",
                      "Do you hear {A}?",
                      "Can you hear {A}?",
                      "Is {A} among the sounds?",
                      "Does this recording have {A} in it?",
                      "Is {A} audible?",
                      "Is {A} there?",
                      "Could you say whether there is {A}?",
                      "Do you notice {A}?",
                      "Does {A} sound here?",
                      "Yes or no: is there {A}?",
                      "Is {A} to be heard here?",
                      "Would you say that there is {A}?"},
                     {{"{A}", words.a_noun}});
    AnswerYesOrNo(present, draft);
    return draft;
  }
  if (asking.multiple_choice && !named.empty() && (!whole || named.size() == 1 || random.Chance(0.4))) {
    const HeardSource& source = *Pick(named, random);
    draft.text = Say(asking, {"Which of these do you hear?",
                              "Which of these is there?",
                              "Which of these sounds occurs?",
                              "Pick the sound that is there.",
                              "Which sound is present?",
                              "What is there to hear?",
                              "Which of these is sounding?",
                              "Which of these sources is present?",
                              "What sound is in this scene?",
                              "Which of these sounds is present?",
                              "What is heard in this recording?",
                              "Which sound occurs here?",
                              "Which of the four can be heard?",
                              "Which of these can be heard?",
                              "Which one do you hear?",
                              "Only one of these is there: which?",
                              "Which of the four sounds is in the recording?",
                              "Which one of these is audible?",
                              "Which one is in the recording?",
                              "One of these is audible: which?"});
    draft.options = {source.words.a_noun};
    for (const ClassWords& words : DrawAbsent(heard, 3, random)) draft.options.push_back(words.a_noun);
    if (draft.options.size() != 4) return std::nullopt;
    draft.key.mutable_classes()->add_class_names(source.words.name);
    draft.key.set_reference(Sentence(source.words.a_noun));
    return draft;
  }
  if (!whole) return std::nullopt;
  draft.text = Say(asking, {"Which sounds do you hear?",
                            "What are the sounds?",
                            "Which sounds are present?",
                            "Which sounds can you hear?",
                            "What sounds can you make out?",
                            "Give all the sounds.",
                            "What is in this recording?",
                            "Describe the sounds by name.",
                            "Which sounds occur?",
                            "What makes noise here?",
                            "Say what you hear.",
                            "List everything that you hear.",
                            "Which sounds can be heard?",
                            "Name everything that sounds.",
                            "What noises are there?",
                            "Who or what is making sounds?",
                            "What is audible here?",
                            "Name what you hear around you.",
                            "What do your ears tell you is there?",
                            "What do you hear?",
                            "What is sounding here?",
                            "Name all the sounds.",
                            "List the sound sources.",
                            "Which sound sources are there?",
                            "What sounds are there?",
                            "Tell me what you hear.",
                            "What sources do you hear?",
                            "Which things are sounding?",
                            "Identify all the sounds.",
                            "Name every sound source.",
                            "What all can you hear?",
                            "What can be heard around you?",
                            "Tell me every sound you notice."});
  std::vector<std::string> nouns;
  for (const HeardSource* source : named) {
    nouns.push_back(source->words.a_noun);
    draft.key.mutable_classes()->add_class_names(source->words.name);
  }
  draft.key.set_reference(Sentence(JoinNouns(nouns)));
  if (asking.multiple_choice) {
    if (nouns.size() < 2) return std::nullopt;
    random.Shuffle(nouns);
    const std::vector<ClassWords> absent = DrawAbsent(heard, 2, random);
    if (absent.size() != 2) return std::nullopt;
    for (int variant = 0; variant < 4; ++variant) {
      std::vector<std::string> set = nouns;
      if (variant & 1) set[0] = absent[0].a_noun;
      if (variant & 2) set[1] = absent[1].a_noun;
      draft.options.push_back(JoinNouns(set));
    }
  }
  return draft;
}

// Needs: a scene that is audible in full; for a side, every source at least 20 degrees from the median plane.
std::optional<Draft> AskCountSources(const HeardScene& heard, const Asking& asking) {
  if (!heard.complete) return std::nullopt;
  Random& random = asking.random;
  bool sides_clear = true;
  int left = 0;
  for (const HeardSource& source : heard.sources) {
    sides_clear &= std::abs(std::sin(source.azimuth_deg * M_PI / 180.0)) > std::sin(20.0 * M_PI / 180.0) &&
                   std::abs(source.elevation_deg) < 60.0 && !source.moving;
    left += source.azimuth_deg > 0 ? 1 : 0;
  }
  const int total = static_cast<int>(heard.sources.size());
  Draft draft;
  int count = total;
  // Which of the two is asked depends on the lot alone, and common counts are thinned out.
  const bool one_side = asking.lot < 0.5;
  if (one_side) {
    const bool ask_left = random.Chance(0.5);
    count = ask_left ? left : total - left;
    if (!sides_clear || asking.lot / 0.5 >= Kept(kKeptOfASide, count)) return std::nullopt;
    draft.text =
        Say(asking, {"How many sounds come from your {S}?",         "How many sources do you hear on the {S}?",
                     "What is the count of sounds on your {S}?",    "How many are on your {S}?",
                     "Tell me how many sounds are on the {S}.",     "How many sounds are there on the {S}?",
                     "Give the number of sounds on your {S}.",      "On the {S}, how many sounds do you hear?",
                     "How many noises come from the {S}?",          "How many sources are on your {S}?",
                     "Count the sounds on the {S} side.",           "How many sounds are to the {S} of you?",
                     "What is the number of sources on the {S}?",   "How many sounds do you hear on your {S}?",
                     "On your {S}, how many sources are there?",    "Say how many sounds are on your {S}.",
                     "How many things sound on the {S}?",           "How many separate sounds are on your {S} side?",
                     "On the {S} side, how many sounds are there?", "How many different things sound on your {S}?"},
            {{"{S}", ask_left ? "left" : "right"}});
  } else {
    if ((asking.lot - 0.5) / 0.5 >= Kept(kKeptOfAll, count - 1)) return std::nullopt;
    draft.text = Say(asking, {"How many sounds are there?",
                              "How many different sounds are there?",
                              "How many sources can you hear?",
                              "Give the number of sound sources.",
                              "Count the sounds.",
                              "How many sounds can be heard?",
                              "How many sounds are in the recording?",
                              "How many noises do you hear?",
                              "What is the number of sounds?",
                              "How many of them are there?",
                              "How many objects make a sound?",
                              "Count how many things you hear.",
                              "How many separate things do you hear?",
                              "How many sources sound here?",
                              "In all, how many sounds are there?",
                              "Can you count the sounds?",
                              "How many things can you hear?",
                              "How many sound sources do you hear?",
                              "Count the sound sources.",
                              "How many different sounds do you hear?",
                              "What is the number of sources?",
                              "How many sources are there?",
                              "How many sounds do you hear?",
                              "Say how many sounds there are.",
                              "How many different sources can you hear?",
                              "Tell me the number of sounds.",
                              "How many separate sounds are there?",
                              "How many things are sounding?",
                              "How many separate sources can you make out?"});
  }
  draft.key.set_count(count);
  draft.key.set_reference(absl::StrCat(count, "."));
  if (asking.multiple_choice) {
    const int first = one_side ? 0 : 1;
    if (count > first + 3) return std::nullopt;
    draft.options = {absl::StrCat(count)};
    for (int i = first; i < first + 4; ++i) {
      if (i != count) draft.options.push_back(absl::StrCat(i));
    }
  }
  return draft;
}

// Needs: a named source that is heard to start; for spans one stretch, heard to end, of at least 1 s and at most 70 %
// of the clip (multiple choice: half).
std::optional<Draft> AskDetectTime(const HeardScene& heard, const Asking& asking) {
  Random& random = asking.random;
  Draft draft;
  if (const std::optional<ClassWords> absent = NameAbsent(heard, asking); absent && !heard.sources.empty()) {
    draft.text = SayWhenStart(asking, absent->the_noun);
    draft.key = AbsentKey(*absent);
    if (asking.multiple_choice) {
      for (double onset : DrawNumbers(OnsetKind(heard), Invented(OnsetKind(heard), asking), asking.lot, {}, nullptr))
        draft.options.push_back(SecondsPhrase(onset));
      if (draft.options.empty()) return std::nullopt;
      draft.options[0] = std::string(kNoSuchSound);
    }
    return draft;
  }
  std::vector<const HeardSource*> named;
  for (const HeardSource& source : heard.sources) {
    if (source.unique && source.onset_heard) named.push_back(&source);
  }
  const HeardSource* source = Pick(named, random);
  if (source == nullptr) return std::nullopt;
  if (!asking.multiple_choice && random.Chance(kYesOrNoShare)) return AskWhetherStartedBy(heard, *source, asking);
  const double length = source->end_s - source->onset_s;
  const double longest = (asking.multiple_choice ? 0.35 : 0.7) * heard.duration_s;
  if (source->one_span && source->end_heard && length >= 1.0 && length <= longest && random.Chance(0.6)) {
    draft.text = Say(asking,
                     {"When do you hear {A}?",
                      "From what time to what time is {A} heard?",
                      "During which seconds does {A} sound?",
                      "What time span does {A} cover?",
                      "When does {A} sound?",
                      "Give the start and end of {A}.",
                      "Tell me when {A} begins and ends.",
                      "{A}: from when to when?",
                      "At what times do you hear {A}?",
                      "Within which time is {A} audible?",
                      "From when to when do you hear {A}?",
                      "During which time is {A} heard?",
                      "When is {A} audible?",
                      "Over what time span does {A} sound?",
                      "Between which times does {A} sound?",
                      "From when to when does {A} sound?",
                      "When does {A} start and end?",
                      "At which times is {A} heard?",
                      "Say from when to when {A} sounds.",
                      "When is {A} there?",
                      "During which seconds do you hear {A}?",
                      "What is the time span of {A}?",
                      "From which second to which second is {A} there?"},
                     {{"{A}", source->words.the_noun}});
    draft.key.mutable_span()->set_start_seconds(source->onset_s);
    draft.key.mutable_span()->set_end_seconds(source->end_s);
    draft.key.set_reference(Sentence(SpanPhrase(source->onset_s, source->end_s)));
    if (asking.multiple_choice) {
      std::vector<std::pair<double, double>> spans;
      // All of one length, each somewhere else: a length of its own would tell.
      const double latest = heard.duration_s - length;
      for (double place :
           DrawNumbers(NumberKind::kPlaceOfSpan, source->onset_s / latest, asking.lot, {}, asking.truths)) {
        spans.push_back({place * latest, place * latest + length});
      }
      if (spans.empty() || !AllApart(spans)) return std::nullopt;
      for (const auto& [start, end] : spans) draft.options.push_back(SpanPhrase(start, end));
    }
    return draft;
  }
  draft.text = SayWhenStart(asking, source->words.the_noun);
  draft.key.set_seconds(source->onset_s);
  draft.key.set_reference(Sentence(absl::StrCat("at ", SecondsPhrase(source->onset_s))));
  if (asking.multiple_choice) {
    for (double onset : DrawNumbers(OnsetKind(heard), source->onset_s, asking.lot,
                                    Others(heard, *source, &HeardSource::onset_s), asking.truths))
      draft.options.push_back(SecondsPhrase(onset));
    OfferNoSuchSound(asking, draft.options);
  }
  return draft;
}

// Needs: a named, resting source below 60 degrees of elevation.
std::optional<Draft> AskAzimuth(const HeardScene& heard, const Asking& asking) {
  Random& random = asking.random;
  Draft draft;
  if (heard.sources.empty()) return std::nullopt;
  if (const std::optional<ClassWords> absent = NameAbsent(heard, asking)) {
    if (asking.multiple_choice &&
        !AnswerWithAzimuth(asking, random.Uniform(-180.0, 180.0),
                           {heard.sources[random.Index(heard.sources.size())].azimuth_deg}, draft)) {
      return std::nullopt;
    }
    if (asking.multiple_choice) draft.options[0] = std::string(kNoSuchSound);
    draft.text = SayWhere(asking, absent->the_noun);
    draft.key = AbsentKey(*absent);
    return draft;
  }
  const HeardSource* source = Pick(heard.Nameable(), random);
  if (source == nullptr || std::abs(source->elevation_deg) > 60.0) return std::nullopt;
  if (!asking.multiple_choice && random.Chance(kYesOrNoShare)) return AskWhetherOnASide(*source, asking);
  draft.text = SayWhere(asking, source->words.the_noun);
  if (!AnswerWithAzimuth(asking, source->azimuth_deg, Others(heard, *source, &HeardSource::azimuth_deg), draft)) {
    return std::nullopt;
  }
  OfferNoSuchSound(asking, draft.options);
  return draft;
}

// Needs: a named, resting source. Near ear level the truth is the guess that anyone would make: mostly skipped.
std::optional<Draft> AskElevation(const HeardScene& heard, const Asking& asking) {
  Random& random = asking.random;
  const HeardSource* source = Pick(heard.Nameable(), random);
  if (source == nullptr) return std::nullopt;
  const double elevation = source->elevation_deg;
  if (!asking.multiple_choice && random.Chance(kYesOrNoShare)) return AskWhetherAbove(*source, asking);
  if (!asking.multiple_choice && std::abs(elevation) < 13.0 && asking.lot > 0.4) return std::nullopt;
  Draft draft;
  draft.text = Say(asking,
                   {"How high is {A}, seen from you?",
                    "What is the vertical angle of {A}?",
                    "How many degrees above or below is {A}?",
                    "Is {A} high or low, and by how many degrees?",
                    "At what angle up or down do you hear {A}?",
                    "Give the elevation of {A}.",
                    "What elevation has {A}?",
                    "{A}: how high?",
                    "How far above or below you is {A}?",
                    "How low or high is {A}?",
                    "Tell me the elevation of {A}.",
                    "At what elevation is {A}?",
                    "Is {A} above or below you, and by how much?",
                    "What is the elevation of {A}?",
                    "How far up or down is {A}?",
                    "At what vertical angle is {A}?",
                    "How high up is {A}?",
                    "Is {A} up or down, and by how many degrees?",
                    "Estimate the elevation of {A}.",
                    "At what height angle is {A}?",
                    "How many degrees up or down is {A}?",
                    "How far above or below your ears is {A}?",
                    "Say how high {A} is.",
                    "Up or down, at which angle is {A}?",
                    "What is the angle of {A} above or below your ears?"},
                   {{"{A}", source->words.the_noun}});
  draft.key.set_elevation_deg(elevation);
  draft.key.set_reference(Sentence(ElevationPhrase(elevation)));
  if (asking.multiple_choice) {
    for (double option : DrawNumbers(NumberKind::kElevation, elevation, asking.lot,
                                     Others(heard, *source, &HeardSource::elevation_deg), asking.truths))
      draft.options.push_back(ElevationPhrase(option));
  }
  return draft;
}

// Needs: a named, resting source.
std::optional<Draft> AskDistance(const HeardScene& heard, const Asking& asking) {
  Random& random = asking.random;
  Draft draft;
  if (heard.sources.empty()) return std::nullopt;
  const auto options = [&](double truth, const std::vector<double>& swaps, TruthLog* log) {
    for (double metres : DrawNumbers(NumberKind::kDistance, truth, asking.lot, swaps, log)) {
      draft.options.push_back(MetresPhrase(metres));
    }
    return draft.options.size() == 4;
  };
  if (const std::optional<ClassWords> absent = NameAbsent(heard, asking)) {
    draft.text = SayHowFar(asking, absent->the_noun);
    draft.key = AbsentKey(*absent);
    if (asking.multiple_choice) {
      if (!options(Invented(NumberKind::kDistance, asking), {}, nullptr)) return std::nullopt;
      draft.options[0] = std::string(kNoSuchSound);
    }
    return draft;
  }
  const HeardSource* source = Pick(heard.Nameable(), random);
  if (source == nullptr) return std::nullopt;
  if (!asking.multiple_choice && random.Chance(kYesOrNoShare)) return AskWhetherNearerThan(*source, asking);
  draft.text = SayHowFar(asking, source->words.the_noun);
  draft.key.set_distance_m(source->distance_m);
  draft.key.set_reference(Sentence(MetresPhrase(source->distance_m)));
  if (asking.multiple_choice) {
    if (!options(source->distance_m, Others(heard, *source, &HeardSource::distance_m), asking.truths))
      return std::nullopt;
    OfferNoSuchSound(asking, draft.options);
  }
  return draft;
}

// Needs: a room with a measured reverberation time and something audible in it.
std::optional<Draft> AskReverberation(const HeardScene& heard, const Asking& asking) {
  const v1::Room& room = heard.scene->room();
  if (heard.sources.empty() || room.free_field() || room.t30_seconds() < 0.08) return std::nullopt;
  Draft draft;
  draft.text = Say(asking, {"How long is the reverberation?",
                            "What is the decay time of the room?",
                            "How long is the echo?",
                            "How long does the echo last?",
                            "What is the T30?",
                            "Give the reverberation time.",
                            "How many seconds does the echo last?",
                            "How echoing is the room, in seconds?",
                            "Tell me the reverberation time.",
                            "How long does sound linger here?",
                            "How many seconds does the reverberation last?",
                            "How long does the room go on ringing?",
                            "What is the decay time?",
                            "What is the reverberation time?",
                            "What is the reverberation time of the room?",
                            "How long does the room ring?",
                            "What is the room's T30?",
                            "How reverberant is the room, in seconds?",
                            "Estimate the reverberation time.",
                            "How many seconds does the room ring?",
                            "How long does sound die away in this room?",
                            "What is the decay time here?",
                            "Say how long the reverberation is.",
                            "How reverberant is this room?",
                            "How many seconds does sound take to die away here?",
                            "Estimate the room's decay time."});
  draft.key.set_seconds(room.t30_seconds());
  draft.key.set_reference(Sentence(ReverberationPhrase(room.t30_seconds())));
  if (asking.multiple_choice) {
    for (double seconds : DrawNumbers(NumberKind::kReverberation, room.t30_seconds(), asking.lot, {}, asking.truths)) {
      draft.options.push_back(ReverberationPhrase(seconds));
    }
    if (draft.options.size() != 4) return std::nullopt;
  }
  return draft;
}

// Needs: something audible. Free field: the answer is open air; it is offered for rooms so often that it is right one
// time in four when free-field scenes are one in ten.
std::optional<Draft> AskRoomSize(const HeardScene& heard, const Asking& asking) {
  const v1::Room& room = heard.scene->room();
  if (heard.sources.empty() || (!room.free_field() && room.volume_m3() < 5.0)) return std::nullopt;
  Random& random = asking.random;
  constexpr std::string_view kOpenAir = "open air";
  Draft draft;
  draft.text = Say(asking, {"How large is the room?",
                            "What is the size of the room?",
                            "What is the volume of this place?",
                            "How many cubic metres is the room?",
                            "How big is the room around you?",
                            "Give the volume of the room.",
                            "Say how large this place is.",
                            "How large is the space?",
                            "How spacious is it here?",
                            "Tell me the size of the room.",
                            "How big is the place where this was recorded?",
                            "How much space is there around you?",
                            "What is the volume of the space around you?",
                            "How many cubic metres is this place?",
                            "Is this a small room or a large one: how many cubic metres?",
                            "How big is the space around you?",
                            "What is the volume of the room?",
                            "What size is the room?",
                            "How many cubic metres has the room?",
                            "How big is this place?",
                            "How big is the room?",
                            "How large is this place?",
                            "Estimate the size of the room.",
                            "What volume has the room?",
                            "Say how big the room is.",
                            "How many cubic metres are there around you?",
                            "Estimate the room's volume.",
                            "What is the size of the place you are in?"});
  if (room.free_field()) {
    draft.key.mutable_choice()->set_value(std::string(kOpenAir));
    draft.key.mutable_choice()->add_allowed(std::string(kOpenAir));
    draft.key.mutable_choice()->add_allowed("room");
    draft.key.set_reference(Sentence(kOpenAir));
  } else {
    draft.key.set_volume_m3(room.volume_m3());
    draft.key.set_reference(Sentence(VolumePhrase(room.volume_m3())));
  }
  if (asking.multiple_choice) {
    const double volume = room.free_field() ? Invented(NumberKind::kVolume, asking) : room.volume_m3();
    for (double option :
         DrawNumbers(NumberKind::kVolume, volume, asking.lot, {}, room.free_field() ? nullptr : asking.truths)) {
      draft.options.push_back(VolumePhrase(option));
    }
    if (draft.options.size() != 4) return std::nullopt;
    if (room.free_field()) {
      draft.options[0] = std::string(kOpenAir);
    } else if (random.Chance(1.0 / 3.0)) {
      draft.options[1 + random.Index(3)] = std::string(kOpenAir);
    }
  }
  return draft;
}

// Needs: a named source that moves, plainly one way.
std::optional<Draft> AskMotion(const HeardScene& heard, const Asking& asking) {
  std::vector<const HeardSource*> moving;
  for (const HeardSource& source : heard.sources) {
    const v1::MotionKind kind = source.source->motion();
    const bool plain = kind != v1::MOTION_KIND_UNSPECIFIED && kind != v1::MOTION_KIND_STATIC;
    if (source.unique && plain) moving.push_back(&source);
  }
  const HeardSource* source = Pick(moving, asking.random);
  if (source == nullptr) return std::nullopt;
  constexpr std::array<std::pair<v1::MotionKind, std::string_view>, 4> kMotions = {{
      {v1::MOTION_KIND_MOVING_LEFT, "to the left"},
      {v1::MOTION_KIND_MOVING_RIGHT, "to the right"},
      {v1::MOTION_KIND_APPROACHING, "closer"},
      {v1::MOTION_KIND_RECEDING, "away"},
  }};
  Draft draft;
  draft.text = Say(asking,
                   {"How does {A} move?", "What way is {A} going?", "Is {A} moving, and which way?",
                    "{A}: which way does it go?", "Tell me which way {A} moves.", "What is the movement of {A}?",
                    "Which way does {A} move?", "In which direction is {A} moving?", "Where is {A} heading?",
                    "What is the motion of {A}?", "Say how {A} moves.", "What does {A} do: which way does it move?",
                    "Where does {A} go?", "Tell me how {A} moves.", "How is {A} moving?", "Describe how {A} moves."},
                   {{"{A}", source->words.the_noun}});
  for (const auto& [kind, words] : kMotions) {
    draft.key.mutable_choice()->add_allowed(std::string(words));
    if (kind == source->source->motion()) {
      draft.key.mutable_choice()->set_value(std::string(words));
      draft.key.set_reference(Sentence(words));
      draft.options.insert(draft.options.begin(), std::string(words));
    } else {
      draft.options.emplace_back(words);
    }
  }
  if (!asking.multiple_choice) draft.options.clear();
  return draft;
}

}  // namespace auricle::sim
