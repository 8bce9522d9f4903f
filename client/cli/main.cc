// The program `auricle`: picks the command and hands it the rest of the line.
#include <signal.h>

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/command.h"

namespace auricle::client {
namespace {

std::string Overview(const std::vector<Command>& commands) {
  std::string text =
      "auricle: ask what sounds, where, when and how it relates, in first-order-ambisonics audio\n\n"
      "usage: auricle COMMAND [words] [flags]\n\ncommands:\n";
  for (const Command& command : commands) {
    absl::StrAppend(&text, absl::StrFormat("  %-10s %s\n", command.spec.name, command.spec.summary));
  }
  absl::StrAppend(&text,
                  "\nauricle COMMAND --help shows a command's flags; auricle --help-all every flag of every command\n");
  return text;
}

int Main(const std::vector<std::string>& words) {
  const std::vector<Command> commands = {AskCommand(),    SceneCommand(),    EvalCommand(),   ModelsCommand(),
                                         HealthCommand(), SimulateCommand(), VerifyCommand(), ExportCommand(),
                                         ImportCommand(), DemoCommand()};
  if (words.empty()) {
    std::fprintf(stderr, "%s", Overview(commands).c_str());
    return kExitUsage;
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    std::printf("%s", Overview(commands).c_str());
    return kExitOk;
  }
  if (words[0] == "--version") {
    std::printf("auricle %s\n", AURICLE_VERSION);
    return kExitOk;
  }
  std::vector<CommandSpec> specs;
  std::vector<std::string> names;
  for (const Command& command : commands) {
    specs.push_back(command.spec);
    names.push_back(command.spec.name);
  }
  if (words[0] == "--help-all") {
    std::printf("%s", FlagTable(specs).c_str());
    return kExitOk;
  }
  for (const Command& command : commands) {
    if (command.spec.name != words[0]) continue;
    const auto parsed = ParseCommandLine(command.spec, {words.begin() + 1, words.end()});
    if (!parsed.ok()) return MisuseOf(command.spec.name, std::string(parsed.status().message()));
    if (parsed->help) {
      std::printf("%s", CommandHelp(command.spec).c_str());
      return kExitOk;
    }
    return command.run(*parsed);
  }
  const std::string nearest = NearestSpelling(words[0], names);
  std::fprintf(stderr, "error: unknown command %s%s\nsee auricle --help\n", words[0].c_str(),
               nearest.empty() ? "" : absl::StrCat("; did you mean ", nearest, "?").c_str());
  return kExitUsage;
}

}  // namespace
}  // namespace auricle::client

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_DFL);  // `auricle ... | head` ends quietly
  return auricle::client::Main({argv + 1, argv + argc});
}
