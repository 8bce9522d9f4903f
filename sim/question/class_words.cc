#include "sim/question/class_words.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sim/source/sound_classes.h"

namespace auricle::sim {
namespace {

std::string WithoutArticle(std::string_view phrase) {
  for (std::string_view article : {"a ", "an ", "the "}) {
    if (phrase.starts_with(article)) return std::string(phrase.substr(article.size()));
  }
  return std::string(phrase);
}

ClassWords Words(std::string_view name, std::string_view label, std::string_view a_noun, std::string_view plural,
                 std::vector<std::string> synonyms) {
  ClassWords words;
  words.name = std::string(name);
  words.label = std::string(label);
  words.a_noun = std::string(a_noun);
  words.noun = WithoutArticle(a_noun);
  words.the_noun = absl::StrCat("the ", words.noun);
  words.plural = std::string(plural);
  words.synonyms = std::move(synonyms);
  return words;
}

// What sim/source/classes.tsv does not say: further names, and one thing where the table names a pair ("a duck or
// hen"), since questions must be short and speak of one thing.
struct SpokenName {
  std::string_view class_name;
  std::string_view a_noun;  // empty: the table's
  std::string_view plural;
  std::vector<std::string> synonyms;
};

std::vector<SpokenName> SpokenNames() {
  return {
      {"speech", "", "", {"speaker", "speaking", "voice", "speech", "talking", "someone speaking", "man", "woman"}},
      {"laughter", "", "", {"laughter", "laughing"}},
      {"scream", "", "", {"screaming", "shout", "yell"}},
      {"cough", "", "", {"coughing", "sneeze", "sneezing"}},
      {"baby", "", "", {"crying", "infant"}},
      {"applause", "", "", {"clapping", "clapping hands", "applauding"}},
      {"footsteps", "footsteps", "footsteps", {"walker", "walking", "steps", "someone walking"}},
      {"dog", "", "", {"barking", "bark", "puppy"}},
      {"cow", "", "", {"mooing", "moo", "cattle"}},
      {"horse", "", "", {"neighing", "neigh"}},
      {"sheep", "", "", {"bleating", "goat", "lamb"}},
      {"rooster", "", "", {"crowing", "cock", "cockerel"}},
      {"poultry", "a farm bird", "farm birds",
       {"duck", "ducks", "hen", "hens", "chicken", "chickens", "goose", "geese", "poultry", "quacking", "clucking"}},
      {"songbird", "", "", {"bird", "birds", "birdsong", "chirping bird", "chirping"}},
      {"insect", "", "", {"cricket", "crickets", "bee", "bees", "mosquito", "fly", "buzzing"}},
      {"wolf", "", "", {"howling", "howl"}},
      {"growl", "", "", {"growling", "growl", "lion", "tiger", "bear", "pig", "grunting"}},
      {"rain", "", "", {"raining", "rainfall"}},
      {"thunder", "", "", {"thunderstorm", "thunderclap"}},
      {"wind", "", "", {"windy"}},
      {"waves", "", "", {"sea waves", "ocean", "surf"}},
      {"water", "", "", {"water", "stream", "splashing"}},
      {"fire", "", "", {"crackling fire", "flames", "campfire"}},
      {"door", "", "", {"door opening", "door closing"}},
      {"clock", "", "", {"ticking"}},
      {"phone", "a phone", "phones", {"alarm", "telephone", "ringtone"}},
      {"bell", "", "", {"church bell", "bell ringing"}},
      {"glass", "", "", {"glass", "shattering glass", "glass breaking"}},
      {"hammer", "", "", {"hammering", "chisel", "axe"}},
      {"chainsaw", "", "", {"chain saw", "saw"}},
      {"engine", "", "", {"car", "truck", "motor", "vehicle", "car engine"}},
      {"horn", "", "", {"car horn", "honking", "honk"}},
      {"train", "", "", {"railway", "locomotive"}},
      {"helicopter", "", "", {"chopper"}},
      {"airplane", "", "", {"plane", "aeroplane", "aircraft", "jet"}},
      {"gunshot", "", "", {"gunshot", "gunfire", "gun shot", "shot", "gunshots"}},
      {"explosion", "", "", {"blast", "bang"}},
      {"piano", "", "", {"piano music"}},
      {"guitar", "", "", {"guitar music"}},
      {"violin", "", "", {"fiddle"}},
      {"winds", "", "",
       {"flute", "clarinet", "oboe", "saxophone", "woodwind", "trumpet", "trombone", "tuba", "brass", "brass instrument",
        "organ", "accordion", "harmonica", "bagpipe"}},
      {"xylophone", "", "", {"marimba", "glockenspiel"}},
      {"drum", "", "", {"drumming", "drumbeat"}},
      {"cymbal", "", "", {"hi hat"}},
  };
}

std::vector<ClassWords> BuildVocabulary() {
  const std::vector<SpokenName> spoken = SpokenNames();
  std::vector<ClassWords> vocabulary;
  for (const SoundClass& sound : SoundClasses()) {
    const auto own = std::find_if(spoken.begin(), spoken.end(),
                                  [&sound](const SpokenName& name) { return name.class_name == sound.name; });
    ClassWords words = Words(sound.name, sound.label, sound.noun, sound.plural, {});
    if (own != spoken.end()) {
      if (!own->a_noun.empty()) {
        words = Words(sound.name, sound.label, own->a_noun, own->plural, {words.noun, sound.plural});
      }
      words.synonyms.insert(words.synonyms.end(), own->synonyms.begin(), own->synonyms.end());
    }
    vocabulary.push_back(std::move(words));
  }
  return vocabulary;
}

const std::vector<ClassWords>& Vocabulary() {
  static const auto* const vocabulary = new std::vector<ClassWords>(BuildVocabulary());
  return *vocabulary;
}

}  // namespace

std::span<const ClassWords> AllClassWords() { return Vocabulary(); }

const ClassWords* FindClassWords(std::string_view class_name) {
  for (const ClassWords& words : Vocabulary()) {
    if (words.name == class_name) return &words;
  }
  return nullptr;
}

ClassWords DeriveClassWords(std::string_view class_name, std::string_view label) {
  const std::string spoken =
      absl::AsciiStrToLower(absl::StrReplaceAll(std::string(class_name), {{"_", " "}, {"-", " "}}));
  const std::string a_noun = absl::StrCat("a ", spoken.empty() ? "sound" : spoken);
  ClassWords words = Words(class_name, label.empty() ? a_noun : label, a_noun, absl::StrCat(spoken, "s"), {});
  if (!label.empty()) words.synonyms.push_back(absl::AsciiStrToLower(WithoutArticle(label)));
  return words;
}

}  // namespace auricle::sim
