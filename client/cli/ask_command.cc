// auricle ask: one question on one clip.
#include <algorithm>
#include <cstdio>
#include <utility>

#include "client/cli/answer_json.h"
#include "client/cli/answer_text.h"
#include "client/cli/ask_request.h"
#include "client/cli/ask_stream.h"
#include "client/cli/command.h"

namespace auricle::client {
namespace {

int RunAsk(const ParsedCommand& parsed) {
  const std::string& path = parsed.positionals[0];
  if (const std::string complaint = StdinComplaint(parsed); !complaint.empty()) return MisuseOf("ask", complaint);
  for (const char* flag : {"ask-at", "scene-every"}) {
    if (!parsed.Switch("stream") && parsed.Given(flag))
      return MisuseOf("ask", std::string("--") + flag + ": needs --stream");
  }
  absl::StatusOr<v1::TimeSpan> span;
  if (parsed.Given("span") && !(span = SpanOf(parsed)).ok())
    return MisuseOf("ask", std::string(span.status().message()));

  const bool json = parsed.Switch("json");
  if (parsed.Switch("stream")) {
    AskStreamOptions options;
    options.path = path;
    options.raw = RawFormatOf(parsed);
    options.stdin_seconds = parsed.Real("seconds");
    options.config.set_model(parsed.Text("model"));
    options.config.set_format(FormatOf(parsed.Text("format")));
    options.config.set_scene_update_interval_seconds(parsed.Real("scene-every"));
    options.query.set_query_id("1");
    options.query.set_question(parsed.positionals[1]);
    for (const std::string& option : OptionsOf(parsed)) options.query.add_options(option);
    *options.query.mutable_sampling() = SamplingOf(parsed);
    if (parsed.Given("span")) *options.query.mutable_span() = *span;
    if (parsed.Given("ask-at")) {
      options.ask_at_seconds = parsed.Real("ask-at");
      // Who asks later than --seconds ends by itself means to listen so long.
      if (!parsed.Given("seconds")) {
        options.stdin_seconds = std::clamp(*options.ask_at_seconds, options.stdin_seconds, kLongestStdinSeconds);
      }
    }
    options.json = json;
    options.no_color = parsed.Switch("no-color");
    options.call = DeadlineOf(parsed);
    const auto client = ConnectTo(parsed);
    return client.ok() ? RunAskStream(**client, options) : RefuseAsk(client.status(), json, /*stream=*/true);
  }

  absl::StatusOr<ClipAndServer> ready = ReadClipAndConnect(parsed);
  if (!ready.ok()) return RefuseAsk(ready.status(), json, /*stream=*/false);
  v1::AskRequest request;
  *request.mutable_audio() = std::move(ready->clip);
  request.set_model(parsed.Text("model"));
  request.set_question(parsed.positionals[1]);
  for (const std::string& option : OptionsOf(parsed)) request.add_options(option);
  *request.mutable_sampling() = SamplingOf(parsed);
  if (parsed.Given("span")) *request.mutable_span() = *span;

  const absl::StatusOr<v1::AskResponse> response = ready->client->Ask(request, DeadlineOf(parsed));
  if (!response.ok()) return RefuseAsk(response.status(), json, /*stream=*/false);
  if (json) {
    nlohmann::ordered_json line = AnswerToJson(*response);
    line["model"] = response->model();
    line["model_version"] = response->model_version();
    line["finish_reason"] = v1::FinishReason_Name(response->finish_reason());
    line["total_ms"] = response->usage().total_seconds() * 1000.0;
    std::printf("%s\n", ToLine(line).c_str());
  } else {
    std::printf("%s", AnswerText(*response, TerminalStyle::For(stdout, parsed.Switch("no-color"))).c_str());
  }
  return kExitOk;
}

}  // namespace

Command AskCommand() {
  CommandSpec spec;
  spec.name = "ask";
  spec.summary = "ask one question about a clip of four-channel audio";
  spec.positionals = {"CLIP", "QUESTION"};
  spec.positional_help =
      "CLIP is a WAV, FLAC, OGG or CAF file with four first-order-ambisonics channels, or - for stdin: raw PCM as the\n"
      "flags say, or a WAV header and PCM (what arecord writes), or a FLAC, OGG or CAF file. QUESTION is English.";
  spec.flags = {
      FormatFlag(),
      {"choices", FlagKind::kText, "\"A|B|C|D\"", "", "multiple choice: the options, 2 to 26, split at |"},
      {"choice", FlagKind::kText, "OPTION", "", "multiple choice: one option", true},
      {"json", FlagKind::kSwitch, "", "", "print one JSON object (with --stream: one an event)"},
      {"stream", FlagKind::kSwitch, "", "", "send the audio as it would be heard, 100 ms at a time, and show events"},
      {"ask-at", FlagKind::kReal, "SECONDS", "", "with --stream: ask after so much audio, not at its end"},
      {"scene-every", FlagKind::kReal, "SECONDS", "", "with --stream: show the scene so often, 0.5 to 60"},
      {"span", FlagKind::kText, "START:END", "", "ask about these seconds of the clip only"},
      {"model", FlagKind::kText, "NAME", "", "which model answers; none: the server's default"},
      {"temperature", FlagKind::kReal, "T", "0", "0 to 2; 0 is greedy"},
      {"top-p", FlagKind::kReal, "P", "1", "draw from the likeliest tokens of this total probability"},
      {"top-k", FlagKind::kInteger, "K", "0", "draw from the K likeliest tokens; 0 is off"},
      {"max-tokens", FlagKind::kInteger, "N", "0", "length of the answer; 0 is the server's default"},
      {"seed", FlagKind::kInteger, "N", "0", "same seed, audio and question: same answer"},
      {"no-color", FlagKind::kSwitch, "", "", "plain text"}};
  for (FlagSpec& flag : StdinFlags()) spec.flags.push_back(std::move(flag));
  for (FlagSpec& flag : ServerFlags("120")) spec.flags.push_back(std::move(flag));
  spec.examples = {"auricle ask clip.flac \"Where is the dog?\"",
                   "auricle ask clip.flac \"Where is the dog?\" --choices \"front|left|right|behind\"",
                   "arecord -d 5 -c 4 -f S16_LE -r 16000 | auricle ask - \"What do you hear?\""};
  return {std::move(spec), RunAsk};
}

}  // namespace auricle::client
