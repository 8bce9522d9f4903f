// Names of sound classes in English, as questions and answers use them.
#ifndef SIM_QUESTION_CLASS_WORDS_H_
#define SIM_QUESTION_CLASS_WORDS_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace auricle::sim {

struct ClassWords {
  std::string name;      // "dog_bark"
  std::string label;     // "a dog barking"
  std::string noun;      // "dog": without article
  std::string a_noun;    // "a dog", or "rain" where the noun takes no article
  std::string the_noun;  // "the dog"
  std::string plural;    // "dogs"
  // Further lower-case words and phrases by which an answer may name the class: "barking", "puppy".
  std::vector<std::string> synonyms;
};

// The whole vocabulary, built once, immutable.
std::span<const ClassWords> AllClassWords();

// nullptr where the vocabulary lacks it.
const ClassWords* FindClassWords(std::string_view class_name);

// Words for a class outside the vocabulary, derived from its name and label: "dog_bark", "a dog barking" -> "dog bark".
ClassWords DeriveClassWords(std::string_view class_name, std::string_view label);

}  // namespace auricle::sim

#endif  // SIM_QUESTION_CLASS_WORDS_H_
