#include "sim/bench/html_report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "sim/question/heard.h"

namespace auricle::sim {
namespace {

constexpr char kStyle[] =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;color:#1c2733}"
    "table{border-collapse:collapse;margin:1em 0}td,th{padding:.25em .7em;text-align:right;border-bottom:1px solid "
    "#dde3ea}"
    "td:first-child,th:first-child{text-align:left}tr.sum td{font-weight:600;background:#f4f7fa}"
    "figure{display:inline-block;margin:1em 1.5em 1em 0;vertical-align:top}figcaption{color:#55606e;max-width:30em}"
    "svg text{font:12px system-ui,sans-serif;fill:#3a4653}";

constexpr double kWidth = 420, kHeight = 280, kMargin = 46;

std::string Escape(const std::string& text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

std::string Percent(double share) { return absl::StrFormat("%.1f&nbsp;%%", 100 * share); }

std::string SvgText(double x, double y, const std::string& text, const char* anchor = "middle") {
  return absl::StrFormat("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>", x, y, anchor, Escape(text));
}

std::string SvgLine(double x1, double y1, double x2, double y2, const char* colour, double width = 1) {
  return absl::StrFormat("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"%.1f\"/>",
                         x1, y1, x2, y2, colour, width);
}

std::string Svg(double width, double height, const std::string& inside) {
  return absl::StrFormat("<svg width=\"%.0f\" height=\"%.0f\" role=\"img\">%s</svg>", width, height, inside);
}

std::string Figure(const std::string& svg, const std::string& caption) {
  return absl::StrCat("<figure>", svg, "<figcaption>", Escape(caption), "</figcaption></figure>\n");
}

// Degrees in (-180, 180], positive where perceived too far to the left.
double AzimuthError(const SourceOutcome& source) {
  return WrapDegrees(source.perceived_azimuth_deg - source.azimuth_deg);
}

std::string ScoreTable(const BenchmarkReport& report, v1::QuestionForm form) {
  std::string rows, head;
  for (const GroupScore& group : report.groups) {
    if (group.form != form) continue;
    if (head.empty()) {
      head = "<tr><th></th><th>questions</th><th>right</th><th>95&nbsp;% interval</th><th>chance</th><th>constant</th>";
      for (const auto& [control, accuracy] : group.controls) absl::StrAppend(&head, "<th>", Escape(control), "</th>");
      head += "<th>distinct</th><th>unreadable</th></tr>\n";
    }
    const bool sum = group.name == "all" || group.name.rfind("level", 0) == 0 || group.name == "direction tasks";
    absl::StrAppend(&rows, sum ? "<tr class=\"sum\"><td>" : "<tr><td>", Escape(group.name), "</td><td>", group.count,
                    "</td><td>", Percent(group.accuracy), "</td><td>", Percent(group.low), " to ", Percent(group.high),
                    "</td><td>", Percent(group.chance), "</td><td>", Percent(group.constant), "</td>");
    for (const auto& [control, accuracy] : group.controls) absl::StrAppend(&rows, "<td>", Percent(accuracy), "</td>");
    absl::StrAppendFormat(&rows, "<td>%.2f</td><td>%d</td></tr>\n", group.unique_ratio, group.unanswered);
  }
  return head.empty() ? "" : absl::StrCat("<table>\n", head, rows, "</table>\n");
}

// Share of each true class (rows) perceived as each class (columns), the classes that occur, in the same order.
std::string ClassConfusion(const std::vector<SourceOutcome>& sources) {
  std::map<std::string, std::map<std::string, int>> counts;
  std::map<std::string, int> totals;
  for (const SourceOutcome& source : sources) {
    if (!source.found) continue;
    ++counts[source.class_name][source.perceived_class];
    ++totals[source.class_name];
    totals[source.perceived_class] += 0;
  }
  if (totals.empty()) return "";
  constexpr double kCell = 16, kNames = 130;
  std::vector<std::string> names;
  names.reserve(totals.size());
  for (const auto& [name, total] : totals) names.push_back(name);
  const double side = kCell * static_cast<double>(names.size());
  std::string svg;
  for (size_t row = 0; row < names.size(); ++row) {
    const double y = kNames + kCell * static_cast<double>(row);
    svg += SvgText(kNames - 6, y + 12, names[row], "end");
    absl::StrAppendFormat(&svg, "<text transform=\"translate(%.1f %.1f) rotate(-90)\">%s</text>",
                          kNames + kCell * static_cast<double>(row) + 12, kNames - 6, Escape(names[row]));
    for (size_t column = 0; column < names.size(); ++column) {
      const int count = counts[names[row]][names[column]];
      if (count == 0) continue;
      const double share = static_cast<double>(count) / totals[names[row]];
      absl::StrAppendFormat(&svg,
                            "<rect x=\"%.1f\" y=\"%.1f\" width=\"15\" height=\"15\" fill=\"%s\" "
                            "fill-opacity=\"%.2f\"><title>%s taken for "
                            "%s: %d of %d</title></rect>",
                            kNames + kCell * static_cast<double>(column), y, row == column ? "#2a7f62" : "#c4452d",
                            0.15 + 0.85 * share, Escape(names[row]), Escape(names[column]), count, totals[names[row]]);
    }
  }
  return Figure(
      Svg(kNames + side + 10, kNames + side + 10, svg),
      "True class (rows) and the class that was perceived in its place (columns), of sources that were found. "
      "Dark: often.");
}

// Errors of azimuth by true direction: each petal's length is the median error in its 30 degrees.
std::string ErrorRose(const std::vector<SourceOutcome>& sources) {
  constexpr int kPetals = 12;
  constexpr double kSize = 340, kCentre = kSize / 2, kReach = 120;
  std::array<std::vector<double>, kPetals> errors;
  for (const SourceOutcome& source : sources) {
    if (!source.found) continue;
    const int petal = static_cast<int>(std::floor((source.azimuth_deg + 195.0) / 30.0)) % kPetals;
    errors[static_cast<size_t>(petal)].push_back(std::abs(AzimuthError(source)));
  }
  std::array<double, kPetals> medians{};
  double most = 1;
  for (size_t i = 0; i < kPetals; ++i) {
    if (errors[i].empty()) continue;
    std::ranges::sort(errors[i]);
    medians[i] = errors[i][errors[i].size() / 2];
    most = std::max(most, medians[i]);
  }
  const auto at = [&](double azimuth_deg, double radius) {  // front is up, left is left
    const double a = azimuth_deg * std::numbers::pi / 180;
    return absl::StrFormat("%.1f,%.1f", kCentre - radius * std::sin(a), kCentre - radius * std::cos(a));
  };
  std::string svg;
  for (const double part : {0.5, 1.0}) {
    absl::StrAppendFormat(&svg, "<circle cx=\"%.0f\" cy=\"%.0f\" r=\"%.1f\" fill=\"none\" stroke=\"#dde3ea\"/>",
                          kCentre, kCentre, part * kReach);
    svg += SvgText(kCentre + 4, kCentre - part * kReach - 3, absl::StrFormat("%.0f°", part * most), "start");
  }
  for (int i = 0; i < kPetals; ++i) {
    const double centre = -180.0 + 30.0 * i, radius = kReach * medians[static_cast<size_t>(i)] / most;
    absl::StrAppendFormat(
        &svg,
        "<path d=\"M%.1f,%.1f L%s A%.1f,%.1f 0 0 0 %s Z\" fill=\"#3b6ea8\" fill-opacity=\"0.75\"><title>"
        "%.0f°: median %.1f° of %d</title></path>",
        kCentre, kCentre, at(centre - 13, radius), radius, radius, at(centre + 13, radius), centre,
        medians[static_cast<size_t>(i)], errors[static_cast<size_t>(i)].size());
  }
  svg += SvgText(kCentre, 16, "front") + SvgText(kCentre, kSize - 6, "behind") + SvgText(8, kCentre, "left", "start") +
         SvgText(kSize - 8, kCentre, "right", "end");
  return Figure(Svg(kSize, kSize, svg),
                "Median azimuth error of the sources that were found, by where they truly are.");
}

struct Bin {
  std::string label;
  std::vector<double> errors;
};

double Quantile(const std::vector<double>& sorted, double share) {
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(share * static_cast<double>(sorted.size())))];
}

// Median as a dot, quartiles as a bar, a column a bin.
std::string ErrorChart(std::vector<Bin> bins, const std::string& axis) {
  double most = 10;
  for (Bin& bin : bins) {
    std::ranges::sort(bin.errors);
    if (!bin.errors.empty()) most = std::max(most, Quantile(bin.errors, 0.75));
  }
  const auto y = [&](double error) { return kHeight - kMargin - (kHeight - 1.5 * kMargin) * error / most; };
  const double step = (kWidth - 1.5 * kMargin) / static_cast<double>(std::max<size_t>(1, bins.size()));
  std::string svg = SvgLine(kMargin, kHeight - kMargin, kWidth - kMargin / 2, kHeight - kMargin, "#9aa5b1");
  for (const double part : {0.0, 0.5, 1.0}) {
    svg += SvgLine(kMargin, y(part * most), kWidth - kMargin / 2, y(part * most), "#eef1f5") +
           SvgText(kMargin - 6, y(part * most) + 4, absl::StrFormat("%.0f°", part * most), "end");
  }
  for (size_t i = 0; i < bins.size(); ++i) {
    const double x = kMargin + (static_cast<double>(i) + 0.5) * step;
    svg += SvgText(x, kHeight - kMargin + 16, bins[i].label);
    if (bins[i].errors.empty()) continue;
    const double low = Quantile(bins[i].errors, 0.25), middle = Quantile(bins[i].errors, 0.5),
                 high = Quantile(bins[i].errors, 0.75);
    svg += SvgLine(x, y(low), x, y(high), "#a9c1dc", 14);
    absl::StrAppendFormat(
        &svg,
        "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" fill=\"#3b6ea8\"><title>median %.1f°, quartiles %.1f° and "
        "%.1f°, %d sources</title></circle>",
        x, y(middle), middle, low, high, bins[i].errors.size());
  }
  return Figure(Svg(kWidth, kHeight, svg + SvgText(kWidth / 2, kHeight - 6, axis)),
                absl::StrCat("Azimuth error against ", axis, ": median (dot) and quartiles (bar)."));
}

// Bins [edges[i], edges[i + 1]) of a quantity.
template <typename Value>
std::vector<Bin> BinErrors(const std::vector<SourceOutcome>& sources, const std::vector<double>& edges, Value value) {
  std::vector<Bin> bins;
  for (size_t i = 0; i + 1 < edges.size(); ++i) {
    Bin& bin = bins.emplace_back();
    bin.label = absl::StrFormat("%g-%g", edges[i], edges[i + 1]);
    for (const SourceOutcome& source : sources) {
      const double v = value(source);
      if (source.found && v >= edges[i] && v < edges[i + 1]) bin.errors.push_back(std::abs(AzimuthError(source)));
    }
  }
  return bins;
}

}  // namespace

std::string HtmlReport(const BenchmarkReport& report, const std::string& title) {
  std::string page =
      absl::StrCat("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>", Escape(title),
                   "</title><style>", kStyle, "</style></head><body>\n<h1>", Escape(title), "</h1>\n");
  for (const auto& [form, heading] : {std::pair{v1::QUESTION_FORM_MULTIPLE_CHOICE, "Multiple choice"},
                                      std::pair{v1::QUESTION_FORM_OPEN, "Open answers"}}) {
    const std::string table = ScoreTable(report, form);
    if (!table.empty()) absl::StrAppend(&page, "<h2>", heading, "</h2>\n", table);
  }
  page += "<h2>What was heard</h2>\n";
  const DetectionScore& d = report.detection;
  absl::StrAppendFormat(
      &page,
      "<p>%d scenes: ER<sub>20</sub> %.2f, F<sub>20</sub> %.2f (any class %.2f), LE<sub>CD</sub> %.1f°, "
      "LR<sub>CD</sub> %.2f, relative distance error %.2f. One source: median azimuth error %.1f°, "
      "front/back %.1f %%, left/right %.1f %%.</p>\n",
      d.scenes, d.error_rate_20, d.f_20, d.f_20_any_class, d.localisation_error_deg, d.localisation_recall,
      d.relative_distance_error, report.azimuth_evidence.median_error_deg, 100 * report.azimuth_evidence.front_back,
      100 * report.azimuth_evidence.left_right);
  const std::vector<SourceOutcome>& sources = report.sources;
  page += ErrorRose(sources);
  page += ErrorChart(BinErrors(sources, {0, 1, 2, 3, 5, 8, 20}, [](const SourceOutcome& s) { return s.distance_m; }),
                     "distance in metres");
  page += ErrorChart(
      BinErrors(sources, {0, 0.2, 0.4, 0.6, 0.9, 1.5, 3}, [](const SourceOutcome& s) { return s.t30_seconds; }),
      "reverberation time in seconds");
  std::vector<Bin> by_number =
      BinErrors(sources, {1, 2, 3, 4, 5}, [](const SourceOutcome& s) { return static_cast<double>(s.sources); });
  for (size_t i = 0; i < by_number.size(); ++i) by_number[i].label = absl::StrCat(i + 1);
  page += ErrorChart(std::move(by_number), "number of sources");
  page += ClassConfusion(sources);
  return page + "</body></html>\n";
}

}  // namespace auricle::sim
