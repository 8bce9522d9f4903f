#include "server/runtime/config.h"

#include <fstream>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <type_traits>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace auricle::server {
namespace {

// The table. Visitor is called as visit(name, member, minimum, maximum, help) for numbers and visit(name, member, help)
// for the rest.
template <typename Config, typename Visitor>
void ForEachSetting(Config& c, Visitor&& visit) {
  visit("listen", c.listen, "gRPC address, host:port; port 0 takes a free one");
  visit("metrics-listen", c.metrics_listen, "Prometheus address, host:port; empty for none");
  visit("model", c.models, "folder of a model, named after the folder; repeat for several");
  visit("default-model", c.default_model, "the model that answers when none is named; empty for the first");
  visit("threads", c.threads, 0, 1024, "threads inside one operation of the model; 0 for one per core");
  visit("reflection", c.reflection, "let clients list the services (gRPC reflection)");
  visit("max-clip-seconds", c.max_clip_seconds, 0.1, 600.0, "longest audio that a question may be about");
  visit("max-message-bytes", c.max_message_bytes, int64_t{1} << 10, int64_t{1} << 30, "largest request message");
  visit("max-question-bytes", c.max_question_bytes, 1, 1 << 20, "longest question");
  visit("max-new-tokens", c.max_new_tokens, 1, 1 << 16, "longest answer that a request may ask for");
  visit("default-new-tokens", c.default_new_tokens, 1, 1 << 16, "longest answer where the request does not say");
  visit("max-queries-per-stream", c.max_queries_per_stream, 1, 4096, "unfinished queries of one stream");
  visit("max-streams", c.max_streams, 1, 1 << 16, "open streams");
  visit("max-stream-audio-bytes", c.max_stream_audio_bytes, int64_t{1} << 20, int64_t{1} << 40,
        "audio that all streams may remember together; each counts with its whole history, and one always has room");
  visit("max-transport-bytes", c.max_transport_bytes, int64_t{1} << 26, int64_t{1} << 40,
        "messages that are on their way in or out; past it gRPC cuts calls");
  visit("max-queued-requests", c.max_queued_requests, 1, 1 << 16, "requests that wait");
  visit("max-queued-audio-seconds", c.max_queued_audio_seconds, 0.1, 1e6, "audio of the requests that wait");
  visit("max-running-requests", c.max_running_requests, 1, 1024, "requests that are answered at one time");
  visit("encoding-cache-clips", c.encoding_cache_clips, 0, 4096,
        "clips that Ask remembers as heard, for further questions");
  visit("outbox-events", c.outbox_events, 16, 1 << 20, "events that a stream holds for a client that does not read");
  visit("outbox-bytes", c.outbox_bytes, int64_t{1} << 10, int64_t{1} << 30, "the same in bytes");
  visit("slow-reader-seconds", c.slow_reader_seconds, 0.1, 3600.0, "a write that takes longer ends the stream");
  visit("stalled-seconds", c.stalled_seconds, 0.05, 3600.0,
        "health is NOT_SERVING when the engine stands still for so long");
  visit("drain-seconds", c.drain_seconds, 0.0, 3600.0, "time for requests in flight after SIGTERM");
  visit("training-dir", c.training_dir,
        "coordinate reinforcement runs and their workers; ledger, checkpoints and policies live in this folder");
  visit("bank", c.bank, "recordings that runs make scenes of; empty for where ./run sounds puts them");
  visit("lease-seconds", c.lease_seconds, 0.5, 3600.0, "a worker that is silent for so long loses its units");
  visit("log-format", c.log_format, "text or json");
  visit("log-level", c.log_level, "debug, info, warn or error");
}

std::string Describe(const std::string& value) { return value.empty() ? "\"\"" : value; }
std::string Describe(bool value) { return value ? "true" : "false"; }
std::string Describe(int value) { return absl::StrCat(value); }
std::string Describe(int64_t value) { return absl::StrCat(value); }
std::string Describe(double value) { return absl::StrFormat("%g", value); }
std::string Describe(const std::vector<std::string>& value) {
  return value.empty() ? "none" : absl::StrJoin(value, ",");
}

absl::Status Invalid(absl::string_view name, absl::string_view value, absl::string_view allowed) {
  return absl::InvalidArgumentError(absl::StrCat(name, ": '", value, "'; must be ", allowed));
}

template <typename T>
bool ParseText(const std::string& text, T& to) {
  if constexpr (std::is_same_v<T, std::string>) {
    to = text;
    return true;
  } else if constexpr (std::is_same_v<T, bool>) {
    return absl::SimpleAtob(text, &to);
  } else if constexpr (std::is_same_v<T, double>) {
    return absl::SimpleAtod(text, &to);
  } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
    to.push_back(text);
    return true;
  } else {
    return absl::SimpleAtoi(text, &to);
  }
}

template <typename T>
absl::string_view Kind() {
  if constexpr (std::is_same_v<T, bool>) return "true or false";
  if constexpr (std::is_same_v<T, double>) return "a number";
  if constexpr (std::is_integral_v<T>) return "a whole number";
  if constexpr (std::is_same_v<T, std::vector<std::string>>) return "a list of texts";
  return "text";
}

template <typename T>
bool ParseJson(const nlohmann::json& json, T& to) {
  if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_boolean()) return false;
  } else if constexpr (std::is_same_v<T, double>) {
    if (!json.is_number()) return false;
  } else if constexpr (std::is_integral_v<T>) {
    if (!json.is_number_integer()) return false;
    if (json.is_number_unsigned() && json.get<uint64_t>() > uint64_t{std::numeric_limits<T>::max()}) return false;
    if (json.get<int64_t>() > std::numeric_limits<T>::max() || json.get<int64_t>() < std::numeric_limits<T>::min()) {
      return false;
    }
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!json.is_string()) return false;
  } else {
    if (!json.is_array()) return false;
    for (const nlohmann::json& item : json) {
      if (!item.is_string()) return false;
    }
  }
  to = json.get<T>();
  return true;
}

// Sets `name`; false in `known` where there is no such setting.
absl::Status SetFromText(ServerConfig& config, absl::string_view name, const std::string& text, bool* known) {
  absl::Status status;
  *known = false;
  ForEachSetting(config, [&](const char* setting, auto& member, const auto&...) {
    if (name != setting) return;
    *known = true;
    if (!ParseText(text, member)) status = Invalid(name, text, Kind<std::remove_reference_t<decltype(member)>>());
  });
  return status;
}

absl::Status ReadFile(const std::string& path, ServerConfig& config) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("config: cannot open ", path));
  std::stringstream text;
  text << file.rdbuf();
  const nlohmann::json json = nlohmann::json::parse(text.str(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return absl::InvalidArgumentError(absl::StrCat("config: ", path, " is not a JSON object"));
  for (const auto& [key, value] : json.items()) {
    const std::string& name = key;
    const nlohmann::json& given = value;
    bool known = false;
    absl::Status status;
    ForEachSetting(config, [&](const char* setting, auto& member, const auto&...) {
      if (name != setting) return;
      known = true;
      if (!ParseJson(given, member)) {
        status = Invalid(name, given.dump(), Kind<std::remove_reference_t<decltype(member)>>());
      }
    });
    if (!known)
      return absl::InvalidArgumentError(absl::StrCat("config: ", path, " has an unknown setting '", name, "'"));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// One flag as it was written: name and, where it was given with '=' or as the next word, value.
struct Flag {
  std::string name;
  std::string value;
};

bool IsBoolean(absl::string_view name) {
  bool boolean = false;
  ServerConfig config;
  ForEachSetting(config, [&](const char* setting, auto& member, const auto&...) {
    if (name == setting) boolean = std::is_same_v<std::remove_reference_t<decltype(member)>, bool>;
  });
  return boolean;
}

absl::StatusOr<std::vector<Flag>> SplitFlags(const std::vector<std::string>& arguments, bool* show_help) {
  std::vector<Flag> flags;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "--help" || word == "-h") {
      *show_help = true;
      continue;
    }
    if (!absl::StartsWith(word, "--")) {
      return absl::InvalidArgumentError(absl::StrCat("'", word, "' is not a flag; see --help"));
    }
    std::string name = word.substr(2);
    const size_t equals = name.find('=');
    if (equals != std::string::npos) {
      flags.push_back({name.substr(0, equals), name.substr(equals + 1)});
    } else if (IsBoolean(name)) {
      flags.push_back({name, "true"});
    } else if (absl::StartsWith(name, "no") && IsBoolean(name.substr(2))) {
      flags.push_back({name.substr(2), "false"});
    } else if (i + 1 < arguments.size()) {
      flags.push_back({name, arguments[++i]});
    } else {
      return absl::InvalidArgumentError(absl::StrCat("--", name, " needs a value; see --help"));
    }
  }
  return flags;
}

}  // namespace

absl::StatusOr<ServerConfig> ParseServerConfig(const std::vector<std::string>& arguments, bool* show_help) {
  *show_help = false;
  const absl::StatusOr<std::vector<Flag>> flags = SplitFlags(arguments, show_help);
  if (!flags.ok()) return flags.status();
  ServerConfig config;
  if (*show_help) return config;
  for (const Flag& flag : *flags) {
    if (flag.name != "config") continue;
    if (absl::Status status = ReadFile(flag.value, config); !status.ok()) return status;
  }
  bool models_cleared = false;
  for (const Flag& flag : *flags) {
    if (flag.name == "config") continue;
    if (flag.name == "model" && !models_cleared) {
      config.models.clear();  // flags replace the file's list, then add up
      models_cleared = true;
    }
    bool known = false;
    absl::Status status = SetFromText(config, flag.name, flag.value, &known);
    if (!known) return absl::InvalidArgumentError(absl::StrCat("--", flag.name, " is no setting; see --help"));
    if (!status.ok()) return status;
  }
  if (absl::Status status = ValidateServerConfig(config); !status.ok()) return status;
  return config;
}

absl::Status ValidateServerConfig(const ServerConfig& config) {
  absl::Status status;
  ForEachSetting(config, [&](const char* name, const auto& member, const auto&... rest) {
    if constexpr (sizeof...(rest) == 3) {
      [&](const auto& minimum, const auto& maximum, const char*) {
        // Negated, so that NaN fails.
        if (status.ok() && !(member >= minimum && member <= maximum)) {
          status = Invalid(name, Describe(member), absl::StrCat(Describe(minimum), " to ", Describe(maximum)));
        }
      }(rest...);
    }
  });
  if (!status.ok()) return status;
  if (config.default_new_tokens > config.max_new_tokens) {
    return Invalid("default-new-tokens", Describe(config.default_new_tokens),
                   absl::StrCat("at most max-new-tokens, ", config.max_new_tokens));
  }
  if (config.max_queued_audio_seconds < config.max_clip_seconds) {
    return Invalid("max-queued-audio-seconds", Describe(config.max_queued_audio_seconds),
                   absl::StrCat("at least max-clip-seconds, ", Describe(config.max_clip_seconds)));
  }
  // gRPC lets messages of up to twice the limit in, so that it is we who refuse them, with details.
  if (config.max_transport_bytes / 2 < config.max_message_bytes) {
    return Invalid("max-transport-bytes", Describe(config.max_transport_bytes),
                   absl::StrCat("at least twice max-message-bytes, ", config.max_message_bytes));
  }
  if (config.log_format != "text" && config.log_format != "json") {
    return Invalid("log-format", config.log_format, "text or json");
  }
  if (std::set<std::string>{"debug", "info", "warn", "error"}.count(config.log_level) == 0) {
    return Invalid("log-level", config.log_level, "debug, info, warn or error");
  }
  if (config.listen.find(':') == std::string::npos) return Invalid("listen", config.listen, "host:port");
  if (!config.metrics_listen.empty() && config.metrics_listen.find(':') == std::string::npos) {
    return Invalid("metrics-listen", config.metrics_listen, "host:port or empty");
  }
  return absl::OkStatus();
}

std::string ServerConfigHelp() {
  std::string help =
      "auricle-server: answers questions about spatial sound over gRPC.\n\n"
      "  auricle-server --model DIR [--model DIR ...] [flags]\n\n"
      "  --config FILE\n      JSON object with the settings below by name; flags win over it\n";
  ServerConfig defaults;
  ForEachSetting(defaults, [&](const char* name, const auto& member, const auto&... rest) {
    std::string range;
    const char* text = "";
    if constexpr (sizeof...(rest) == 3) {
      [&](const auto& minimum, const auto& maximum, const char* words) {
        range = absl::StrCat(", ", Describe(minimum), " to ", Describe(maximum));
        text = words;
      }(rest...);
    } else {
      ((text = rest), ...);
    }
    absl::StrAppend(&help, "  --", name, " (default ", Describe(member), range, ")\n      ", text, "\n");
  });
  absl::StrAppend(&help,
                  "\nWhen it is ready it prints one line on stdout: "
                  "{\"event\":\"serving\",\"address\":...,\"metrics\":...}.\n"
                  "SIGTERM or SIGINT: finishes what is in flight, then exits with 0; a second one, or one while models "
                  "load,\nexits at once.\n");
  return help;
}

}  // namespace auricle::server
