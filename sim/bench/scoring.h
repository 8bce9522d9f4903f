// Scores of a benchmark run: what was right, beside what is right without hearing.
#ifndef SIM_BENCH_SCORING_H_
#define SIM_BENCH_SCORING_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/bench/benchmark_rows.h"
#include "sim/bench/evidence_scoring.h"

namespace auricle::sim {

// Accuracy over one group of questions.
struct GroupScore {
  std::string name;  // "estimate_azimuth", "level 1", "all", "direction tasks", "absent sounds"
  v1::QuestionForm form = v1::QUESTION_FORM_UNSPECIFIED;
  int count = 0;
  int unanswered = 0;        // no row, an error, or nothing that could be read; counts as wrong
  double accuracy = 0;       // share right
  double low = 0, high = 0;  // 95 % bootstrap interval over scenes
  double reward = 0;         // mean graded reward
  double chance = 0;         // multiple choice: 0.25; open: 0
  // The best answer that never changes: one letter, or one of the group's own reference answers per task.
  double constant = 0;
  // Distinct answers given over distinct right answers: near 0 where a model says the same thing always.
  double unique_ratio = 0;
  std::map<std::string, double> controls;  // accuracy of each control's answers
};

// One true source and what was perceived in its place (MatchSources).
struct SourceOutcome {
  std::string class_name;
  double azimuth_deg = 0;
  double distance_m = 0;
  double t30_seconds = 0;  // of its room; 0 in free field
  int sources = 0;         // in its scene
  bool found = false;      // the rest only where true
  std::string perceived_class;
  double perceived_azimuth_deg = 0;
};

struct BenchmarkReport {
  std::vector<GroupScore>
      groups;                    // multiple choice first: all, levels, direction tasks, absent sounds, tasks; then open
  AzimuthScore azimuth_answers;  // open estimate_azimuth about scenes with one source
  AzimuthScore azimuth_evidence;    // the most confident perceived source of scenes with one source
  AzimuthScore azimuth_matched;     // all sources of all scenes, matched; unmatched ones are missing
  double elevation_median_deg = 0;  // of the same perceived sources as azimuth_evidence
  DetectionScore detection;
  double class_top1 = 0;               // share of matched sources whose class is right
  std::vector<SourceOutcome> sources;  // of all scenes with evidence
  int errors = 0;                      // rows with an error

  // nullptr where there is no such group.
  const GroupScore* Find(const std::string& name, v1::QuestionForm form) const;
};

struct ScoringInput {
  std::string questions_path;  // questions.jsonl; truths lie beside the audio
  std::string answers_path;
  std::map<std::string, std::string> control_answers;  // control's name -> answers.jsonl
};

// Answers are matched by id; those to unknown ids are ignored. Truths that cannot be read leave the evidence scores
// empty. NOT_FOUND, INVALID_ARGUMENT: a file.
absl::StatusOr<BenchmarkReport> ScoreAnswers(const ScoringInput& input);

// The same on rows in memory; `truths` by scene id.
BenchmarkReport Score(const std::vector<QuestionRow>& questions, const std::vector<AnswerRow>& answers,
                      const std::map<std::string, std::vector<AnswerRow>>& controls,
                      const std::map<std::string, v1::Scene>& truths);

}  // namespace auricle::sim

#endif  // SIM_BENCH_SCORING_H_
