#include "server/runtime/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace auricle::server {
namespace {

std::atomic<bool> log_json{false};

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

const char* NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

nlohmann::json ToJson(const LogValue& value) {
  return std::visit([](const auto& v) { return nlohmann::json(v); }, value);
}

std::string Dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

void StartLog(bool json, absl::string_view level) {
  log_json = json;
  auto logger = std::make_shared<spdlog::logger>("auricle", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::from_str(std::string(level)));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void Log(LogLevel level, absl::string_view event, std::initializer_list<LogField> fields) {
  if (!spdlog::default_logger_raw()->should_log(ToSpdlog(level))) return;
  const std::string now = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone());
  std::string line;
  if (log_json) {
    nlohmann::ordered_json json;
    json["time"] = now;
    json["level"] = NameOf(level);
    json["event"] = std::string(event);
    for (const LogField& field : fields) json[std::string(field.name)] = ToJson(field.value);
    line = Dump(json);
  } else {
    line = absl::StrCat(now, " ", NameOf(level), " ", event);
    for (const LogField& field : fields) absl::StrAppend(&line, " ", field.name, "=", Dump(ToJson(field.value)));
  }
  spdlog::log(ToSpdlog(level), "{}", line);
}

}  // namespace auricle::server
