// auricle simulate: scenes with known truth as files, drawn and rendered here, without a server.
#include <google/protobuf/util/json_util.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "client/cli/answer_json.h"
#include "client/cli/command.h"
#include "client/cli/question_json.h"
#include "client/cli/scene_words.h"
#include "model/audio/audio_file.h"
#include "sim/question/questions.h"
#include "sim/render/scene_renderer.h"
#include "sim/scene/scene_sampler.h"
#include "sim/source/source_bank.h"

namespace auricle::client {
namespace {

absl::StatusOr<v1::SceneSpec> ReadSpec(const ParsedCommand& parsed) {
  v1::SceneSpec spec;
  if (parsed.Given("spec")) {
    const std::string path = parsed.Text("spec");
    std::ifstream file(path);
    if (!file) return absl::NotFoundError(absl::StrCat(path, ": no such file"));
    std::stringstream text;
    text << file.rdbuf();
    const auto status = google::protobuf::util::JsonStringToMessage(text.str(), &spec);
    if (!status.ok())
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": is not a SceneSpec in JSON: ", std::string(status.message())));
  }
  if (parsed.Given("split") || spec.split().empty()) spec.set_split(parsed.Text("split"));
  if (spec.name().empty()) spec.set_name("scene");
  return spec;
}

absl::Status QuestionsNotWritten(const std::filesystem::path& folder) {
  return absl::UnavailableError(absl::StrCat((folder / "questions.jsonl").string(), ": cannot be written"));
}

absl::Status WriteScene(const v1::SceneSpec& spec, const sim::SourceBank& bank, uint64_t seed, uint64_t index,
                        int questions, const std::filesystem::path& folder, std::ofstream& question_file) {
  const absl::StatusOr<sim::ScenePlan> plan = sim::PlanScene(spec, bank, seed, index);
  if (!plan.ok()) return plan.status();
  const absl::StatusOr<sim::RenderedScene> scene = sim::RenderScene(*plan, bank);
  if (!scene.ok()) return scene.status();
  const std::string stem = scene->truth.id();
  if (absl::Status written = audio::WriteFoaFile((folder / (stem + ".flac")).string(), scene->audio); !written.ok())
    return written;
  std::ofstream truth(folder / (stem + ".scene.json"));
  truth << SceneToJson(scene->truth).dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
  truth.close();
  if (!truth) return absl::UnavailableError(absl::StrCat(stem, ".scene.json: cannot be written"));

  if (questions > 0) {
    sim::Random random(seed, index, "simulate/questions");
    sim::QuestionOptions options;
    options.per_scene = questions;
    options.held_out_wordings = spec.split() == "test";
    for (const v1::Question& question : sim::AskAbout(scene->truth, options, random)) {
      question_file << ToLine(QuestionToJson(question, stem + ".flac")) << '\n';
    }
    question_file.flush();
    if (!question_file) return QuestionsNotWritten(folder);
  }
  std::printf("%s.flac  %.1f s, %s\n", stem.c_str(), scene->truth.duration_seconds(),
              RoomText(scene->truth.room()).c_str());
  for (const v1::Source& source : scene->truth.sources()) std::printf("    %s\n", SourceText(source).c_str());
  return absl::OkStatus();
}

int RunSimulate(const ParsedCommand& parsed) {
  if (!parsed.Given("out")) return MisuseOf("simulate", "--out: is missing, must name a folder");
  const absl::StatusOr<v1::SceneSpec> spec = ReadSpec(parsed);
  if (!spec.ok()) return Refuse(spec.status());
  const auto bank =
      sim::SourceBank::Open(parsed.Given("sounds") ? parsed.Text("sounds") : sim::SourceBank::DefaultFolder());
  if (!bank.ok()) return Refuse(bank.status());
  const std::filesystem::path folder = parsed.Text("out");
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Refuse(absl::UnavailableError(absl::StrCat("--out: ", folder.string(), ": ", error.message())));

  const int questions = static_cast<int>(parsed.Integer("questions"));
  std::ofstream question_file;
  if (questions > 0) {
    // A later index goes on with what earlier runs have put into the folder.
    question_file.open(folder / "questions.jsonl", parsed.Integer("index") > 0 ? std::ios::app : std::ios::trunc);
    if (!question_file) return Refuse(QuestionsNotWritten(folder));
  }
  for (int64_t i = 0; i < parsed.Integer("count"); ++i) {
    const absl::Status status =
        WriteScene(*spec, **bank, static_cast<uint64_t>(parsed.Integer("seed")),
                   static_cast<uint64_t>(parsed.Integer("index") + i), questions, folder, question_file);
    if (!status.ok()) return Refuse(status);
  }
  return kExitOk;
}

}  // namespace

Command SimulateCommand() {
  CommandSpec spec;
  spec.name = "simulate";
  spec.summary = "draw and render scenes with known truth into files (no server needed)";
  spec.positional_help =
      "Writes NAME-SEED-INDEX.flac (AmbiX, 24 bit) and NAME-SEED-INDEX.scene.json, the truth, for every scene. The "
      "same seed\n"
      "and index give the same scene on every machine. Needs the recordings that ./run sounds fetches.\n"
      "questions.jsonl is begun anew at --index 0; a later index adds to it.";
  spec.flags = {
      {"out", FlagKind::kText, "DIR", "", "where the files go (required)"},
      {"spec", FlagKind::kText, "FILE.json", "", "a SceneSpec: what to draw from; fields left out keep their defaults"},
      {"split", FlagKind::kChoice, "train|validation|test", "train", "which recordings and rooms"},
      {"seed", FlagKind::kInteger, "N", "0", "seed of the scenes"},
      {"index", FlagKind::kInteger, "N", "0", "index of the first scene"},
      {"count", FlagKind::kInteger, "N", "1", "number of scenes"},
      {"questions", FlagKind::kInteger, "N", "0", "also write questions.jsonl with at most N questions a scene"},
      {"sounds", FlagKind::kText, "DIR", "", "folder of recordings; none: where ./run sounds puts it"}};
  spec.examples = {"auricle simulate --out scenes --count 20 --seed 7 --split test --questions 4"};
  return {std::move(spec), RunSimulate};
}

}  // namespace auricle::client
