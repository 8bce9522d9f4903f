#include "tests/bench/bars.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace auricle::bench {
namespace {

std::string Number(double value) {
  const double size = std::abs(value);
  if (size == 0.0) return "0";
  if (size < 0.01) return absl::StrFormat("%.2g", value);
  return absl::StrFormat("%.*f", size >= 100.0 ? 0 : 2, value);
}

std::string WithUnit(double value, const std::string& unit) {
  return unit.empty() ? Number(value) : absl::StrCat(Number(value), " ", unit);
}

std::string FloorText(const Bar& bar) {
  if (!bar.floor) return "-";
  const std::string sign = bar.floor->at_least ? ">= " : "<= ";
  return sign + (bar.ratio ? absl::StrCat(Number(bar.floor->bound), " x peer") : WithUnit(bar.floor->bound, bar.unit));
}

std::string FigureText(const Bar& bar) {
  std::string text = WithUnit(bar.value, bar.unit);
  if (bar.peer_value) absl::StrAppend(&text, " (", bar.peer, " ", WithUnit(*bar.peer_value, bar.unit), ")");
  if (bar.ratio) absl::StrAppend(&text, ", ", Number(*bar.ratio), " x");
  return text;
}

}  // namespace

bool Bar::ok() const {
  if (!floor) return true;
  const double figure = ratio.value_or(value);
  return floor->at_least ? figure >= floor->bound : figure <= floor->bound;
}

bool Report::ok() const { return std::ranges::all_of(bars, &Bar::ok); }

std::string AsTable(const Report& report) {
  struct Row {
    std::string name, floor, figure, verdict, note;
  };
  std::vector<Row> rows = {{"bar", "floor", "figure", "", "how"}};
  for (const Bar& bar : report.bars) {
    rows.push_back({bar.name, FloorText(bar), FigureText(bar), !bar.floor ? "" : bar.ok() ? "ok" : "MISSED", bar.note});
  }
  for (const Skipped& skipped : report.skipped) rows.push_back({skipped.name, "", "not measured", "", skipped.why});
  size_t name = 0, floor = 0, figure = 0;
  for (const Row& row : rows) {
    name = std::max(name, row.name.size());
    floor = std::max(floor, row.floor.size());
    figure = std::max(figure, row.figure.size());
  }
  std::string table;
  for (const Row& row : rows) {
    absl::StrAppendFormat(&table, "%-*s  %-*s  %-*s  %-6s  %s\n", static_cast<int>(name), row.name,
                          static_cast<int>(floor), row.floor, static_cast<int>(figure), row.figure, row.verdict,
                          row.note);
  }
  return table;
}

std::string AsJsonLines(const Report& report) {
  using Json = nlohmann::ordered_json;
  const auto optional = [](const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); };
  std::string lines;
  for (const Bar& bar : report.bars) {
    const Json json = {{"name", bar.name},
                       {"value", bar.value},
                       {"unit", bar.unit},
                       {"peer", bar.peer.empty() ? Json(nullptr) : Json(bar.peer)},
                       {"peer_value", optional(bar.peer_value)},
                       {"ratio", optional(bar.ratio)},
                       {"floor", bar.floor ? Json(bar.floor->bound) : Json(nullptr)},
                       {"ok", bar.ok()},
                       {"note", bar.note}};
    absl::StrAppend(&lines, json.dump(), "\n");
  }
  for (const Skipped& skipped : report.skipped) {
    const Json json = {{"name", skipped.name}, {"value", nullptr}, {"ok", true}, {"skipped", skipped.why}};
    absl::StrAppend(&lines, json.dump(), "\n");
  }
  return lines;
}

void Say(const std::string& what) { std::fprintf(stderr, "  %s\n", what.c_str()); }

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t n = values.size();
  return n == 0 ? 0.0 : 0.5 * (values[(n - 1) / 2] + values[n / 2]);
}

}  // namespace auricle::bench
