// Class names and options in answers: the half of answer_parser.h that looks words up.
#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "sim/question/answer_parser.h"

namespace auricle::sim {
namespace {

using Tokens = std::span<const AnswerToken>;

// Phrases by their first word, the longest first.
struct Phrase {
  std::vector<std::string> words;
  std::string class_name;
};
using Lexicon = std::multimap<std::string, Phrase, std::less<>>;

std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words;
  for (const AnswerToken& token : TokeniseAnswer(text)) {
    if (token.kind == AnswerToken::kWord) words.push_back(token.word);
  }
  if (words.size() > 1 && (words[0] == "a" || words[0] == "an" || words[0] == "the")) words.erase(words.begin());
  return words;
}

void AddPhrases(const ClassWords& words, Lexicon& lexicon) {
  std::vector<std::string> texts = words.synonyms;
  texts.insert(texts.end(), {words.noun, words.plural, words.label, words.name});
  for (const std::string& text : texts) {
    std::vector<std::string> phrase = WordsOf(text);
    if (!phrase.empty()) lexicon.emplace(phrase[0], Phrase{phrase, words.name});
  }
}

const Lexicon& VocabularyLexicon() {
  static const Lexicon* const lexicon = [] {
    auto* built = new Lexicon;
    for (const ClassWords& words : AllClassWords()) AddPhrases(words, *built);
    return built;
  }();
  return *lexicon;
}

bool MatchesAt(Tokens tokens, size_t at, const std::vector<std::string>& words) {
  if (at + words.size() > tokens.size()) return false;
  for (size_t k = 0; k < words.size(); ++k) {
    if (tokens[at + k].kind != AnswerToken::kWord || tokens[at + k].word != words[k]) return false;
  }
  return true;
}

// "no dog", "not the dog", "no sound of a dog": a negation up to three words before, in the same clause.
bool Negated(Tokens tokens, size_t at) {
  for (size_t k = 1; k <= 3 && k <= at; ++k) {
    const AnswerToken& token = tokens[at - k];
    if (token.kind == AnswerToken::kStop || token.word == "but" || token.word == "and") return false;
    if (token.word == "no" || token.word == "not" || token.word == "without" || token.word == "neither" ||
        token.word == "nor") {
      return true;
    }
  }
  return false;
}

// Words and numbers, without punctuation: how options are held against answers.
std::vector<std::string> Folded(std::string_view text) {
  std::vector<std::string> words;
  for (const AnswerToken& token : TokeniseAnswer(text)) {
    if (token.kind == AnswerToken::kStop) continue;
    if (token.kind == AnswerToken::kWord) {
      words.push_back(token.word);
    } else {
      words.push_back((token.negative_sign ? "-" : "") + std::to_string(token.value));
    }
  }
  return words;
}

bool Contains(const std::vector<std::string>& text, const std::vector<std::string>& part) {
  return !part.empty() && std::search(text.begin(), text.end(), part.begin(), part.end()) != text.end();
}

// The letters that the answer names, as bits. "a" counts as the letter only where no word follows it directly.
int ClaimedLetters(std::string_view answer, size_t options) {
  int claimed = 0;
  const std::vector<AnswerToken> tokens = TokeniseAnswer(answer);
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].kind != AnswerToken::kWord || tokens[i].word.size() != 1) continue;
    const size_t letter = static_cast<size_t>(tokens[i].word[0] - 'a');
    if (letter >= options) continue;
    const bool word_follows = i + 1 < tokens.size() && tokens[i + 1].kind != AnswerToken::kStop;
    const bool named =
        i > 0 && (tokens[i - 1].word == "option" || tokens[i - 1].word == "letter" || tokens[i - 1].word == "choice");
    if (letter == 0 && word_follows && !named) {
      const bool conjunction =
          tokens[i + 1].word == "or" || tokens[i + 1].word == "and" || tokens[i + 1].word == "because";
      if (!conjunction) continue;
    }
    claimed |= 1 << letter;
  }
  return claimed;
}

}  // namespace

std::vector<std::string> FindClasses(Tokens tokens, std::span<const ClassWords> extra) {
  Lexicon more;
  for (const ClassWords& words : extra) AddPhrases(words, more);
  std::vector<std::string> found;
  for (size_t i = 0; i < tokens.size();) {
    const Phrase* best = nullptr;
    for (const Lexicon* lexicon : {&VocabularyLexicon(), static_cast<const Lexicon*>(&more)}) {
      const auto [first, last] = lexicon->equal_range(tokens[i].word);
      for (auto it = first; it != last; ++it) {
        const Phrase& phrase = it->second;
        if (MatchesAt(tokens, i, phrase.words) && (best == nullptr || phrase.words.size() > best->words.size())) {
          best = &phrase;
        }
      }
    }
    if (best == nullptr) {
      ++i;
      continue;
    }
    if (!Negated(tokens, i) && std::find(found.begin(), found.end(), best->class_name) == found.end()) {
      found.push_back(best->class_name);
    }
    i += best->words.size();
  }
  return found;
}

std::optional<int> FindOption(std::string_view answer, std::span<const std::string> options, bool* several) {
  *several = false;
  const std::vector<std::string> text = Folded(answer);
  if (text.empty()) return std::nullopt;
  std::vector<std::vector<std::string>> folded;
  for (const std::string& option : options) folded.push_back(Folded(option));
  for (size_t i = 0; i < folded.size(); ++i) {  // the option's text and nothing else
    if (!folded[i].empty() && folded[i] == text) return static_cast<int>(i);
  }
  if (const int letters = ClaimedLetters(answer, options.size()); letters != 0) {
    if ((letters & (letters - 1)) != 0) {
      *several = true;
      return std::nullopt;
    }
    return __builtin_ctz(static_cast<unsigned>(letters));
  }
  // Options contained in the answer; one that lies within a longer contained one does not count.
  std::optional<int> only;
  for (size_t i = 0; i < folded.size(); ++i) {
    if (!Contains(text, folded[i])) continue;
    bool inside = false;
    for (size_t k = 0; k < folded.size(); ++k) {
      inside |=
          k != i && folded[k].size() > folded[i].size() && Contains(text, folded[k]) && Contains(folded[k], folded[i]);
    }
    if (inside) continue;
    if (only) {
      *several = true;
      return std::nullopt;
    }
    only = static_cast<int>(i);
  }
  return only;
}

}  // namespace auricle::sim
