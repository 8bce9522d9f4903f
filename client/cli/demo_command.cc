// auricle demo: the example scenes, six questions of different levels, the truth beside every answer.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/command.h"
#include "client/cli/question_json.h"
#include "client/cli/scene_map.h"
#include "client/cli/scene_table.h"
#include "client/cli/terminal.h"
#include "sim/question/verifier.h"
#include "sim/scene/scene_json.h"

namespace auricle::client {
namespace {

absl::StatusOr<std::vector<KeyedQuestion>> ReadDemoQuestions(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": no such file"));
  std::vector<KeyedQuestion> questions;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    absl::StatusOr<KeyedQuestion> question = QuestionFromJson(line);
    if (!question.ok())
      return absl::InvalidArgumentError(absl::StrCat(path, ", line ", number, ": ", question.status().message()));
    questions.push_back(*std::move(question));
  }
  return questions;
}

std::string TruthText(const v1::Question& question) {
  const v1::AnswerKey& key = question.key();
  const int index = key.letter().empty() ? -1 : key.letter()[0] - 'A';
  if (index >= 0 && index < question.options_size()) return absl::StrCat(key.letter(), ". ", question.options(index));
  return key.reference();
}

int RunDemo(const ParsedCommand& parsed) {
  const TerminalStyle style = TerminalStyle::For(stdout, parsed.Switch("no-color"));
  const std::filesystem::path folder = parsed.Text("scenes");
  const auto questions = ReadDemoQuestions((folder / "questions.jsonl").string());
  if (!questions.ok()) return Refuse(questions.status());
  const auto client = ConnectTo(parsed);
  if (!client.ok()) return Refuse(client.status());

  std::string shown_audio;
  size_t right = 0;
  for (const KeyedQuestion& asked : *questions) {
    const v1::Question& question = asked.question;
    const std::string audio = (folder / asked.audio).string();
    const auto clip = AudioFromFile(audio, v1::FOA_FORMAT_AMBIX);
    if (!clip.ok()) return Refuse(clip.status());
    v1::AskRequest request;
    *request.mutable_audio() = *clip;
    request.set_question(question.text());
    *request.mutable_options() = question.options();
    const auto response = (*client)->Ask(request, DeadlineOf(parsed));
    if (!response.ok()) return Refuse(response.status());

    if (asked.audio != shown_audio) {
      shown_audio = asked.audio;
      const auto truth = sim::ReadSceneFile(std::filesystem::path(audio).replace_extension(".scene.json").string());
      std::printf("\n%s\n", style.Bold(absl::StrCat("━━ ", audio, " ━━")).c_str());
      std::printf("%s", SceneMap(response->scene(), truth.ok() ? &*truth : nullptr, style).c_str());
    }
    const v1::Verdict verdict = sim::Verify(question, response->answer());
    right += verdict.correct();
    std::printf("\n%s %s\n", style.Dim(absl::StrFormat("level %d", static_cast<int>(question.level()))).c_str(),
                style.Bold(question.text()).c_str());
    for (int i = 0; i < question.options_size(); ++i) std::printf("    %c. %s\n", 'A' + i, question.options(i).c_str());
    std::printf("  truth   %s\n  answer  %s  %s %s\n", TruthText(question).c_str(), response->answer().c_str(),
                verdict.correct() ? style.Good("✓ right").c_str() : style.Bad("✗ wrong").c_str(),
                style
                    .Dim(absl::StrFormat("(%.0f ms to the first token)",
                                         response->usage().time_to_first_token_seconds() * 1000))
                    .c_str());
  }
  const std::string metrics = parsed.Text("metrics");
  std::printf(
      "\n%d of %d right. Live metrics: %s\n", static_cast<int>(right), static_cast<int>(questions->size()),
      absl::StrContains(metrics, "://") ? metrics.c_str() : absl::StrCat("http://", metrics, "/metrics").c_str());
  return kExitOk;
}

}  // namespace

Command DemoCommand() {
  CommandSpec spec;
  spec.name = "demo";
  spec.summary = "ask about the example scenes and show the truth beside the answers";
  spec.flags = {
      {"scenes", FlagKind::kText, "DIR", "client/examples", "folder with questions.jsonl, the clips and their truths"},
      {"metrics", FlagKind::kText, "ADDRESS", "127.0.0.1:9464",
       "where the server shows its metrics, host:port or URL; only printed"},
      {"no-color", FlagKind::kSwitch, "", "", "plain text"}};
  for (FlagSpec& flag : ServerFlags("120")) spec.flags.push_back(std::move(flag));
  return {std::move(spec), RunDemo};
}

}  // namespace auricle::client
