#include "sim/bench/report.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"

namespace auricle::sim {
namespace {

std::string FormName(v1::QuestionForm form) { return form == v1::QUESTION_FORM_MULTIPLE_CHOICE ? "mcq" : "open"; }

double Percent(double share) { return 100.0 * share; }

void AddTable(const BenchmarkReport& report, v1::QuestionForm form, std::string& text) {
  bool any = false;
  for (const GroupScore& group : report.groups) {
    if (group.form != form) continue;
    if (!any) {
      absl::StrAppendFormat(&text, "%-36s %5s %7s %15s %7s %8s",
                            form == v1::QUESTION_FORM_OPEN ? "Open answers" : "Multiple choice", "n", "right",
                            "95 % interval", "chance", "constant");
      for (const auto& [control, accuracy] : group.controls) absl::StrAppendFormat(&text, " %12s", control);
      absl::StrAppendFormat(&text, " %8s %10s\n", "distinct", "unreadable");
      any = true;
    }
    absl::StrAppendFormat(&text, "%-36s %5d %5.1f %% %6.1f - %4.1f %% %5.1f %% %6.1f %%", group.name, group.count,
                          Percent(group.accuracy), Percent(group.low), Percent(group.high), Percent(group.chance),
                          Percent(group.constant));
    for (const auto& [control, accuracy] : group.controls)
      absl::StrAppendFormat(&text, " %10.1f %%", Percent(accuracy));
    absl::StrAppendFormat(&text, " %8.2f %10d\n", group.unique_ratio, group.unanswered);
    if (group.name == "direction tasks") text += "\n";
  }
  if (any) text += "\n";
}

void AddAzimuth(const std::string& name, const AzimuthScore& score, std::string& text) {
  absl::StrAppendFormat(&text, "%-44s %5d %7.1f deg %9.1f %% %9.1f %% %8d\n", name, score.count, score.median_error_deg,
                        Percent(score.front_back), Percent(score.left_right), score.missing);
}

}  // namespace

std::vector<Measurement> Measurements(const BenchmarkReport& report, const BenchmarkFloors& floors) {
  std::vector<Measurement> all;
  const auto add = [&all](std::string name, double value, std::string unit, std::optional<double> floor = {},
                          bool at_most = false) {
    const bool ok = !floor || (at_most ? value <= *floor + 1e-12 : value >= *floor - 1e-12);
    all.push_back({std::move(name), value, std::move(unit), floor, ok});
  };
  for (const GroupScore& group : report.groups) {
    const std::string name = absl::StrCat(FormName(group.form), "/", group.name);
    const bool choice = group.form == v1::QUESTION_FORM_MULTIPLE_CHOICE;
    const bool overall = choice && group.name == "all", direction = choice && group.name == "direction tasks";
    std::optional<double> least;
    if (overall) least = floors.multiple_choice;
    if (direction) least = floors.direction_tasks;
    if (choice && group.name.starts_with("level ")) least = floors.level;
    if (!choice && group.name == "absent sounds") least = 1 - floors.false_alarms;
    add(name, group.accuracy, "share", least);
    add(name + "/low", group.low, "share");
    add(name + "/high", group.high, "share");
    add(name + "/chance", group.chance, "share");
    add(name + "/constant", group.constant, "share");
    add(name + "/distinct", group.unique_ratio, "ratio");
    for (const auto& [control, accuracy] : group.controls) {
      std::optional<double> most;
      if (direction && control == "zero-spatial") most = group.chance + floors.zero_spatial_margin;
      if (overall && control == "silence") most = group.chance + floors.silence_margin;
      add(absl::StrCat(name, "/", control), accuracy, "share", most, true);
    }
  }
  const auto azimuth = [&](const std::string& name, const AzimuthScore& score, bool barred) {
    if (score.count == 0) return;
    add(name + "/count", score.count, "scenes");
    add(name + "/median", score.median_error_deg, "deg",
        barred ? std::optional<double>(floors.azimuth_median_deg) : std::nullopt, true);
    add(name + "/front_back", score.front_back, "share", barred ? std::optional<double>(floors.sides) : std::nullopt);
    add(name + "/left_right", score.left_right, "share", barred ? std::optional<double>(floors.sides) : std::nullopt);
  };
  azimuth("azimuth_answers", report.azimuth_answers, false);
  azimuth("azimuth_evidence", report.azimuth_evidence, true);
  if (report.azimuth_evidence.count > 0) {
    add("elevation_evidence/median", report.elevation_median_deg, "deg", floors.elevation_median_deg, true);
  }
  azimuth("azimuth_matched", report.azimuth_matched, false);
  if (report.detection.scenes > 0) {
    add("detection/ER20", report.detection.error_rate_20, "ratio");
    add("detection/F20", report.detection.f_20, "share", floors.f_20);
    add("detection/F20_any_class", report.detection.f_20_any_class, "share", floors.f_20_any_class);
    add("detection/LE_CD", report.detection.localisation_error_deg, "deg", floors.localisation_error_deg, true);
    add("detection/LR_CD", report.detection.localisation_recall, "share");
    add("detection/relative_distance_error", report.detection.relative_distance_error, "ratio");
    add("detection/median_distance_error", report.detection.median_distance_error, "ratio",
        floors.median_distance_error, true);
    add("detection/class_top1", report.class_top1, "share", floors.class_top1);
  }
  add("errors", report.errors, "rows");
  return all;
}

std::string MeasurementLines(const std::vector<Measurement>& measurements) {
  std::string lines;
  for (const Measurement& one : measurements) {
    nlohmann::ordered_json json;
    json["name"] = one.name;
    json["value"] = one.value;
    json["unit"] = one.unit;
    json["floor"] = one.floor ? nlohmann::ordered_json(*one.floor) : nlohmann::ordered_json(nullptr);
    json["ok"] = one.ok;
    lines += json.dump() + "\n";
  }
  return lines;
}

std::string ReportTable(const BenchmarkReport& report, const BenchmarkFloors& floors) {
  std::string text;
  AddTable(report, v1::QUESTION_FORM_MULTIPLE_CHOICE, text);
  AddTable(report, v1::QUESTION_FORM_OPEN, text);
  absl::StrAppendFormat(&text, "%-44s %5s %11s %11s %11s %8s\n", "Azimuth", "n", "median", "front/back", "left/right",
                        "missing");
  AddAzimuth("open answers, scenes with one source", report.azimuth_answers, text);
  AddAzimuth("evidence, scenes with one source", report.azimuth_evidence, text);
  AddAzimuth("evidence, all sources matched", report.azimuth_matched, text);
  const DetectionScore& detection = report.detection;
  if (detection.scenes > 0) {
    absl::StrAppendFormat(
        &text,
        "\nDetection over %d scenes: ER20 %.2f, F20 %.2f (any class %.2f), LE_CD %.1f deg, LR_CD %.2f; of matched "
        "sources: class %.2f, distance error %.2f (median %.2f)\n",
        detection.scenes, detection.error_rate_20, detection.f_20, detection.f_20_any_class,
        detection.localisation_error_deg, detection.localisation_recall, report.class_top1,
        detection.relative_distance_error, detection.median_distance_error);
  }
  if (report.errors > 0) absl::StrAppendFormat(&text, "\n%d answers are errors and count as wrong.\n", report.errors);
  text += "\n";
  for (const Measurement& one : Measurements(report, floors)) {
    if (!one.floor) continue;
    absl::StrAppendFormat(&text, "%s  %-40s %.3g %s (bar %.3g)\n", one.ok ? "meets " : "MISSES", one.name, one.value,
                          one.unit, *one.floor);
  }
  return text;
}

}  // namespace auricle::sim
