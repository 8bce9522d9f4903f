// A small SVG writer for training curves.
#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/training/curves.h"

namespace auricle::training {
namespace {

constexpr double kWidth = 520, kHeight = 280, kLeft = 62, kRight = 16, kTop = 36, kBottom = 40;
constexpr const char* kColours[] = {"#3366cc", "#dc3912", "#109618", "#ff9900", "#990099", "#0099c6"};

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;
};

std::vector<Series> Collect(const std::vector<Curves::Point>& points, const Panel& panel) {
  std::vector<Series> all;
  for (const std::string& column : panel.columns) {
    Series series{column, {}};
    for (const Curves::Point& point : points) {
      for (const auto& [name, value] : point.row) {
        if (name == column && std::isfinite(value) && !(panel.logarithmic && value <= 0)) {
          series.points.emplace_back(static_cast<double>(point.step), value);
        }
      }
    }
    if (panel.smooth > 0 && series.points.size() > 2) {
      std::vector<double> sums(series.points.size() + 1, 0.0);
      for (size_t i = 0; i < series.points.size(); ++i) sums[i + 1] = sums[i] + series.points[i].second;
      const int64_t size = static_cast<int64_t>(series.points.size());
      for (int64_t i = 0; i < size; ++i) {
        const int64_t low = std::max<int64_t>(0, i - panel.smooth), high = std::min(size, i + panel.smooth + 1);
        series.points[i].second = (sums[high] - sums[low]) / static_cast<double>(high - low);
      }
    }
    // No screen shows more than a thousand points of a line.
    const size_t stride = std::max<size_t>(1, series.points.size() / 500);
    std::vector<std::pair<double, double>> thin;
    for (size_t i = 0; i < series.points.size(); i += stride) thin.push_back(series.points[i]);
    series.points.swap(thin);
    if (!series.points.empty()) all.push_back(std::move(series));
  }
  return all;
}

// Round values between low and high, about five of them.
std::vector<double> Ticks(double low, double high) {
  const double raw = (high - low) / 5;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  double step = power;
  for (double factor : {1.0, 2.0, 5.0, 10.0}) {
    step = factor * power;
    if (step >= raw) break;
  }
  std::vector<double> ticks;
  for (double t = std::ceil(low / step) * step; t <= high + step * 1e-6; t += step) ticks.push_back(t);
  return ticks;
}

std::string DrawPanel(const Panel& panel, const std::vector<Series>& all, double x0, double y0) {
  double min_x = std::numeric_limits<double>::max(), max_x = -min_x, min_y = min_x, max_y = -min_x;
  auto map_value = [&](double v) { return panel.logarithmic ? std::log10(v) : v; };
  for (const Series& series : all) {
    for (const auto& [x, y] : series.points) {
      min_x = std::min(min_x, x);
      max_x = std::max(max_x, x);
      min_y = std::min(min_y, map_value(y));
      max_y = std::max(max_y, map_value(y));
    }
  }
  if (max_x - min_x < 1) max_x = min_x + 1;
  const double pad = std::max(1e-9, (max_y - min_y) * 0.06 + (max_y == min_y ? std::abs(max_y) * 0.1 + 0.01 : 0));
  min_y -= pad;
  max_y += pad;
  auto px = [&](double x) { return x0 + kLeft + (x - min_x) / (max_x - min_x) * (kWidth - kLeft - kRight); };
  auto py = [&](double y) {
    return y0 + kHeight - kBottom - (y - min_y) / (max_y - min_y) * (kHeight - kTop - kBottom);
  };

  std::string svg =
      absl::StrFormat("<text x='%.0f' y='%.0f' class='title'>%s</text>\n", x0 + kLeft, y0 + 20, panel.title);
  for (double t : Ticks(min_y, max_y)) {
    const std::string label = absl::StrFormat("%.3g", panel.logarithmic ? std::pow(10, t) : t);
    absl::StrAppendFormat(&svg, "<line x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f' class='grid'/>", x0 + kLeft,
                          x0 + kWidth - kRight, py(t), py(t));
    absl::StrAppendFormat(&svg, "<text x='%.1f' y='%.1f' text-anchor='end'>%s</text>\n", x0 + kLeft - 6, py(t) + 4,
                          label);
  }
  for (double t : Ticks(min_x, max_x)) {
    absl::StrAppendFormat(&svg, "<text x='%.1f' y='%.1f' text-anchor='middle'>%g</text>\n", px(t),
                          y0 + kHeight - kBottom + 16, t);
  }
  absl::StrAppendFormat(&svg, "<text x='%.1f' y='%.1f' text-anchor='middle'>step</text>\n",
                        x0 + (kLeft + kWidth - kRight) / 2, y0 + kHeight - 8);
  for (size_t i = 0; i < all.size(); ++i) {
    const char* colour = kColours[i % std::size(kColours)];
    absl::StrAppendFormat(&svg, "<polyline fill='none' stroke='%s' stroke-width='1.6' points='", colour);
    for (const auto& [x, y] : all[i].points) absl::StrAppendFormat(&svg, "%.1f,%.1f ", px(x), py(map_value(y)));
    absl::StrAppend(&svg, "'/>\n");
    absl::StrAppendFormat(&svg, "<text x='%.1f' y='%.1f' fill='%s' text-anchor='end'>%s</text>\n",
                          x0 + kWidth - kRight - 4, y0 + kTop + 12 + 14.0 * static_cast<double>(i), colour,
                          all[i].name);
  }
  return svg;
}

}  // namespace

std::string DrawCurves(const std::string& title, const std::vector<Curves::Point>& points,
                       const std::vector<Curves::Point>& validation, const std::vector<Panel>& panels,
                       const std::vector<Panel>& validation_panels) {
  std::string body;
  int drawn = 0;
  auto draw = [&](const std::vector<Panel>& list, const std::vector<Curves::Point>& from) {
    for (const Panel& panel : list) {
      const std::vector<Series> all = Collect(from, panel);
      if (all.empty()) continue;
      absl::StrAppend(&body, DrawPanel(panel, all, kWidth * (drawn % 2), 40 + kHeight * (drawn / 2)));
      ++drawn;
    }
  };
  draw(panels, points);
  draw(validation_panels, validation);
  const double height = 48 + kHeight * ((drawn + 1) / 2);
  return absl::StrFormat(
             "<svg xmlns='http://www.w3.org/2000/svg' width='%.0f' height='%.0f' viewBox='0 0 %.0f %.0f'>\n"
             "<style>text{font:12px sans-serif;fill:#444} .title{font-weight:bold} .head{font-size:16px} "
             ".grid{stroke:#ddd}</style>\n<rect width='100%%' height='100%%' fill='white'/>\n"
             "<text x='16' y='26' class='head'>%s</text>\n",
             2 * kWidth, height, 2 * kWidth, height, title) +
         body + "</svg>\n";
}

}  // namespace auricle::training
