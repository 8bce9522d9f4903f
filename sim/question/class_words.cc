#include "sim/question/class_words.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

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

// One row a class of sim/source/classes.tsv (a test holds the two together). Nouns are single words where that table
// names a pair ("a duck or hen"): questions must be short and speak of one thing.
std::vector<ClassWords> BuildVocabulary() {
  return {
      Words("speech", "a person speaking", "a voice", "voices", {"speaker", "speaking", "voice", "speech", "talking", "someone speaking", "man", "woman"}),
      Words("laughter", "a person laughing", "laughter", "laughs", {"laughter", "laughing"}),
      Words("scream", "a person screaming", "a scream", "screams", {"screaming", "shout", "yell"}),
      Words("cough", "a person coughing", "a cough", "coughs", {"coughing", "sneeze", "sneezing"}),
      Words("baby", "a baby crying", "a baby", "babies", {"crying", "infant"}),
      Words("applause", "people applauding", "applause", "rounds of applause", {"clapping", "clapping hands", "applauding"}),
      Words("footsteps", "a person walking", "footsteps", "footsteps", {"walker", "walking", "steps", "someone walking"}),
      Words("dog", "a dog barking", "a dog", "dogs", {"barking", "bark", "puppy"}),
      Words("cow", "a cow mooing", "a cow", "cows", {"mooing", "moo", "cattle"}),
      Words("horse", "a horse neighing", "a horse", "horses", {"neighing", "neigh"}),
      Words("sheep", "a sheep bleating", "a sheep", "sheep", {"bleating", "goat", "lamb"}),
      Words("rooster", "a rooster crowing", "a rooster", "roosters", {"crowing", "cock", "cockerel"}),
      Words("duck", "a duck quacking", "a duck", "ducks", {}),
      Words("songbird", "a songbird chirping", "a songbird", "songbirds", {"bird", "birds", "birdsong", "chirping bird", "chirping"}),
      Words("cricket", "a cricket chirping", "a cricket", "crickets", {}),
      Words("bee", "a bee buzzing", "a bee", "bees", {"buzzing bee", "insect"}),
      Words("rain", "rain falling", "rain", "showers of rain", {"raining", "rainfall"}),
      Words("thunder", "thunder rumbling", "thunder", "claps of thunder", {"thunderstorm", "thunderclap"}),
      Words("wind", "wind blowing", "wind", "gusts of wind", {"windy"}),
      Words("waves", "sea waves breaking", "the sea", "seas", {"sea waves", "ocean", "surf"}),
      Words("water", "water running", "running water", "streams of water", {"water", "stream", "splashing"}),
      Words("fire", "a fire crackling", "a fire", "fires", {"crackling fire", "flames", "campfire"}),
      Words("door", "a door opening or closing", "a door", "doors", {"door opening", "door closing"}),
      Words("clock", "a clock ticking", "a clock", "clocks", {"ticking"}),
      Words("phone", "a phone ringing", "a phone", "phones", {"alarm", "telephone", "ringtone", "phone or alarm"}),
      Words("bell", "a bell ringing", "a bell", "bells", {"church bell", "bell ringing"}),
      Words("glass", "glass breaking", "breaking glass", "breaking panes", {"glass", "shattering glass", "glass breaking"}),
      Words("clink", "coins or glasses clinking", "a clink", "clinks", {}),
      Words("chainsaw", "a chainsaw running", "a chainsaw", "chainsaws", {"chain saw", "saw"}),
      Words("engine", "a car or truck engine running", "an engine", "engines", {"car", "truck", "motor", "vehicle", "car engine"}),
      Words("horn", "a horn honking", "a horn", "horns", {"car horn", "honking", "honk"}),
      Words("train", "a train passing", "a train", "trains", {"railway", "locomotive"}),
      Words("helicopter", "a helicopter flying", "a helicopter", "helicopters", {"chopper"}),
      Words("airplane", "an airplane flying", "an airplane", "airplanes", {"plane", "aeroplane", "aircraft", "jet"}),
      Words("gunshot", "a gun firing", "a gun", "guns", {"gunshot", "gunfire", "gun shot", "shot", "gunshots"}),
      Words("explosion", "an explosion", "an explosion", "explosions", {"blast", "bang"}),
      Words("piano", "a piano playing", "a piano", "pianos", {"piano music"}),
      Words("guitar", "a guitar playing", "a guitar", "guitars", {"guitar music"}),
      Words("violin", "a violin playing", "a violin", "violins", {"fiddle"}),
      Words("organ", "an organ playing", "an organ", "organs", {"accordion", "harmonica", "organ or accordion"}),
      Words("woodwind", "a woodwind instrument playing", "a flute", "flutes", {"clarinet", "oboe", "woodwind", "flute or clarinet"}),
      Words("brass", "a brass instrument playing", "a trumpet", "trumpets", {"trombone", "brass", "trumpet or trombone"}),
      Words("xylophone", "a xylophone playing", "a xylophone", "xylophones", {"marimba", "glockenspiel"}),
      Words("drum", "a drum beating", "a drum", "drums", {"drumming", "drumbeat"}),
      Words("cymbal", "a cymbal sounding", "a cymbal", "cymbals", {"hi hat"}),
  };
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
  const std::string spoken = absl::AsciiStrToLower(absl::StrReplaceAll(std::string(class_name), {{"_", " "}, {"-", " "}}));
  const std::string a_noun = absl::StrCat("a ", spoken.empty() ? "sound" : spoken);
  ClassWords words = Words(class_name, label.empty() ? a_noun : label, a_noun, absl::StrCat(spoken, "s"), {});
  if (!label.empty()) words.synonyms.push_back(absl::AsciiStrToLower(WithoutArticle(label)));
  return words;
}

}  // namespace auricle::sim
