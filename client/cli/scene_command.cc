// auricle scene: what is heard where, as a table, a map in the terminal, and pictures.
#include <cstdio>
#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/answer_json.h"
#include "client/cli/ask_request.h"
#include "client/cli/command.h"
#include "client/cli/drawing.h"
#include "client/cli/scene_map.h"
#include "client/cli/scene_picture.h"
#include "client/cli/scene_table.h"
#include "sim/scene/scene_json.h"

namespace auricle::client {
namespace {

absl::Status WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  file.close();
  if (!file) return absl::UnavailableError(absl::StrCat(path, ": cannot be written"));
  return absl::OkStatus();
}

absl::StatusOr<v1::Scene> PerceiveScene(const ParsedCommand& parsed) {
  absl::StatusOr<ClipAndServer> ready = ReadClipAndConnect(parsed);
  if (!ready.ok()) return ready.status();
  v1::AskRequest request;
  *request.mutable_audio() = std::move(ready->clip);
  request.set_model(parsed.Text("model"));
  // The evidence comes with any question; the words are not wanted, so one token is enough.
  request.set_question("What do you hear?");
  request.mutable_sampling()->set_max_new_tokens(1);
  const auto response = ready->client->Ask(request, DeadlineOf(parsed));
  if (!response.ok()) return response.status();
  return response->scene();
}

int RunScene(const ParsedCommand& parsed) {
  if (const std::string complaint = StdinComplaint(parsed); !complaint.empty()) return MisuseOf("scene", complaint);
  const bool from_file = absl::EndsWith(parsed.positionals[0], ".json");
  const absl::StatusOr<v1::Scene> scene = from_file ? sim::ReadSceneFile(parsed.positionals[0]) : PerceiveScene(parsed);
  if (!scene.ok()) return Refuse(scene.status());
  v1::Scene truth;
  if (parsed.Given("truth")) {
    absl::StatusOr<v1::Scene> read = sim::ReadSceneFile(parsed.Text("truth"));
    if (!read.ok()) return Refuse(read.status());
    truth = *std::move(read);
  }
  const v1::Scene* const shown_truth = parsed.Given("truth") ? &truth : nullptr;

  if (parsed.Given("svg") || parsed.Given("png")) {
    const Drawing drawing = ScenePicture(*scene, shown_truth);
    if (parsed.Given("svg")) {
      if (const absl::Status written = WriteFile(parsed.Text("svg"), ToSvg(drawing)); !written.ok())
        return Refuse(written);
    }
    if (parsed.Given("png")) {
      const absl::StatusOr<std::string> png = ToPng(drawing, /*scale=*/2);
      const absl::Status written = png.ok() ? WriteFile(parsed.Text("png"), *png) : png.status();
      if (!written.ok()) return Refuse(written);
    }
  }
  if (parsed.Switch("json")) {
    std::printf("%s\n", ToLine(SceneToJson(*scene)).c_str());
    return kExitOk;
  }
  const TerminalStyle style = TerminalStyle::For(stdout, parsed.Switch("no-color"));
  std::printf("%s", SceneTable(*scene, false, style).c_str());
  if (shown_truth != nullptr) std::printf("\n%s", SceneTable(truth, true, style).c_str());
  std::printf("\n%s", SceneMap(*scene, shown_truth, style).c_str());
  return kExitOk;
}

}  // namespace

Command SceneCommand() {
  CommandSpec spec;
  spec.name = "scene";
  spec.summary = "show what is heard where: a table and a drawn top view";
  spec.positionals = {"CLIP"};
  spec.positional_help =
      "CLIP is a four-channel file or - for stdin, as for auricle ask; or a scene in JSON (FILE.json), which is drawn "
      "as it\n"
      "is, without a server.";
  spec.flags = {FormatFlag(),
                {"json", FlagKind::kSwitch, "", "", "print the scene as one JSON object and nothing else"},
                {"svg", FlagKind::kText, "FILE", "", "draw the top view and the time line as SVG"},
                {"png", FlagKind::kText, "FILE", "", "the same as PNG"},
                {"truth", FlagKind::kText, "SCENE.json", "", "show the truth beside what was heard, as hollow markers"},
                {"model", FlagKind::kText, "NAME", "", "which model listens; none: the server's default"},
                {"no-color", FlagKind::kSwitch, "", "", "plain text"}};
  for (FlagSpec& flag : StdinFlags()) spec.flags.push_back(std::move(flag));
  for (FlagSpec& flag : ServerFlags("120")) spec.flags.push_back(std::move(flag));
  spec.examples = {"auricle scene clip.flac", "auricle scene clip.flac --svg scene.svg --truth clip.scene.json"};
  return {std::move(spec), RunScene};
}

}  // namespace auricle::client
