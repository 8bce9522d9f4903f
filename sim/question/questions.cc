#include "sim/question/questions.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sim/question/draft.h"
#include "sim/question/heard.h"
#include "sim/question/tasks.h"

namespace auricle::sim {
namespace {

// A generator draws its source and variant at random: so many draws before a task counts as impossible for a scene.
constexpr int kAttemptsPerTask = 3;
// Passes over the task list when more questions are wanted than there are tasks.
constexpr int kMostPasses = 4;

// Share of training questions without capital and full stop.
constexpr double kTypedShare = 0.08;
// Share of training questions in which the listener is "me" where that is possible.
constexpr double kFirstPersonShare = 0.3;
// Share of training questions with words before them.
constexpr double kLedUpToShare = 0.12;

struct Wanted {
  Task task;
  bool multiple_choice;
};

bool Contains(const auto& list, const auto& item) { return std::find(list.begin(), list.end(), item) != list.end(); }

std::vector<Task> TasksOf(const QuestionOptions& options) {
  std::vector<Task> tasks;
  for (const TaskInfo& info : AllTasks()) {
    if (!options.levels.empty() && !Contains(options.levels, info.level)) continue;
    if (!options.tasks.empty() && !Contains(options.tasks, std::string(info.name))) continue;
    tasks.push_back(info.task);
  }
  return tasks;
}

std::vector<Wanted> PlanPass(const QuestionOptions& options, const std::vector<Task>& tasks, Random& random) {
  std::vector<Wanted> plan;
  for (Task task : tasks) {
    const bool either = options.form == AskForm::kBoth;
    if (either && options.per_scene == 0) {
      plan.push_back({task, true});
      plan.push_back({task, false});
    } else {
      plan.push_back({task, either ? random.Chance(0.5) : options.form == AskForm::kMultipleChoice});
    }
  }
  random.Shuffle(plan);
  return plan;
}

// As people come to a question: "In this recording, where is the dog?"
std::string LedUpTo(std::string text, Random& random) {
  constexpr std::string_view kBefore[] = {"Please: ",        "Tell me: ",      "In this recording, ",
                                          "In this scene, ", "Listen: ",       "One question: ",
                                          "Now: ",           "Can you tell: ", "I want to know: "};
  if (!text.empty()) text[0] = absl::ascii_tolower(static_cast<unsigned char>(text[0]));
  return absl::StrCat(std::string(kBefore[random.Index(std::size(kBefore))]), text);
}

// Of themselves: "What is behind me?"
std::string FirstPerson(std::string text) {
  constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"your left", "my left"},           {"your right", "my right"}, {"behind you", "behind me"},
      {"front of you", "front of me"},    {"from you", "from me"},    {"around you", "around me"},
      {"nearest to you", "nearest to me"}};
  for (const auto& [theirs, mine] : kWords) {
    const size_t at = text.find(theirs);
    // Whole words only: "from your left" is not from you.
    const size_t end = at + theirs.size();
    if (at == std::string::npos || (end < text.size() && absl::ascii_isalpha(text[end]))) continue;
    text.replace(at, theirs.size(), mine);
  }
  return text;
}

// As people type: "where is the dog".
std::string Typed(std::string text) {
  if (!text.empty()) text[0] = absl::ascii_tolower(static_cast<unsigned char>(text[0]));
  if (!text.empty() && (text.back() == '?' || text.back() == '.')) text.pop_back();
  return text;
}

// Sound drafts have distinct options: rounding may have made two values look the same.
bool Sound(const Draft& draft, bool multiple_choice) {
  if (draft.text.empty() || draft.key.reference().empty()) return false;
  if (!multiple_choice) return draft.options.empty();
  return draft.options.size() == 4 && std::set<std::string>(draft.options.begin(), draft.options.end()).size() == 4;
}

v1::Question Finish(const Draft& draft, const Wanted& wanted, Random& random) {
  v1::Question question;
  question.set_task(std::string(InfoOf(wanted.task).name));
  question.set_level(InfoOf(wanted.task).level);
  question.set_form(wanted.multiple_choice ? v1::QUESTION_FORM_MULTIPLE_CHOICE : v1::QUESTION_FORM_OPEN);
  question.set_text(draft.text);
  *question.mutable_key() = draft.key;
  if (!wanted.multiple_choice) return question;
  std::vector<std::string> wrong(draft.options.begin() + 1, draft.options.end());
  random.Shuffle(wrong);
  const size_t right = random.Index(4);
  for (size_t i = 0, next = 0; i < 4; ++i) question.add_options(i == right ? draft.options[0] : wrong[next++]);
  question.mutable_key()->set_letter(std::string(1, static_cast<char>('A' + right)));
  return question;
}

}  // namespace

std::vector<v1::Question> AskAbout(const v1::Scene& truth, const QuestionOptions& options, Random& random) {
  const HeardScene heard = HearScene(truth);
  const std::vector<Task> tasks = TasksOf(options);
  const size_t most = options.per_scene > 0 ? static_cast<size_t>(options.per_scene) : 2 * tasks.size();
  const int passes = options.per_scene > 0 ? kMostPasses : 1;
  std::vector<v1::Question> questions;
  std::set<std::string> asked;
  if (heard.sources.empty()) return questions;
  for (int pass = 0; pass < passes && questions.size() < most; ++pass) {
    const size_t before = questions.size();
    for (const Wanted& wanted : PlanPass(options, tasks, random)) {
      if (questions.size() == most) break;
      const Asking asking{
          wanted.multiple_choice, options.held_out_wordings, options.absent_share, random.Uniform(), random,
          options.truths};
      for (int attempt = 0; attempt < kAttemptsPerTask; ++attempt) {
        const std::optional<Draft> draft = GeneratorOf(wanted.task)(heard, asking);
        if (!draft || !Sound(*draft, wanted.multiple_choice)) continue;
        v1::Question question = Finish(*draft, wanted, random);
        if (!options.held_out_wordings) {
          if (random.Chance(kFirstPersonShare)) question.set_text(FirstPerson(question.text()));
          if (random.Chance(kLedUpToShare)) question.set_text(LedUpTo(question.text(), random));
          if (random.Chance(kTypedShare)) question.set_text(Typed(question.text()));
        }
        if (!asked.insert(PromptText(question)).second) continue;
        question.set_scene_id(truth.id());
        question.set_id(absl::StrCat(truth.id(), "/", question.task(), "/", questions.size()));
        questions.push_back(std::move(question));
        break;
      }
    }
    if (questions.size() == before) break;
  }
  return questions;
}

std::string PromptText(const v1::Question& question) {
  std::string prompt = question.text();
  if (question.form() != v1::QUESTION_FORM_MULTIPLE_CHOICE) return prompt;
  for (int i = 0; i < question.options_size() && i < 26; ++i) {
    absl::StrAppend(&prompt, "\n", std::string(1, static_cast<char>('A' + i)), ". ", question.options(i));
  }
  return prompt;
}

std::string AnswerText(const v1::Question& question) {
  return question.form() == v1::QUESTION_FORM_MULTIPLE_CHOICE ? question.key().letter() : question.key().reference();
}

}  // namespace auricle::sim
