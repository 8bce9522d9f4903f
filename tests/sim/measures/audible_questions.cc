#include "tests/sim/measures/audible_questions.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sim/question/class_words.h"
#include "sim/question/questions.h"

namespace auricle::sim {
namespace {

// " where is the dog "
std::string Words(const std::string& text) {
  std::string words = " ";
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c))) {
      words += absl::ascii_tolower(static_cast<unsigned char>(c));
    } else if (words.back() != ' ') {
      words += ' ';
    }
  }
  return words + ' ';
}

}  // namespace

bool NamesClass(const std::string& text, const std::string& class_name) {
  const ClassWords* words = FindClassWords(class_name);
  const std::string all = Words(text);
  for (const std::string& name : {words->noun, words->plural, words->name}) {
    if (all.find(Words(name)) != std::string::npos) return true;
  }
  return false;
}

bool CanBeHeard(const v1::Source& source) {
  double sounding = 0.0;
  for (const v1::TimeSpan& span : source.active()) sounding += span.end_seconds() - span.start_seconds();
  int rows = 0;
  for (const v1::SourceFrame& frame : source.frames())
    rows += frame.activity() >= 0.5f && frame.signal_to_rest_db() >= -10.0f;
  return sounding > 0.0 && 0.1 * rows + 1e-9 >= std::min(0.3, 0.5 * sounding);
}

std::vector<std::string> InaudibleIn(const v1::Question& question, const v1::Scene& truth) {
  std::vector<const v1::Source*> unheard;
  std::set<std::string> heard;
  for (const v1::Source& source : truth.sources()) {
    if (CanBeHeard(source)) {
      heard.insert(source.class_name());
    } else {
      unheard.push_back(&source);
    }
  }
  std::vector<std::string> wrong;
  const auto complain = [&](const std::string& why) {
    wrong.push_back(absl::StrCat(truth.id(), ": ", why, ": ", PromptText(question)));
  };
  if (heard.empty()) complain("nothing can be heard");
  for (const v1::Source* source : unheard) {
    if (heard.contains(source->class_name())) continue;  // its name is another's too
    if (NamesClass(PromptText(question), source->class_name())) complain("names " + source->class_name());
    if (NamesClass(question.key().reference(), source->class_name()))
      complain("is answered by " + source->class_name());
  }
  // What is right names what is heard, where it names anything that is there.
  std::set<std::string> right(question.key().classes().class_names().begin(),
                              question.key().classes().class_names().end());
  if (!question.key().binding().class_name().empty()) right.insert(question.key().binding().class_name());
  for (const std::string& name : right) {
    if (!heard.contains(name)) complain("is answered by " + name);
  }
  // What counts or lists everything needs everything to be heard.
  const bool whole = question.task() == "count_sources" || question.task() == "source_removal";
  if (whole && !unheard.empty()) complain("counts what cannot be heard");
  return wrong;
}

}  // namespace auricle::sim
