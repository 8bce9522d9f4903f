// auricle models, auricle health: what a server has and whether it serves.
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/answer_json.h"
#include "client/cli/command.h"
#include "client/cli/terminal.h"

namespace auricle::client {
namespace {

std::string StateWord(v1::ModelState state) {
  switch (state) {
    case v1::MODEL_STATE_LOADING:
      return "loading";
    case v1::MODEL_STATE_SERVING:
      return "serving";
    case v1::MODEL_STATE_UNLOADING:
      return "unloading";
    default:
      return "unknown";
  }
}

int RunModels(const ParsedCommand& parsed) {
  const auto client = ConnectTo(parsed);
  if (!client.ok()) return Refuse(client.status());
  const auto models = (*client)->ListModels(DeadlineOf(parsed));
  if (!models.ok()) return Refuse(models.status());
  if (parsed.Switch("json")) {
    for (const v1::ModelInfo& model : models->models()) {
      nlohmann::ordered_json classes = nlohmann::ordered_json::array();
      for (const v1::ModelClass& c : model.classes()) classes.push_back({{"name", c.name()}, {"label", c.label()}});
      std::printf("%s\n", ToLine({{"name", model.name()},
                                  {"version", model.version()},
                                  {"state", StateWord(model.state())},
                                  {"is_default", model.is_default()},
                                  {"parameters", model.parameters()},
                                  {"compute_type", model.compute_type()},
                                  {"sample_rate_hz", model.sample_rate_hz()},
                                  {"audio_tokens_per_second", model.audio_tokens_per_second()},
                                  {"context_tokens", model.context_tokens()},
                                  {"max_clip_seconds", model.limits().max_clip_seconds()},
                                  {"description", model.description()},
                                  {"classes", classes}})
                              .c_str());
    }
    return kExitOk;
  }
  std::printf("%-16s %-13s %-10s %11s %-5s %8s %8s  %s\n", "model", "version", "state", "parameters", "type", "classes",
              "clip s", "description");
  for (const v1::ModelInfo& model : models->models()) {
    std::printf("%-16s %-13s %-10s %9.1f M %-5s %8d %8.0f  %s\n",
                absl::StrCat(model.name(), model.is_default() ? " *" : "").c_str(), model.version().c_str(),
                StateWord(model.state()).c_str(), static_cast<double>(model.parameters()) / 1e6,
                model.compute_type().c_str(), model.classes_size(), model.limits().max_clip_seconds(),
                model.description().c_str());
  }
  std::printf("* answers where a request names no model\n");
  return kExitOk;
}

int RunHealth(const ParsedCommand& parsed) {
  const auto client = ConnectTo(parsed);
  if (!client.ok()) return Refuse(client.status());
  const auto health = (*client)->CheckHealth(parsed.Text("service"), DeadlineOf(parsed));
  if (!health.ok()) return Refuse(health.status());
  const char* word = *health == ServingStatus::kServing      ? "serving"
                     : *health == ServingStatus::kNotServing ? "not serving"
                                                             : "unknown";
  std::printf("%s\n", word);
  return *health == ServingStatus::kServing ? kExitOk : kExitRefused;
}

}  // namespace

Command ModelsCommand() {
  CommandSpec spec;
  spec.name = "models";
  spec.summary = "list the models of a server";
  spec.flags = {{"json", FlagKind::kSwitch, "", "", "one JSON object a line, with the classes"}};
  for (FlagSpec& flag : ServerFlags("10")) spec.flags.push_back(std::move(flag));
  return {std::move(spec), RunModels};
}

Command HealthCommand() {
  CommandSpec spec;
  spec.name = "health";
  spec.summary = "say whether a server answers (exit status 0) or not (1)";
  spec.flags = {
      {"service", FlagKind::kText, "NAME", "", "one service, e.g. auricle.v1.SpatialQa; none: the whole server"}};
  for (FlagSpec& flag : ServerFlags("10")) spec.flags.push_back(std::move(flag));
  return {std::move(spec), RunHealth};
}

}  // namespace auricle::client
