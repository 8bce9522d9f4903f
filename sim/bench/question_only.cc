#include "sim/bench/question_only.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sim/bench/benchmark_rows.h"
#include "sim/question/tasks.h"
#include "sim/scene/random.h"

namespace auricle::sim {
namespace {

constexpr size_t kOptions = 4;
constexpr size_t kWeights = size_t{1} << 20;  // features are hashed into as many
constexpr int kPasses = 8;
constexpr double kRate = 0.1;
constexpr double kDecay = 1e-4;  // L2, at each use of a weight
constexpr double kChance = 0.25;

using Features = std::vector<uint32_t>;

// Four bags of features and the place of the right one.
struct Example {
  std::array<Features, kOptions> options;
  size_t right = 0;
};

std::vector<std::string> Words(const std::string& text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-') {
      words.back().push_back(absl::ascii_tolower(static_cast<unsigned char>(c)));
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

uint32_t Hashed(const std::string& feature) { return static_cast<uint32_t>(FnvHash(feature) % kWeights); }

// The first number in a text; NaN where there is none.
double FirstNumber(const std::vector<std::string>& words) {
  double value = 0;
  for (const std::string& word : words) {
    if (absl::SimpleAtod(word, &value)) return value;
  }
  return std::nan("");
}

Example MakeExample(const v1::Question& question) {
  Example example;
  example.right = static_cast<size_t>(question.key().letter()[0] - 'A');
  std::vector<std::string> asked = Words(question.text());
  std::ranges::sort(asked);
  asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
  std::array<std::vector<std::string>, kOptions> words;
  std::map<std::string, int> holders;  // word -> options that have it
  std::array<double, kOptions> numbers;
  for (size_t i = 0; i < kOptions; ++i) {
    words[i] = Words(question.options(static_cast<int>(i)));
    for (const std::string& word : std::set<std::string>(words[i].begin(), words[i].end())) ++holders[word];
    numbers[i] = FirstNumber(words[i]);
  }
  for (size_t i = 0; i < kOptions; ++i) {
    const auto add = [&](const std::string& feature) {
      example.options[i].push_back(Hashed(absl::StrCat(question.task(), "|", feature)));
    };
    add(absl::StrCat("whole ", question.options(static_cast<int>(i))));
    int shared = 0;
    for (size_t w = 0; w < words[i].size(); ++w) {
      const std::string& word = words[i][w];
      shared += holders[word];
      add(absl::StrCat("word ", word));
      if (w > 0) add(absl::StrCat("pair ", words[i][w - 1], " ", word));
      if (std::ranges::binary_search(asked, word)) add("in the question");
      for (const std::string& other : asked) add(absl::StrCat("cross ", other, " ", word));
    }
    add(absl::StrCat("shared ", shared));
    add(absl::StrCat("length ", words[i].size()));
    if (std::ranges::none_of(numbers, [](double v) { return std::isnan(v); })) {
      add(absl::StrCat("rank ", std::ranges::count_if(numbers, [&](double v) { return v < numbers[i]; })));
    }
  }
  return example;
}

bool Usable(const v1::Question& question) {
  return question.options_size() == static_cast<int>(kOptions) && question.key().letter().size() == 1 &&
         question.key().letter()[0] >= 'A' && question.key().letter()[0] < static_cast<char>('A' + kOptions);
}

class Learner {
 public:
  Learner() : weights_(kWeights, 0.0f), squares_(kWeights, 0.0f) {}

  void Learn(const Example& example) {
    const std::array<double, kOptions> p = Probabilities(example);
    for (size_t i = 0; i < kOptions; ++i) {
      const double gradient = p[i] - (i == example.right ? 1.0 : 0.0);
      for (const uint32_t f : example.options[i]) {
        const double g = gradient + kDecay * weights_[f];
        squares_[f] += static_cast<float>(g * g);
        weights_[f] -= static_cast<float>(kRate * g / std::sqrt(1e-8 + squares_[f]));
      }
    }
  }

  // The likeliest option; of equals the first.
  size_t Answer(const Example& example) const {
    const std::array<double, kOptions> p = Probabilities(example);
    return static_cast<size_t>(std::ranges::max_element(p) - p.begin());
  }

 private:
  std::array<double, kOptions> Probabilities(const Example& example) const {
    std::array<double, kOptions> p{};
    for (size_t i = 0; i < kOptions; ++i) {
      for (const uint32_t f : example.options[i]) p[i] += weights_[f];
    }
    const double most = *std::ranges::max_element(p);
    double sum = 0;
    for (double& value : p) sum += value = std::exp(value - most);
    for (double& value : p) value /= sum;
    return p;
  }

  std::vector<float> weights_, squares_;
};

}  // namespace

std::vector<QuestionOnlyScore> LearnFromQuestionsAlone(std::span<const v1::Question> train,
                                                       std::span<const v1::Question> test) {
  std::map<std::string, QuestionOnlyScore> scores;
  std::vector<Example> examples;
  for (const v1::Question& question : train) {
    if (!Usable(question)) continue;
    ++scores[question.task()].trained;
    examples.push_back(MakeExample(question));
  }
  Learner learner;
  Random random(1, 0, "question-only");
  for (int pass = 0; pass < kPasses; ++pass) {
    random.Shuffle(examples);
    for (const Example& example : examples) learner.Learn(example);
  }
  std::map<std::string, int> right;
  for (const v1::Question& question : test) {
    if (!Usable(question)) continue;
    const Example example = MakeExample(question);
    ++scores[question.task()].tested;
    right[question.task()] += learner.Answer(example) == example.right;
  }
  std::vector<QuestionOnlyScore> by_task;
  for (const TaskInfo& info : AllTasks()) {
    const std::string task(info.name);
    QuestionOnlyScore score = scores[task];
    if (score.trained == 0 || score.tested == 0) continue;
    score.task = task;
    score.accuracy = static_cast<double>(right[task]) / score.tested;
    score.standard_error = std::sqrt(kChance * (1 - kChance) / score.tested);
    by_task.push_back(std::move(score));
  }
  return by_task;
}

std::string QuestionOnlyTable(const std::vector<QuestionOnlyScore>& scores, double allowed) {
  std::string table = absl::StrFormat("%-36s %8s %8s %8s\n", "task", "trained", "tested", "right");
  for (const QuestionOnlyScore& score : scores) {
    absl::StrAppendFormat(&table, "%-36s %8d %8d %6.1f %%%s\n", score.task, score.trained, score.tested,
                          100 * score.accuracy,
                          std::abs(score.accuracy - kChance) > allowed ? "  too far from 25 %" : "");
  }
  return table;
}

}  // namespace auricle::sim
