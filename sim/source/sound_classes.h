// The vocabulary of sound classes: what ears, questions and answers can name.
//
// One table, sim/source/classes.tsv, compiled in. Its order is the order of class indices in models: rows may be
// appended, never reordered, while a trained model is in use (a model's config.json carries the names it knows).
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace auricle::sim {

struct SoundClass {
  std::string name;    // key: "dog"
  std::string label;   // what is heard, with article: "a dog barking"
  std::string noun;    // the thing, with article where it takes one: "a dog", "rain", "the sea"
  std::string plural;  // "dogs"
  std::string parent;  // a group of classes, with article: "an animal"
};

// All classes, in the table's order. Immutable; lives as long as the program.
std::span<const SoundClass> SoundClasses();

// Index into SoundClasses(), or -1 where the vocabulary lacks the name.
int FindSoundClass(std::string_view name);

}  // namespace auricle::sim
