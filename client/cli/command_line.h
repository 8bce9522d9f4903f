// The words after `auricle`: which flags a command takes, what the user gave, and what to say when it does not fit.
//
// A command's flags are one table (FlagSpec): parsing, --help and the frozen list of --help-all all read it, so that a
// setting is described in one place. Pure functions of their input; nothing here prints or exits.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace auricle::client {

// Process exit codes.
inline constexpr int kExitOk = 0;
inline constexpr int kExitRefused = 1;        // the server, a file or the network said no; stderr says why
inline constexpr int kExitUsage = 2;          // the command line itself is wrong
inline constexpr int kExitMissed = 3;         // a benchmark ran, and one of its bars was missed
inline constexpr int kExitInterrupted = 130;  // Ctrl-C, as shells say it: 128 + SIGINT

enum class FlagKind {
  kSwitch,   // --json
  kText,     // --out FILE
  kChoice,   // --format ambix|fuma|n3d: `value` lists the allowed words
  kInteger,  // whole number >= 0
  kReal,     // finite number
};

struct FlagSpec {
  std::string name;  // without the dashes
  FlagKind kind;
  std::string value;          // what --help shows after the name: "FILE"; the words of a kChoice with | between
  std::string default_value;  // empty: none
  std::string help;
  bool repeatable = false;
};

struct CommandSpec {
  std::string name;
  std::string program = "auricle ";      // what is typed before the name; empty for a program of its own
  std::string summary;                   // one line for the list of commands
  std::vector<std::string> positionals;  // all required, "CLIP", "QUESTION"
  std::string instead_flag;              // a flag that stands in for all positionals; empty: none does
  std::string positional_help;           // lines of --help about them
  std::vector<FlagSpec> flags;           // --help is understood without being listed
  std::vector<std::string> examples;
};

// What the user gave, defaults filled in. Asking for a flag that the spec lacks is a programming error and gives the
// empty value.
class ParsedCommand {
 public:
  bool help = false;
  std::vector<std::string> positionals;

  // True where the user gave the flag.
  bool Given(const std::string& flag) const;
  bool Switch(const std::string& flag) const { return Given(flag); }
  // The last value given, else the default.
  std::string Text(const std::string& flag) const;
  std::vector<std::string> Texts(const std::string& flag) const;
  int64_t Integer(const std::string& flag) const;  // 0 where there is neither value nor default
  double Real(const std::string& flag) const;

 private:
  friend absl::StatusOr<ParsedCommand> ParseCommandLine(const CommandSpec&, const std::vector<std::string>&);
  std::map<std::string, std::vector<std::string>, std::less<>> given_;
  std::map<std::string, std::string, std::less<>> defaults_;
};

// `--flag value`, `--flag=value`, positionals in any order, `--` before words that begin with dashes; `-` alone is a
// positional. INVALID_ARGUMENT with a line for the user: unknown flag (with the nearest spelling), missing or
// unreadable value, too many or too few positionals. With --help positionals may be missing.
absl::StatusOr<ParsedCommand> ParseCommandLine(const CommandSpec& spec, const std::vector<std::string>& words);

// The text of `auricle COMMAND --help`.
std::string CommandHelp(const CommandSpec& spec);

// Every flag of every command, one a line, columns separated by a tab: command, flag, value, default, help.
std::string FlagTable(const std::vector<CommandSpec>& specs);

// The candidate with the fewest single-letter edits (at most half its length, and 3); empty when none is near.
std::string NearestSpelling(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace auricle::client
