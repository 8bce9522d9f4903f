#include "client/cli/command_line.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace auricle::client {
namespace {

// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

absl::Status CheckValue(const FlagSpec& flag, const std::string& value) {
  const auto wrong = [&](const std::string& rule) {
    return absl::InvalidArgumentError(absl::StrCat("--", flag.name, ": is \"", value, "\", must be ", rule));
  };
  switch (flag.kind) {
    case FlagKind::kSwitch:
    case FlagKind::kText:
      return absl::OkStatus();
    case FlagKind::kChoice: {
      const std::vector<std::string> allowed = absl::StrSplit(flag.value, '|');
      if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
        return wrong(absl::StrJoin(allowed, ", "));
      }
      return absl::OkStatus();
    }
    case FlagKind::kInteger: {
      int64_t number;
      if (!absl::SimpleAtoi(value, &number) || number < 0) return wrong("a whole number, 0 or more");
      return absl::OkStatus();
    }
    case FlagKind::kReal: {
      double number;
      if (!absl::SimpleAtod(value, &number) || !std::isfinite(number)) return wrong("a number");
      return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

std::string FlagHeading(const FlagSpec& flag) {
  return flag.kind == FlagKind::kSwitch ? absl::StrCat("--", flag.name)
                                        : absl::StrCat("--", flag.name, " ", flag.value);
}

}  // namespace

bool ParsedCommand::Given(const std::string& flag) const { return given_.find(flag) != given_.end(); }

std::string ParsedCommand::Text(const std::string& flag) const {
  if (const auto given = given_.find(flag); given != given_.end()) return given->second.back();
  const auto fallback = defaults_.find(flag);
  return fallback == defaults_.end() ? "" : fallback->second;
}

std::vector<std::string> ParsedCommand::Texts(const std::string& flag) const {
  const auto given = given_.find(flag);
  return given == given_.end() ? std::vector<std::string>() : given->second;
}

int64_t ParsedCommand::Integer(const std::string& flag) const {
  int64_t number = 0;
  return absl::SimpleAtoi(Text(flag), &number) ? number : 0;
}

double ParsedCommand::Real(const std::string& flag) const {
  double number = 0;
  return absl::SimpleAtod(Text(flag), &number) ? number : 0;
}

absl::StatusOr<ParsedCommand> ParseCommandLine(const CommandSpec& spec, const std::vector<std::string>& words) {
  ParsedCommand parsed;
  for (const FlagSpec& flag : spec.flags) parsed.defaults_[flag.name] = flag.default_value;
  bool only_positionals = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (only_positionals || word == "-" || word.empty() || word[0] != '-') {
      parsed.positionals.push_back(word);
      continue;
    }
    if (word == "--") {
      only_positionals = true;
      continue;
    }
    if (word == "--help" || word == "-h") {
      parsed.help = true;
      continue;
    }
    const std::pair<std::string, std::string> halves = absl::StrSplit(word, absl::MaxSplits('=', 1));
    const std::string name = word.substr(0, 2) == "--" ? halves.first.substr(2) : "";
    const auto flag =
        std::find_if(spec.flags.begin(), spec.flags.end(), [&](const FlagSpec& f) { return f.name == name; });
    if (flag == spec.flags.end()) {
      std::vector<std::string> names = {"help"};
      for (const FlagSpec& f : spec.flags) names.push_back(f.name);
      const std::string nearest = NearestSpelling(
          halves.first.substr(std::min(halves.first.find_first_not_of('-'), halves.first.size())), names);
      return absl::InvalidArgumentError(absl::StrCat(
          "unknown flag ", halves.first, nearest.empty() ? "" : absl::StrCat("; did you mean --", nearest, "?")));
    }
    const bool has_value = word.find('=') != std::string::npos;
    if (flag->kind == FlagKind::kSwitch) {
      if (has_value) return absl::InvalidArgumentError(absl::StrCat("--", name, ": takes no value"));
      parsed.given_[name].push_back("");
      continue;
    }
    if (!has_value && i + 1 == words.size()) {
      return absl::InvalidArgumentError(absl::StrCat("--", name, ": needs a value (", flag->value, ")"));
    }
    const std::string value = has_value ? halves.second : words[++i];
    if (absl::Status status = CheckValue(*flag, value); !status.ok()) return status;
    parsed.given_[name].push_back(value);
  }
  if (parsed.help) return parsed;
  const size_t wanted = !spec.instead_flag.empty() && parsed.Given(spec.instead_flag) ? 0 : spec.positionals.size();
  if (parsed.positionals.size() < wanted) {
    return absl::InvalidArgumentError(absl::StrCat("needs ", spec.positionals[parsed.positionals.size()]));
  }
  if (parsed.positionals.size() > wanted) {
    return absl::InvalidArgumentError(absl::StrCat("one word too many: \"", parsed.positionals[wanted], "\""));
  }
  return parsed;
}

std::string CommandHelp(const CommandSpec& spec) {
  std::string text = absl::StrCat(spec.program, spec.name, ": ", spec.summary, "\n\nusage: ", spec.program, spec.name);
  for (const std::string& positional : spec.positionals) absl::StrAppend(&text, " ", positional);
  if (!spec.instead_flag.empty()) absl::StrAppend(&text, " | --", spec.instead_flag);
  absl::StrAppend(&text, " [flags]\n");
  if (!spec.positional_help.empty()) absl::StrAppend(&text, "\n", spec.positional_help, "\n");
  absl::StrAppend(&text, "\nflags:\n");
  for (const FlagSpec& flag : spec.flags) {
    std::string line = absl::StrFormat("  %-26s %s", FlagHeading(flag), flag.help);
    if (flag.repeatable) absl::StrAppend(&line, "; may be given again");
    if (!flag.default_value.empty()) absl::StrAppend(&line, " (default ", flag.default_value, ")");
    absl::StrAppend(&text, line, "\n");
  }
  absl::StrAppend(&text, absl::StrFormat("  %-26s %s\n", "--help", "this text"));
  if (!spec.examples.empty()) absl::StrAppend(&text, "\nexamples:\n");
  for (const std::string& example : spec.examples) absl::StrAppend(&text, "  ", example, "\n");
  absl::StrAppend(&text, "\nexit status: 0 done, 1 refused (stderr says why), 2 wrong command line, 130 interrupted\n");
  return text;
}

std::string FlagTable(const std::vector<CommandSpec>& specs) {
  std::string table = "command\tflag\tvalue\tdefault\thelp\n";
  for (const CommandSpec& spec : specs) {
    for (const std::string& positional : spec.positionals) {
      absl::StrAppend(&table, spec.name, "\t", positional, "\t\t\trequired\n");
    }
    for (const FlagSpec& flag : spec.flags) {
      absl::StrAppend(&table, spec.name, "\t--", flag.name, "\t", flag.value, "\t", flag.default_value, "\t", flag.help,
                      "\n");
    }
  }
  return table;
}

std::string NearestSpelling(const std::string& word, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = 4;
  for (const std::string& candidate : candidates) {
    const size_t allowed = std::clamp<size_t>(candidate.size() / 2, 1, 3);
    const size_t distance = EditDistance(word, candidate);
    if (distance <= allowed && distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace auricle::client
