#include "sim/bench/scoring.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sim/question/answer_parser.h"
#include "sim/question/heard.h"
#include "sim/question/questions.h"
#include "sim/question/tasks.h"
#include "sim/question/verifier.h"
#include "sim/scene/random.h"
#include "sim/scene/scene_json.h"

namespace auricle::sim {
namespace {

constexpr int kBootstrapDraws = 1000;

using AnswersById = std::map<std::string, const AnswerRow*>;

// One question with what was answered to it.
struct Judged {
  const v1::Question* question = nullptr;
  std::string scene;
  std::string said;  // normalised; empty where unanswered
  bool answered = false;
  bool correct = false;
  double reward = 0;
};

std::string SceneOf(const QuestionRow& row) { return std::filesystem::path(row.audio).stem().string(); }

// Multiple choice: the option claimed, so that the same letter for other options is another answer.
std::string Normalised(const v1::Question& question, const std::string& answer) {
  if (question.form() == v1::QUESTION_FORM_MULTIPLE_CHOICE) {
    const std::vector<std::string> options(question.options().begin(), question.options().end());
    bool several = false;
    const std::optional<int> claimed = FindOption(answer, options, &several);
    return claimed ? options[static_cast<size_t>(*claimed)] : "";
  }
  return absl::AsciiStrToLower(std::string(absl::StripSuffix(absl::StripAsciiWhitespace(answer), ".")));
}

Judged Judge(const QuestionRow& row, const AnswersById& answers) {
  Judged judged;
  judged.question = &row.question;
  judged.scene = SceneOf(row);
  const auto it = answers.find(row.question.id());
  if (it == answers.end() || !it->second->error.empty()) return judged;
  const AnswerRow& answer = *it->second;
  const bool choice = row.question.form() == v1::QUESTION_FORM_MULTIPLE_CHOICE;
  const std::string text = choice && !answer.letter.empty() ? answer.letter : answer.answer;
  const v1::Verdict verdict = Verify(row.question, text);
  judged.answered = verdict.parsed();
  judged.correct = verdict.correct();
  judged.reward = verdict.reward();
  judged.said = Normalised(row.question, text);
  return judged;
}

AnswersById ById(const std::vector<AnswerRow>& answers) {
  AnswersById by_id;
  for (const AnswerRow& answer : answers) by_id[answer.id] = &answer;
  return by_id;
}

using Group = std::vector<const Judged*>;

double Accuracy(const Group& group) {
  double right = 0;
  for (const Judged* judged : group) right += judged->correct ? 1 : 0;
  return group.empty() ? 0.0 : right / static_cast<double>(group.size());
}

// Percentiles of the accuracy over scenes drawn with replacement.
void Bootstrap(const Group& group, GroupScore& score) {
  std::map<std::string, std::pair<double, double>> by_scene;  // right, asked
  for (const Judged* judged : group) {
    by_scene[judged->scene].first += judged->correct ? 1 : 0;
    by_scene[judged->scene].second += 1;
  }
  std::vector<std::pair<double, double>> scenes;
  scenes.reserve(by_scene.size());
  for (const auto& [name, counts] : by_scene) scenes.push_back(counts);
  if (scenes.empty()) return;
  Random random(20240, group.size(), "bench/bootstrap");
  std::vector<double> draws;
  for (int draw = 0; draw < kBootstrapDraws; ++draw) {
    double right = 0, asked = 0;
    for (size_t i = 0; i < scenes.size(); ++i) {
      const auto& [r, a] = scenes[random.Index(scenes.size())];
      right += r, asked += a;
    }
    draws.push_back(right / asked);
  }
  std::sort(draws.begin(), draws.end());
  score.low = draws[static_cast<size_t>(0.025 * kBootstrapDraws)];
  score.high = draws[static_cast<size_t>(0.975 * kBootstrapDraws) - 1];
}

// The best letter; for open questions the best of each task's own reference answers.
double ConstantAnswer(const Group& group) {
  std::map<std::string, Group> by_task;
  for (const Judged* judged : group) by_task[judged->question->task()].push_back(judged);
  double right = 0;
  std::map<std::string, int> letters;
  for (const auto& [task, members] : by_task) {
    std::set<std::string> candidates;
    for (const Judged* judged : members) {
      if (judged->question->form() == v1::QUESTION_FORM_MULTIPLE_CHOICE) {
        ++letters[judged->question->key().letter()];
      } else {
        candidates.insert(AnswerText(*judged->question));
      }
    }
    int best = 0;
    for (const std::string& candidate : candidates) {
      int hits = 0;
      for (const Judged* judged : members) hits += Verify(*judged->question, candidate).correct() ? 1 : 0;
      best = std::max(best, hits);
    }
    right += best;
  }
  int best_letter = 0;
  for (const auto& [letter, hits] : letters) best_letter = std::max(best_letter, hits);
  return (right + best_letter) / static_cast<double>(std::max<size_t>(1, group.size()));
}

double UniqueRatio(const Group& group) {
  std::set<std::string> said, right;
  for (const Judged* judged : group) {
    const std::string task = judged->question->task() + "|";
    if (judged->answered) said.insert(task + judged->said);
    right.insert(task + Normalised(*judged->question, AnswerText(*judged->question)));
  }
  return right.empty() ? 0.0 : static_cast<double>(said.size()) / static_cast<double>(right.size());
}

GroupScore ScoreGroup(const std::string& name, v1::QuestionForm form, const Group& group) {
  GroupScore score;
  score.name = name;
  score.form = form;
  score.count = static_cast<int>(group.size());
  for (const Judged* judged : group) {
    score.unanswered += judged->answered ? 0 : 1;
    score.reward += judged->reward / static_cast<double>(group.size());
  }
  score.accuracy = Accuracy(group);
  score.chance = form == v1::QUESTION_FORM_MULTIPLE_CHOICE ? 0.25 : 0.0;
  score.constant = ConstantAnswer(group);
  score.unique_ratio = UniqueRatio(group);
  Bootstrap(group, score);
  return score;
}

struct GroupName {
  std::string name;
  std::function<bool(const v1::Question&)> has;
};

std::vector<GroupName> GroupNames() {
  std::vector<GroupName> names = {{"all", [](const v1::Question&) { return true; }}};
  for (int level = 1; level <= 3; ++level) {
    names.push_back({absl::StrCat("level ", level), [level](const v1::Question& q) { return q.level() == level; }});
  }
  names.push_back({"direction tasks", [](const v1::Question& q) {
                     const TaskInfo* info = FindTask(q.task());
                     return info != nullptr && info->direction;
                   }});
  // Questions about a sound that is not there. What is not right here is a false alarm.
  names.push_back({"absent sounds", [](const v1::Question& q) { return q.key().choice().value() == "absent"; }});
  for (const TaskInfo& info : AllTasks()) {
    names.push_back({std::string(info.name), [&info](const v1::Question& q) { return q.task() == info.name; }});
  }
  return names;
}

std::vector<Judged> JudgeAll(const std::vector<QuestionRow>& questions, const std::vector<AnswerRow>& answers) {
  const AnswersById by_id = ById(answers);
  std::vector<Judged> judged;
  judged.reserve(questions.size());
  for (const QuestionRow& row : questions) judged.push_back(Judge(row, by_id));
  return judged;
}

Group Members(const std::vector<Judged>& all, v1::QuestionForm form, const GroupName& name) {
  Group group;
  for (const Judged& judged : all) {
    if (judged.question->form() == form && name.has(*judged.question)) group.push_back(&judged);
  }
  return group;
}

// What the evidence of the first answered question of each scene says.
void ScoreEvidence(const std::vector<QuestionRow>& questions, const AnswersById& answers,
                   const std::map<std::string, v1::Scene>& truths, BenchmarkReport& report) {
  std::set<std::string> seen;
  std::vector<AzimuthPair> single;
  std::vector<double> elevation_errors;  // of the same
  std::vector<ScenePair> scenes;
  for (const QuestionRow& row : questions) {
    const auto truth = truths.find(SceneOf(row));
    const auto answer = answers.find(row.question.id());
    if (truth == truths.end() || answer == answers.end() || !answer->second->scene) continue;
    if (!seen.insert(truth->first).second) continue;
    const v1::Scene& perceived = *answer->second->scene;
    scenes.push_back({truth->second, perceived});
    if (truth->second.sources_size() == 1) {
      AzimuthPair pair{truth->second.sources(0).direction().azimuth_deg(), 0.0, true};
      const double elevation = truth->second.sources(0).direction().elevation_deg();
      double elevation_error = 90.0;
      float most = -1.0f;
      for (const v1::Source& source : perceived.sources()) {
        if (source.confidence() <= most) continue;
        most = source.confidence();
        pair = {pair.truth_deg, source.direction().azimuth_deg(), false};
        elevation_error = std::abs(source.direction().elevation_deg() - elevation);
      }
      single.push_back(pair);
      elevation_errors.push_back(elevation_error);
    }
    const size_t first = report.sources.size();
    for (const v1::Source& source : truth->second.sources()) {
      SourceOutcome& outcome = report.sources.emplace_back();
      outcome.class_name = source.class_name();
      outcome.azimuth_deg = source.direction().azimuth_deg();
      outcome.distance_m = source.distance_m();
      outcome.t30_seconds = truth->second.room().t30_seconds();
      outcome.sources = truth->second.sources_size();
    }
    for (const auto& [t, p] : MatchSources(truth->second, perceived)) {
      SourceOutcome& outcome = report.sources[first + static_cast<size_t>(t)];
      outcome.found = true;
      outcome.perceived_class = perceived.sources(p).class_name();
      outcome.perceived_azimuth_deg = perceived.sources(p).direction().azimuth_deg();
    }
  }
  report.azimuth_evidence = ScoreAzimuths(single);
  report.elevation_median_deg = Median(std::move(elevation_errors));
  std::vector<AzimuthPair> matched;
  double found = 0, named = 0;
  for (const SourceOutcome& outcome : report.sources) {
    found += outcome.found ? 1 : 0;
    named += outcome.found && outcome.perceived_class == outcome.class_name ? 1 : 0;
    matched.push_back({outcome.azimuth_deg, outcome.perceived_azimuth_deg, !outcome.found});
  }
  report.azimuth_matched = ScoreAzimuths(matched);
  report.class_top1 = found > 0 ? named / found : 0;
  report.detection = ScoreDetection(scenes);
}

AzimuthScore ScoreAzimuthAnswers(const std::vector<QuestionRow>& questions, const AnswersById& answers,
                                 const std::map<std::string, v1::Scene>& truths) {
  std::vector<AzimuthPair> pairs;
  for (const QuestionRow& row : questions) {
    const v1::Question& question = row.question;
    if (question.task() != "estimate_azimuth" || question.form() != v1::QUESTION_FORM_OPEN) continue;
    const auto truth = truths.find(SceneOf(row));
    if (!question.key().has_azimuth_deg() || truth == truths.end() || truth->second.sources_size() != 1) continue;
    AzimuthPair pair{question.key().azimuth_deg(), 0.0, true};
    const auto answer = answers.find(question.id());
    if (answer != answers.end() && answer->second->error.empty()) {
      const std::vector<DirectionClaim> claims =
          FindAzimuths(TokeniseAnswer(answer->second->answer.substr(0, kMaxAnswerBytes)));
      if (!claims.empty()) pair = {pair.truth_deg, claims[0].degrees, false};
    }
    pairs.push_back(pair);
  }
  return ScoreAzimuths(pairs);
}

}  // namespace

const GroupScore* BenchmarkReport::Find(const std::string& name, v1::QuestionForm form) const {
  for (const GroupScore& group : groups) {
    if (group.name == name && group.form == form) return &group;
  }
  return nullptr;
}

BenchmarkReport Score(const std::vector<QuestionRow>& questions, const std::vector<AnswerRow>& answers,
                      const std::map<std::string, std::vector<AnswerRow>>& controls,
                      const std::map<std::string, v1::Scene>& truths) {
  BenchmarkReport report;
  const AnswersById by_id = ById(answers);
  for (const AnswerRow& answer : answers) report.errors += answer.error.empty() ? 0 : 1;
  const std::vector<Judged> judged = JudgeAll(questions, answers);
  std::map<std::string, std::vector<Judged>> judged_controls;
  for (const auto& [name, rows] : controls) judged_controls[name] = JudgeAll(questions, rows);
  for (v1::QuestionForm form : {v1::QUESTION_FORM_MULTIPLE_CHOICE, v1::QUESTION_FORM_OPEN}) {
    for (const GroupName& name : GroupNames()) {
      const Group group = Members(judged, form, name);
      if (group.empty()) continue;
      GroupScore score = ScoreGroup(name.name, form, group);
      for (const auto& [control, rows] : judged_controls) score.controls[control] = Accuracy(Members(rows, form, name));
      report.groups.push_back(std::move(score));
    }
  }
  report.azimuth_answers = ScoreAzimuthAnswers(questions, by_id, truths);
  ScoreEvidence(questions, by_id, truths, report);
  return report;
}

absl::StatusOr<BenchmarkReport> ScoreAnswers(const ScoringInput& input) {
  absl::StatusOr<std::vector<QuestionRow>> questions = ReadQuestionRows(input.questions_path);
  if (!questions.ok()) return questions.status();
  absl::StatusOr<std::vector<AnswerRow>> answers = ReadAnswerRows(input.answers_path);
  if (!answers.ok()) return answers.status();
  std::map<std::string, std::vector<AnswerRow>> controls;
  for (const auto& [name, path] : input.control_answers) {
    absl::StatusOr<std::vector<AnswerRow>> rows = ReadAnswerRows(path);
    if (!rows.ok()) return rows.status();
    controls[name] = *std::move(rows);
  }
  std::map<std::string, v1::Scene> truths;
  const std::filesystem::path folder = std::filesystem::path(input.questions_path).parent_path();
  for (const QuestionRow& row : *questions) {
    const std::string scene = SceneOf(row);
    if (truths.count(scene) > 0) continue;
    absl::StatusOr<v1::Scene> truth = ReadSceneFile((folder / row.audio).replace_extension(".scene.json").string());
    if (truth.ok()) truths[scene] = *std::move(truth);
  }
  return Score(*questions, *answers, controls, truths);
}

}  // namespace auricle::sim
