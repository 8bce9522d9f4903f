// Structured logs on stderr: an event's name and its fields, as one line of text or of JSON.
//
//   Log(LogLevel::kInfo, "request_finished", {{"method", "Ask"}, {"code", "OK"}, {"seconds", 0.21}});
//
// Never log what users send: no questions, no answers, no audio. Thread-safe.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/string_view.h"

namespace auricle::server {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
using LogValue = std::variant<std::string, int64_t, double, bool>;

struct LogField {
  LogField(absl::string_view name, absl::string_view text) : name(name), value(std::string(text)) {}
  LogField(absl::string_view name, const char* text) : name(name), value(std::string(text)) {}
  LogField(absl::string_view name, const std::string& text) : name(name), value(text) {}
  LogField(absl::string_view name, bool value) : name(name), value(value) {}
  LogField(absl::string_view name, double value) : name(name), value(value) {}
  LogField(absl::string_view name, int value) : name(name), value(static_cast<int64_t>(value)) {}
  LogField(absl::string_view name, int64_t value) : name(name), value(value) {}
  LogField(absl::string_view name, uint64_t value) : name(name), value(static_cast<int64_t>(value)) {}

  absl::string_view name;
  LogValue value;
};

// Once, before other threads log. `json`: one object a line; `level`: debug, info, warn or error.
void StartLog(bool json, absl::string_view level);

void Log(LogLevel level, absl::string_view event, std::initializer_list<LogField> fields);

}  // namespace auricle::server
